// SPDX-License-Identifier: Apache-2.0
import type { FunctionObject } from './types.ts';

// What is shown of it: one that is deployed without replicas is paused.
export function stateOf(object: FunctionObject): string {
  const state = object.status?.state ?? '';
  if (object.spec.disable && (state === 'ready' || state === 'scaledToZero')) return 'disabled';
  return state === '' ? 'none' : state;
}

export type Tone = 'good' | 'bad' | 'busy' | 'quiet';
export function toneOf(state: string): Tone {
  if (state === 'ready') return 'good';
  if (state === 'error' || state === 'unhealthy') return 'bad';
  return ['scaledToZero', 'imported', 'disabled'].includes(state) ? 'quiet' : 'busy';
}

// Whether a change may be made: nothing is on its way.
export function isSettled(state: string): boolean {
  return toneOf(state) !== 'busy' || state === 'none';
}
