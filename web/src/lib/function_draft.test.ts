// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import { editable, putInto, sectionsOf } from './function_draft.ts';
import { specSchema } from './function_schema.ts';
import type { FunctionObject } from './types.ts';

const object = (): FunctionObject => ({
  metadata: { name: 'a', namespace: 'n', labels: { x: 'y' }, annotations: {}, resourceVersion: '4' },
  spec: {
    description: '',
    runtime: 'python',
    disable: false,
    build: { path: '/x.py', functionSourceCode: 'Y29kZQ==' },
    triggers: { t: { kind: 'http', name: 't' } },
  },
  status: { state: 'ready' },
});

describe('editable', () => {
  it('has what a person configures', () => {
    expect(editable(object())).toEqual({
      metadata: { name: 'a', namespace: 'n', labels: { x: 'y' } },
      spec: { runtime: 'python', build: { path: '/x.py' }, triggers: { t: { kind: 'http', name: 't' } } },
    });
  });
});

describe('putInto', () => {
  it('keeps code and version, and only what differs from the defaults', () => {
    const it = object();
    putInto(it, { metadata: { name: 'a' }, spec: { runtime: 'cpp', disable: false, build: { path: '/x.py' } } });
    expect(it.metadata).toEqual({ name: 'a', namespace: 'n', labels: {}, annotations: {}, resourceVersion: '4' });
    expect(it.spec).toEqual({ runtime: 'cpp', build: { path: '/x.py', functionSourceCode: 'Y29kZQ==' } });
  });
  it('drops code that is to come from elsewhere now', () => {
    const it = object();
    putInto(it, { spec: { build: { path: 'https://x/y.zip', codeEntryType: 'archive' } } });
    expect(it.spec.build).toEqual({ path: 'https://x/y.zip', codeEntryType: 'archive' });
  });
  it('changes nothing when nothing was changed', () => {
    const it = object();
    putInto(it, editable(it));
    expect(editable(it)).toEqual(editable(object()));
    expect(it.spec.build?.functionSourceCode).toBe('Y29kZQ==');
  });
});

describe('sectionsOf', () => {
  it('has each field once, and only fields that there are', () => {
    const all = Object.values(sectionsOf()).flat();
    const fields = Object.keys(specSchema.properties ?? {}).filter((each) => each !== 'triggers');
    expect([...all].sort()).toEqual(fields.sort());
  });
});
