// SPDX-License-Identifier: Apache-2.0
// The schema that the server's own spec generates, which the forms are made of.

import generated from '../../../docs/reference/function.schema.json';
import type { Schema } from './schema.ts';

const whole = generated as unknown as Schema;
const parts = whole.properties ?? {};

export const specSchema: Schema = parts['spec'] ?? {};
export const metadataSchema: Schema = parts['metadata'] ?? {};
// What a person writes: the rest is the server's.
export const functionSchema: Schema = {
  type: 'object',
  properties: { metadata: metadataSchema, spec: specSchema },
  additionalProperties: false,
};
export const triggerSchema = specSchema.properties?.['triggers']?.additionalProperties as Schema;
