// SPDX-License-Identifier: Apache-2.0
// What the JSON Schema of functions says about a value: what is wrong with it, what of it only says the default, and
// what has changed. It knows as much of JSON Schema as the server's own generator writes.

import { texts } from '../texts.ts';
import type { Json, JsonObject } from './types.ts';

export interface Schema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  items?: Schema;
  enum?: Json[];
  minimum?: number;
  maximum?: number;
  pattern?: string;
  default?: Json;
  writeOnly?: boolean;
  deprecated?: boolean;
  allOf?: { if: { properties: Record<string, { enum: Json[] }> }; then: Schema }[];
}
export type Path = readonly (string | number)[];
export interface Wrong {
  path: Path;
  message: string;
}

const t = texts.configuration;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// spec.env[0].value
export function pathText(path: Path): string {
  return path.map((each, at) => (typeof each === 'number' ? `[${each}]` : at === 0 ? each : `.${each}`)).join('');
}

// With what it has only for some values: the attributes of a trigger's kind.
export function resolved(schema: Schema, value: unknown): Schema {
  if (!schema.allOf) return schema;
  const fitting = schema.allOf.filter(({ if: { properties } }) =>
    Object.entries(properties).every(
      ([name, { enum: values }]) => isObject(value) && values.includes(value[name] as Json),
    ),
  );
  const properties = { ...schema.properties };
  for (const { then } of fitting) Object.assign(properties, then.properties);
  return { ...schema, properties };
}

// What a member of an object is described by; undefined where anything goes, or nothing.
export function memberOf(schema: Schema, name: string): Schema | undefined {
  const known = schema.properties?.[name];
  if (known) return known;
  return isObject(schema.additionalProperties) ? (schema.additionalProperties as Schema) : undefined;
}
export function schemaAt(schema: Schema, value: unknown, path: Path): Schema | undefined {
  let at: Schema | undefined = schema;
  let here: unknown = value;
  for (const step of path) {
    if (!at) return undefined;
    at = typeof step === 'number' ? at.items : memberOf(resolved(at, here), step);
    here = typeof here === 'object' && here !== null ? (here as Record<string | number, unknown>)[step] : undefined;
  }
  return at && resolved(at, here);
}

// An object or list that Kubernetes or the runtime describes, not this schema.
export function isFree(schema: Schema): boolean {
  if (schema.type === 'object') return !schema.properties && !isObject(schema.additionalProperties);
  return schema.type === 'array' && (!schema.items || isFree(schema.items));
}
// Kept because specs of Nuclio have it, and obeyed by nobody.
export function isIdle(schema: Schema): boolean {
  return schema.deprecated === true || /Has no effect yet|^Legacy/.test(schema.description ?? '');
}
// What stands for a secret that the server keeps: to be sent back as it is.
export function isMasked(value: unknown): value is string {
  return typeof value === 'string' && (value === '********' || value.startsWith('$ref:'));
}

export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, at) => same(each, b[at]));
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && same(a[name], b[name]));
}

// Without what says no more than its absence would: a default, or nothing. Entries of maps and lists stay, since that
// they are there says something, and so does null where it is not the default. What the schema does not know is left
// as it is.
export function prune(value: Json | undefined, schema: Schema | undefined): Json | undefined {
  if (value === undefined || !schema || isFree(schema)) return isEmpty(value) ? undefined : value;
  if (value === null) return schema.default === undefined ? undefined : null;
  if (schema.default !== undefined && isDefault(value, schema)) return undefined;
  if (value === '') return undefined;
  if (Array.isArray(value)) {
    const kept = value
      .filter((each) => !(each === '' && schema.items?.type === 'string'))
      .map((each) => inside(each, schema.items));
    return kept.length === 0 ? undefined : kept;
  }
  return isObject(value) ? prunedObject(value, schema) : value;
}
function isDefault(value: Json, schema: Schema): boolean {
  if (same(value, schema.default)) return true;
  // 60s is 1m0s, as the server writes it.
  if (schema.pattern === undefined || typeof value !== 'string' || typeof schema.default !== 'string') return false;
  const length = secondsOf(value);
  return length !== undefined && length === secondsOf(schema.default);
}
const UNIT_SECONDS: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, μs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };
function secondsOf(duration: string): number | undefined {
  if (!/^([0-9.]+(ns|us|µs|μs|ms|s|m|h))+$/.test(duration)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of duration.matchAll(/([0-9.]+)([a-zµμ]+)/g))
    sum += Number(amount) * (UNIT_SECONDS[unit ?? ''] ?? 0);
  return sum;
}
function prunedObject(value: JsonObject, schema: Schema): JsonObject | undefined {
  const whole = resolved(schema, value);
  const kept: JsonObject = {};
  for (const [name, each] of Object.entries(value)) {
    const known = whole.properties?.[name];
    const stays = !known || whole.required?.includes(name);
    const pruned = stays ? inside(each, memberOf(whole, name)) : prune(each, known);
    if (pruned !== undefined) kept[name] = pruned;
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}
// Of an entry, only what is within it.
function inside(value: Json, schema: Schema | undefined): Json {
  if (!schema || isFree(schema)) return value;
  if (isObject(value)) return prunedObject(value, schema) ?? {};
  return Array.isArray(value) ? (prune(value, schema) ?? []) : value;
}
function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}
function hasType(value: Json, type: NonNullable<Schema['type']>): boolean {
  if (type === 'integer') return typeof value === 'number' && Number.isInteger(value);
  return typeName(value) === type;
}

// Everything that the server would refuse for its form, and names that it does not know.
export function validate(value: Json | undefined, schema: Schema | undefined, path: Path = []): Wrong[] {
  if (value === undefined || value === null || !schema) return [];
  if (schema.type && !hasType(value, schema.type))
    return [{ path, message: t.wrong.type(t.types[schema.type], t.types[typeName(value)] ?? typeName(value)) }];
  const message = problemOf(value, schema);
  if (message !== '') return [{ path, message }];
  if (Array.isArray(value)) return value.flatMap((each, at) => validate(each, schema.items, [...path, at]));
  return isObject(value) ? validateObject(value, resolved(schema, value), path) : [];
}
function problemOf(value: Json, schema: Schema): string {
  if (schema.enum && !schema.enum.includes(value) && value !== '')
    return t.wrong.choice(schema.enum.filter((each) => each !== '').join(', '));
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) return t.wrong.least(schema.minimum);
    if (schema.maximum !== undefined && value > schema.maximum) return t.wrong.most(schema.maximum);
  }
  // There is one pattern, that of durations.
  if (typeof value === 'string' && schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
    return t.wrong.duration;
  return '';
}
function validateObject(value: JsonObject, schema: Schema, path: Path): Wrong[] {
  const wrongs: Wrong[] = [];
  for (const name of schema.required ?? [])
    if (isEmpty(value[name]) || value[name] === '') wrongs.push({ path: [...path, name], message: t.wrong.missing });
  for (const [name, each] of Object.entries(value)) {
    const member = memberOf(schema, name);
    if (!member && schema.additionalProperties === false) {
      const near = nearest(name, Object.keys(schema.properties ?? {}));
      wrongs.push({ path: [...path, name], message: t.wrong.unknown(name, near) });
    } else if (!(each === '' && schema.required?.includes(name))) {
      wrongs.push(...validate(each, member, [...path, name]));
    }
  }
  return wrongs;
}

// The known word that was most likely meant; "" when none is near.
export function nearest(word: string, known: string[]): string {
  let best = '';
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const each of known) {
    const edits = distance(word.toLowerCase(), each.toLowerCase());
    if (edits < least) [best, least] = [each, edits];
  }
  return best;
}
function distance(a: string, b: string): number {
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++)
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    last = row;
  }
  return last[b.length] ?? 0;
}

export interface Difference {
  path: Path;
  before: Json | undefined;
  after: Json | undefined;
}
// From one value to another. For people lists are compared entry by entry; to be done again on a third value, a list
// is one thing.
export function differences(
  before: Json | undefined,
  after: Json | undefined,
  lists: 'by entry' | 'whole' = 'by entry',
  path: Path = [],
): Difference[] {
  if (same(before, after)) return [];
  const within = (names: Iterable<string | number>) =>
    [...names].flatMap((name) => {
      const [a, b] = [before, after] as Record<string | number, Json>[];
      return differences(a?.[name], b?.[name], lists, [...path, name]);
    });
  if (isObject(before) && isObject(after)) return within(new Set([...Object.keys(before), ...Object.keys(after)]));
  if (lists === 'by entry' && Array.isArray(before) && Array.isArray(after))
    return within(Array.from({ length: Math.max(before.length, after.length) }, (_, at) => at));
  return [{ path, before, after }];
}

export function valueAt(value: Json | undefined, path: Path): Json | undefined {
  let here: Json | undefined = value;
  for (const step of path)
    here = typeof here === 'object' && here !== null ? (here as Record<string | number, Json>)[step] : undefined;
  return here;
}
// A copy with another value there; undefined removes it.
export function withValue(value: Json | undefined, path: Path, to: Json | undefined): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return to;
  if (typeof step === 'number') {
    const list = Array.isArray(value) ? [...value] : [];
    const changed = withValue(list[step], rest, to);
    if (changed === undefined) list.splice(step, 1);
    else list[step] = changed;
    return list;
  }
  const object = isObject(value) ? { ...value } : {};
  const changed = withValue(object[step], rest, to);
  if (changed === undefined) delete object[step];
  else object[step] = changed;
  return object;
}
export function withDifferences(value: Json | undefined, changes: Difference[]): Json | undefined {
  return changes.reduce<Json | undefined>((done, { path, after }) => withValue(done, path, after), value);
}

// Whether all words are in the name or description of a field, or of one within it.
export function mentions(schema: Schema, name: string, words: string[]): boolean {
  if (words.length === 0) return true;
  const text = `${name} ${schema.description ?? ''} ${(schema.enum ?? []).join(' ')}`.toLowerCase();
  if (words.every((word) => text.includes(word))) return true;
  const within = [
    ...Object.entries(schema.properties ?? {}),
    ...(isObject(schema.additionalProperties) ? [['', schema.additionalProperties as Schema] as const] : []),
    ...(schema.items ? [['', schema.items] as const] : []),
  ];
  return within.some(([each, member]) => mentions(member, `${name} ${each}`, words));
}

// For showing: with a word in the place of every secret that is set.
export function withoutSecrets(value: Json, schema: Schema | undefined, instead: string): Json {
  if (!schema) return value;
  if (schema.writeOnly) return instead;
  if (Array.isArray(value)) return value.map((each) => withoutSecrets(each, schema.items, instead));
  if (!isObject(value)) return value;
  const whole = resolved(schema, value);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, withoutSecrets(each, memberOf(whole, name), instead)]),
  );
}
