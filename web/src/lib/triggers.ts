// SPDX-License-Identifier: Apache-2.0
// A function's triggers: which kinds there are, what one listens to, and what becomes of all when one changes.

import { texts } from '../texts.ts';
import { nameProblem } from './create.ts';
import { triggerSchema } from './function_schema.ts';
import { isObject, prune } from './schema.ts';
import type { Json, JsonObject, Trigger } from './types.ts';

export type Triggers = Record<string, Trigger>;
const t = texts.triggers;

// What the processor implements (src/processor/triggers); of the others the spec only knows the settings.
export const RUNNING_KINDS = ['http', 'cron', 'kickstart'];
// Older names of kinds, which mean the same.
const ALIASES: Record<string, string> = { kafka: 'kafka-cluster', rabbitMq: 'rabbit-mq' };

export const kinds: string[] = (triggerSchema.properties?.['kind']?.enum ?? [])
  .map(String)
  .filter((each) => !(each in ALIASES))
  .sort((a, b) => Number(RUNNING_KINDS.includes(b)) - Number(RUNNING_KINDS.includes(a)));

export function runs(kind: string): boolean {
  return RUNNING_KINDS.includes(kind);
}
export function aboutKind(kind: string): string {
  return t.kinds[ALIASES[kind] ?? kind] ?? '';
}
export function workersOf(trigger: Trigger): number {
  const { numWorkers, maxWorkers } = trigger;
  return numWorkers ?? (typeof maxWorkers === 'number' ? maxWorkers : 1);
}

// Where its events come from, in a few words. `servedPort` is the one that the platform has chosen, if any.
export function listensTo(trigger: Trigger, servedPort = 0): string {
  const { attributes = {}, url = '', kind } = trigger;
  const text = (name: string) => (typeof attributes[name] === 'string' ? attributes[name] : '');
  const list = (name: string) => (Array.isArray(attributes[name]) ? attributes[name] : []).map(named).join(', ');
  switch (ALIASES[kind] ?? kind) {
    case 'http': {
      const wanted = attributes['port'];
      const port = typeof wanted === 'number' && wanted > 0 ? wanted : servedPort;
      return url || (port > 0 ? t.port(String(port)) : t.anyPort);
    }
    case 'cron': {
      const interval = text('interval');
      return interval !== '' && interval !== '0s' ? t.every(interval) : text('schedule') || t.nothingYet;
    }
    case 'kickstart':
      return t.onStart;
    default: {
      const what =
        list('topics') ||
        list('subscriptions') ||
        ['topic', 'queueName', 'streamName', 'eventHubName', 'streamPath'].map(text).find((each) => each !== '');
      const where = list('brokers') || url || text('regionName') || text('namespace') || text('containerName');
      return [what ?? '', where].filter(Boolean).join(' @ ') || t.nothingYet;
    }
  }
}
function named(entry: Json): string {
  return isObject(entry) && typeof entry['topic'] === 'string' ? entry['topic'] : String(entry);
}

export function triggerNameProblem(name: string, others: string[]): string {
  if (name === '') return t.nameMissing;
  return others.includes(name) ? t.nameTaken(name) : nameProblem(name);
}

// In its place; at the end when it is new. Its name is its key, which the server fills in.
export function withTrigger(triggers: Triggers, name: string, trigger: Trigger): Triggers {
  const { name: _, ...rest } = trigger;
  const kept = prune(rest as JsonObject, triggerSchema) as Trigger | undefined;
  return { ...triggers, [name]: kept ?? { kind: trigger.kind } };
}
export function withoutTrigger(triggers: Triggers, name: string): Triggers {
  return Object.fromEntries(Object.entries(triggers).filter(([each]) => each !== name));
}
export function renamedTrigger(triggers: Triggers, from: string, to: string): Triggers {
  return Object.fromEntries(
    Object.entries(triggers).map(([name, trigger]) => {
      if (name !== from) return [name, trigger];
      const { name: _, ...rest } = trigger;
      return [to, rest as Trigger];
    }),
  );
}
export function withDisabled(triggers: Triggers, name: string, disabled: boolean): Triggers {
  const trigger = triggers[name];
  if (!trigger) return triggers;
  const { disabled: _, ...rest } = trigger;
  return { ...triggers, [name]: disabled ? { ...rest, kind: trigger.kind, disabled } : (rest as Trigger) };
}
