// SPDX-License-Identifier: Apache-2.0
// What of a function a person configures: without what the server says of it, its code, and what only says the default.

import { functionSchema, specSchema } from './function_schema.ts';
import { isIdle, prune, same, type Schema } from './schema.ts';
import type { FunctionObject, Json, JsonObject, Spec } from './types.ts';

// Without the code, which has a tab of its own.
const build = specSchema.properties?.['build'];
const { functionSourceCode: _, files: __, ...buildFields } = build?.properties ?? {};
export const formSchema: Schema = {
  ...specSchema,
  properties: { ...specSchema.properties, build: { ...build, properties: buildFields } },
};

export function editable(object: FunctionObject): JsonObject {
  const { name, namespace, labels, annotations } = object.metadata;
  const build = object.spec.build && { ...object.spec.build };
  delete build?.functionSourceCode;
  delete build?.files;
  const metadata = { name, namespace, labels, annotations };
  return pruned(JSON.parse(JSON.stringify({ metadata, spec: { ...object.spec, build } })) as JsonObject);
}
export function pruned(draft: JsonObject): JsonObject {
  const kept = prune(draft, functionSchema) as JsonObject | undefined;
  return { ...kept, spec: kept?.['spec'] ?? {} };
}

// Puts what was configured into a function. Its code stays, unless another place of it was configured.
export function putInto(object: FunctionObject, draft: JsonObject): void {
  const { metadata, spec = {} } = pruned(draft) as { metadata?: FunctionObject['metadata']; spec?: Spec };
  const { build: before } = object.spec;
  const isElsewhere =
    !same(spec.build?.path, before?.path || undefined) ||
    !same(spec.build?.codeEntryType, before?.codeEntryType || undefined);
  const { functionSourceCode, files } = before ?? {};
  const kept =
    isElsewhere || !functionSourceCode ? {} : { functionSourceCode, ...(files === undefined ? {} : { files }) };
  const build = { ...kept, ...spec.build };
  object.metadata = { ...object.metadata, labels: metadata?.labels ?? {}, annotations: metadata?.annotations ?? {} };
  object.spec = { ...spec, ...(Object.keys(build).length > 0 ? { build } : {}) };
}

export const SECTIONS = [
  'general',
  'environment',
  'volumes',
  'resources',
  'scaling',
  'build',
  'kubernetes',
  'advanced',
] as const;
export type Section = (typeof SECTIONS)[number];

// What is looked for together. A field that is in none of these is found by what is said of it.
const together: Partial<Record<Section, string[]>> = {
  general: ['description', 'runtime', 'handler', 'disable', 'eventTimeout', 'runtimeAttributes', 'loggerSinks'],
  environment: ['env', 'envFrom'],
  volumes: ['volumes', 'dataBindings', 'disableSensitiveFieldsMasking'],
  resources: ['resources', 'devices'],
  scaling: [
    'replicas',
    'minReplicas',
    'maxReplicas',
    'targetCPU',
    'autoScaleMetrics',
    'customScalingMetricSpecs',
    'scaleToZero',
  ],
  build: ['build', 'image', 'runRegistry', 'imagePullSecrets', 'imagePullPolicy'],
};
const ELSEWHERE = ['triggers']; // have a tab of their own

export function sectionsOf(schema: Schema = specSchema): Record<Section, string[]> {
  const named = new Set(Object.values(together).flat());
  const sections = Object.fromEntries(SECTIONS.map((each) => [each, [...(together[each] ?? [])]])) as Record<
    Section,
    string[]
  >;
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (named.has(name) || ELSEWHERE.includes(name)) continue;
    const isKubernetes = /Kubernetes only\.?$/.test(field.description ?? '') && !isIdle(field);
    sections[isKubernetes ? 'kubernetes' : 'advanced'].push(name);
  }
  return sections;
}

export function shownValue(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
