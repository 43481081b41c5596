// SPDX-License-Identifier: Apache-2.0
// What all fields of a form share. A field knows its path and shows what it is given; the form has the values.

import { pathText, type Path, type Schema } from './schema.ts';
import type { Json } from './types.ts';

export interface Form {
  id: string; // of the form; its fields' ids begin with it
  disabled: boolean;
  showIdle: boolean; // fields that have no effect, too
  words: string[]; // only fields that have them all
  problems: ReadonlyMap<string, string>; // by the text of a path
  change: (path: Path, to: Json | undefined) => void; // undefined: as if it had never been set
}

export interface FieldProps {
  name: string;
  schema: Schema;
  value: Json | undefined;
  path: Path;
  form: Form;
}

export function idOfField(form: Form, path: Path): string {
  return `${form.id}-${pathText(path).replace(/\s/g, '_')}`;
}
// The ids of what is said about a field.
export function describedBy(form: Form, path: Path, hasHelp: boolean): string | undefined {
  const id = idOfField(form, path);
  const ids = [...(hasHelp ? [`${id}-help`] : []), ...(form.problems.has(pathText(path)) ? [`${id}-problem`] : [])];
  return ids.length > 0 ? ids.join(' ') : undefined;
}
