// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { functionSchema, specSchema, triggerSchema } from './function_schema.ts';
import {
  differences,
  isFree,
  isIdle,
  mentions,
  nearest,
  pathText,
  prune,
  schemaAt,
  validate,
  withDifferences,
  withoutSecrets,
  withValue,
  type Schema,
} from './schema.ts';
import type { Json } from './types.ts';
import { completionsAt } from './yaml_completion.ts';
import { YamlText } from './yaml_text.ts';

describe('prune', () => {
  const cases: [string, Json, Json | undefined][] = [
    ['a default', { disable: false, targetCPU: 75, eventTimeout: '0s' }, undefined],
    ['what differs from it', { disable: true, targetCPU: 80 }, { disable: true, targetCPU: 80 }],
    ['texts and lists without content', { description: '', env: [], build: { commands: [''] } }, undefined],
    ['false where there is no default', { disableDefaultHTTPTrigger: false }, { disableDefaultHTTPTrigger: false }],
    ['zero where there is no default', { minReplicas: 0 }, { minReplicas: 0 }],
    [
      'names of maps and entries of lists',
      { nodeSelector: { a: '' }, env: [{ name: 'A', value: '' }] },
      { nodeSelector: { a: '' }, env: [{ name: 'A' }] },
    ],
    [
      'what Kubernetes describes',
      { volumes: [{ volume: { name: 'x', emptyDir: {} } }] },
      { volumes: [{ volume: { name: 'x', emptyDir: {} } }] },
    ],
    [
      'attributes by the kind of their trigger',
      { triggers: { a: { kind: 'http', numWorkers: 1, attributes: { port: 0, mode: 'sync' } } } },
      { triggers: { a: { kind: 'http' } } },
    ],
    ['null where it is not the default', { runtime: null, targetCPU: null }, { targetCPU: null }],
    ['durations that are the default in other words', { eventTimeout: '0m' }, undefined],
    [
      'other durations',
      { triggers: { a: { kind: 'kafka', attributes: { rebalanceTimeout: '60s', sessionTimeout: '60s' } } } },
      { triggers: { a: { kind: 'kafka', attributes: { sessionTimeout: '60s' } } } },
    ],
    ['fields that nobody knows', { typo: '' }, { typo: '' }],
  ];
  it.each(cases)('looks at %s', (_, before, after) => expect(prune(before, specSchema)).toEqual(after));
});

describe('validate', () => {
  const cases: [string, Json, string, string][] = [
    ['types', { handler: 1 }, 'handler', 'text'],
    ['whole numbers', { minReplicas: 1.5 }, 'minReplicas', 'whole'],
    ['ranges', { maxReplicas: 0 }, 'maxReplicas', 'At least 1'],
    ['choices', { build: { mode: 'never' } }, 'build.mode', 'neverBuild'],
    ['durations', { eventTimeout: '5' }, 'eventTimeout', 'duration'],
    ['names', { minReplica: 1 }, 'minReplica', 'minReplicas'],
    ['entries', { env: [{ name: 'A' }, { value: 'x' }] }, 'env[1].name', 'set'],
    [
      'attributes',
      { triggers: { a: { kind: 'http', attributes: { port: 70000 } } } },
      'triggers.a.attributes.port',
      'At most',
    ],
    [
      'attributes of another kind',
      { triggers: { a: { kind: 'cron', attributes: { port: 1 } } } },
      'triggers.a.attributes.port',
      'no field',
    ],
  ];
  it.each(cases)('looks at %s', (_, value, path, message) => {
    const wrongs = validate(value, specSchema);
    expect(wrongs.map((each) => pathText(each.path))).toEqual([path]);
    expect(wrongs[0]?.message).toContain(message);
  });
  it('finds nothing in what is fine', () => {
    const fine = {
      runtime: 'python',
      eventTimeout: '1m30s',
      env: [{ name: 'A', value: '1' }],
      resources: { limits: { cpu: 1 } },
      triggers: { web: { kind: 'http', attributes: { cors: { enabled: true } } } },
    };
    expect(validate(fine, specSchema)).toEqual([]);
    expect(validate({ metadata: { name: 'a' }, spec: fine }, functionSchema)).toEqual([]);
  });
});

describe('differences', () => {
  const before = { a: 1, b: { c: [1, 2] }, d: 'x' };
  const after = { a: 2, b: { c: [1, 3, 4] }, e: true };
  it('tells them field by field', () => {
    expect(differences(before, after).map((each) => [pathText(each.path), each.before, each.after])).toEqual([
      ['a', 1, 2],
      ['b.c[1]', 2, 3],
      ['b.c[2]', undefined, 4],
      ['d', 'x', undefined],
      ['e', undefined, true],
    ]);
  });
  it('can be done again on another value, where lists are one thing', () => {
    const theirs = { ...before, f: 'new', b: { c: [9], g: 1 } };
    expect(withDifferences(theirs, differences(before, after, 'whole'))).toEqual({
      ...after,
      b: { c: [1, 3, 4], g: 1 },
      f: 'new',
    });
  });
});

describe('withValue', () => {
  it('changes a copy', () => {
    const value = { a: [{ b: 1 }] };
    expect(withValue(value, ['a', 0, 'b'], 2)).toEqual({ a: [{ b: 2 }] });
    expect(withValue(value, ['a', 0], undefined)).toEqual({ a: [] });
    expect(withValue(undefined, ['x', 'y'], 1)).toEqual({ x: { y: 1 } });
    expect(value).toEqual({ a: [{ b: 1 }] });
  });
});

describe('withoutSecrets', () => {
  it('hides what is secret, however deep', () => {
    const value = { triggers: { k: { kind: 'kafka-cluster', attributes: { sasl: { user: 'ann', password: 'x' } } } } };
    expect(withoutSecrets(value, specSchema, '?')).toEqual({
      triggers: { k: { kind: 'kafka-cluster', attributes: { sasl: { user: 'ann', password: '?' } } } },
    });
  });
});

describe('the schema', () => {
  it('is one that this knows all of', () => {
    const known =
      'type description properties additionalProperties required items enum minimum maximum pattern default writeOnly deprecated allOf'.split(
        ' ',
      );
    const unknown = new Set<string>();
    const look = (schema: Schema) => {
      for (const key of Object.keys(schema)) if (!known.includes(key)) unknown.add(key);
      Object.values(schema.properties ?? {}).forEach(look);
      if (schema.items) look(schema.items);
      if (typeof schema.additionalProperties === 'object') look(schema.additionalProperties);
      for (const each of schema.allOf ?? []) look(each.then);
    };
    look(specSchema);
    expect([...unknown]).toEqual([]);
  });
  it('says what it does not describe, and what has no effect', () => {
    const fields = specSchema.properties ?? {};
    expect(isFree(fields['resources'] ?? {})).toBe(true);
    expect(isFree(fields['sidecars'] ?? {})).toBe(true);
    expect(isFree(fields['env'] ?? {})).toBe(false);
    expect(isIdle(fields['avatar'] ?? {})).toBe(true);
    expect(isIdle(triggerSchema.properties?.['maxWorkers'] ?? {})).toBe(true);
    expect(isIdle(fields['handler'] ?? {})).toBe(false);
  });
  it('is walked along a path', () => {
    const value = { triggers: { t: { kind: 'cron' } } };
    expect(schemaAt(specSchema, value, ['triggers', 't', 'attributes', 'interval'])?.default).toBe('0s');
    expect(schemaAt(specSchema, value, ['triggers', 't', 'attributes', 'port'])).toBeUndefined();
    expect(schemaAt(specSchema, value, ['env', 0, 'name'])?.type).toBe('string');
  });
  it('is searched by name and description, within fields too', () => {
    expect(mentions(specSchema.properties?.['build'] ?? {}, 'build', ['dockerfile'])).toBe(true);
    expect(mentions(specSchema.properties?.['env'] ?? {}, 'env', ['dockerfile'])).toBe(false);
  });
  it('knows what was meant', () => {
    expect(nearest('hanlder', ['handler', 'runtime'])).toBe('handler');
    expect(nearest('xyz', ['handler', 'runtime'])).toBe('');
  });
});

describe('YamlText', () => {
  const text = '# mine\nspec:\n  env:\n    - name: A # first\n      value: x\n  minReplicas: 1\n';
  it('knows the line of a path, or of the nearest there is', () => {
    const yaml = new YamlText(text);
    expect(yaml.lineOf(['spec', 'env', 0, 'value'])).toBe(5);
    expect(yaml.lineOf(['spec', 'env', 0, 'nothing'])).toBe(4);
    expect(yaml.lineOf(['spec', 'minReplicas'])).toBe(6);
    expect(yaml.lineOf(['nothing'])).toBe(1);
  });
  it('keeps comments when something changes', () => {
    const yaml = new YamlText(text);
    const changed = yaml.changed(differences(yaml.value(), withValue(yaml.value(), ['spec', 'env', 0, 'value'], 'y')));
    expect(changed).toBe(text.replace('value: x', 'value: y'));
  });
  it('says where its form is wrong', () => {
    expect(new YamlText('a: [1\nb: 2\n').problems[0]?.line).toBeGreaterThan(0);
  });
});

describe('completionsAt', () => {
  const labels = (text: string) => {
    const at = text.indexOf('|');
    return completionsAt(text.replace('|', ''), at, functionSchema)?.choices.map((each) => each.label) ?? [];
  };
  it('has the fields of where one is', () => {
    expect(labels('|')).toEqual(['metadata', 'spec']);
    expect(labels('spec:\n  min|')).toContain('minReplicas');
    expect(labels('spec:\n  build:\n    base|')).toContain('baseImage');
    expect(labels('spec:\n  runtime: python\n  |')).not.toContain('runtime');
    expect(labels('spec:\n  env:\n    - |')).toEqual(['name', 'value', 'valueFrom']);
    expect(labels('spec:\n  env:\n    - name: A\n      |')).toEqual(['value', 'valueFrom']);
    expect(labels('spec:\n  env:\n  - name: A\n    |')).toEqual(['value', 'valueFrom']);
  });
  it('has the attributes of the kind that stands beside them', () => {
    const value = { spec: { triggers: { t: { kind: 'cron' } } } };
    const text = 'spec:\n  triggers:\n    t:\n      kind: cron\n      attributes:\n        ';
    const found = completionsAt(text, text.length, functionSchema, value);
    expect(found?.choices.map((each) => each.label)).toContain('interval');
  });
  it('has the values of a field', () => {
    expect(labels('spec:\n  disable: |')).toEqual(['true', 'false']);
    expect(labels('spec:\n  serviceType: N|')).toEqual(['ClusterIP', 'NodePort']);
  });
});
