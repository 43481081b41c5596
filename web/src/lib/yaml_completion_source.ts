// SPDX-License-Identifier: Apache-2.0
import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { EditorState, type Extension } from '@codemirror/state';

import type { Schema } from './schema.ts';
import type { Json } from './types.ts';
import { completionsAt } from './yaml_completion.ts';

// Offers the fields and values of a schema in an editor of YAML.
export function schemaCompletion(schema: Schema, value: () => Json | undefined): Extension {
  const complete = (context: CompletionContext): CompletionResult | null => {
    const found = completionsAt(context.state.doc.toString(), context.pos, schema, value());
    if (!found || (found.from === context.pos && !context.explicit)) return null;
    return {
      from: found.from,
      options: found.choices.map((each) => ({
        label: each.label,
        apply: each.insert,
        ...(each.detail === '' ? {} : { info: each.detail }),
      })),
      validFor: /^[\w-]*$/,
    };
  };
  return EditorState.languageData.of(() => [{ autocomplete: complete }]);
}
