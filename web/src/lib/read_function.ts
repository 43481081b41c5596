// SPDX-License-Identifier: Apache-2.0
// A function that somebody has as YAML or JSON: what it is, and what is wrong with it where.

import { messageOf } from './api.ts';
import { functionFrom } from './create.ts';
import { functionSchema, specSchema } from './function_schema.ts';
import type { Problem } from './problems.ts';
import { validate } from './schema.ts';
import type { FunctionObject, JsonObject } from './types.ts';
import { schemaCompletion } from './yaml_completion_source.ts';
import { YamlText } from './yaml_text.ts';

export const completion = schemaCompletion(functionSchema, () => undefined);

export interface ReadFunction {
  imported: { object?: FunctionObject; problem: string };
  problems: Problem[];
}

// What the schema finds wrong is told and no more: the server takes what it does not know, and leaves it out.
export function readFunction(text: string): ReadFunction {
  if (text.trim() === '') return { imported: { problem: '' }, problems: [] };
  const yaml = new YamlText(text);
  const [first] = yaml.problems;
  if (first) return { imported: { problem: first.message }, problems: yaml.problems };
  try {
    const object = functionFrom(yaml.value());
    const problems = validate(object.spec as JsonObject, specSchema, ['spec']).map(({ path, message }): Problem => ({
      line: yaml.lineOf(path),
      message,
      severity: 'warning',
    }));
    return { imported: { object, problem: '' }, problems };
  } catch (error) {
    return { imported: { problem: messageOf(error) }, problems: [] };
  }
}
