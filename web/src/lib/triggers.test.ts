// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';

import {
  aboutKind,
  kinds,
  listensTo,
  renamedTrigger,
  RUNNING_KINDS,
  triggerNameProblem,
  withDisabled,
  withoutTrigger,
  withTrigger,
  workersOf,
} from './triggers.ts';
import type { Trigger } from './types.ts';

const headers = import.meta.glob<string>('../../../src/spec/triggers/*.h', {
  eager: true,
  query: '?raw',
  import: 'default',
});

describe('kinds', () => {
  it('are those that the spec lists, each with what it does', () => {
    for (const kind of kinds) expect(aboutKind(kind), kind).not.toBe('');
    expect(kinds.slice(0, RUNNING_KINDS.length).sort()).toEqual([...RUNNING_KINDS].sort());
  });
  it('run when the processor implements them', () => {
    const running = Object.values(headers)
      .filter((text) => text.includes('kKind') && !text.includes('kInert'))
      .map((text) => /kKind = "([^"]*)"/.exec(text)?.[1]);
    expect(running.sort()).toEqual([...RUNNING_KINDS].sort());
  });
});

describe('listensTo', () => {
  const cases: [Trigger, string][] = [
    [{ kind: 'http', attributes: { port: 8080 } }, 'port 8080'],
    [{ kind: 'http', url: ':9000' }, ':9000'],
    [{ kind: 'cron', attributes: { interval: '5m' } }, 'every 5m'],
    [{ kind: 'cron', attributes: { interval: '0s', schedule: '@daily' } }, '@daily'],
    [{ kind: 'kafka', attributes: { topics: ['a', 'b'], brokers: ['k:9092'] } }, 'a, b @ k:9092'],
    [{ kind: 'mqtt', url: 'm:1883', attributes: { subscriptions: [{ topic: 'x/#', qos: 1 }] } }, 'x/# @ m:1883'],
    [{ kind: 'nats', attributes: { topic: 'orders' } }, 'orders'],
    [{ kind: 'kinesis' }, 'nothing yet'],
  ];
  it.each(cases)('%j', (trigger, text) => expect(listensTo(trigger)).toBe(text));
});

describe('changes', () => {
  const triggers = { a: { kind: 'http', name: 'a', numWorkers: 2 }, b: { kind: 'cron' } };
  it('keep the others and the order, and only what differs from the default', () => {
    expect(withTrigger(triggers, 'a', { kind: 'http', name: 'a', numWorkers: 1, attributes: { port: 0 } })).toEqual({
      a: { kind: 'http' },
      b: { kind: 'cron' },
    });
    expect(Object.keys(renamedTrigger(triggers, 'a', 'c'))).toEqual(['c', 'b']);
    expect(renamedTrigger(triggers, 'a', 'c')['c']).toEqual({ kind: 'http', numWorkers: 2 });
    expect(withoutTrigger(triggers, 'a')).toEqual({ b: { kind: 'cron' } });
    expect(withDisabled(withDisabled(triggers, 'b', true), 'b', false)).toEqual(triggers);
    expect(withDisabled(triggers, 'b', true)['b']).toEqual({ kind: 'cron', disabled: true });
  });
  it('need a name of their own', () => {
    expect(triggerNameProblem('web', ['a'])).toBe('');
    for (const name of ['', 'a', 'A b']) expect(triggerNameProblem(name, ['a'])).not.toBe('');
  });
  it('count workers by the older name, too', () => {
    expect([{ kind: 'http' }, { kind: 'http', maxWorkers: 3 }, { kind: 'http', numWorkers: 2 }].map(workersOf)).toEqual(
      [1, 3, 2],
    );
  });
});
