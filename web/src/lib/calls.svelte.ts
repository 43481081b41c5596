// SPDX-License-Identifier: Apache-2.0
// The calls that were made of functions since this page is open, and what came of them.

import { messageOf } from './api.ts';
import { callOf, type EventDraft } from './events.ts';
import { invoke, type Answer, type FunctionId } from './functions.ts';

export interface MadeCall {
  id: number;
  at: Date;
  event: EventDraft;
  answer?: Answer;
  error?: string; // when there is no answer
}

const MOST = 50; // of a function
// All that is kept of the bodies of a function's older answers: the last one has its own whole.
const KEPT_BODY_BYTES = 64 * 1024;

let made = $state.raw<Record<string, readonly MadeCall[]>>({});
let next = 1;

// The latest first.
export function callsOf(id: FunctionId): readonly MadeCall[] {
  return made[keyOf(id)] ?? [];
}
const keyOf = (id: FunctionId) => `${id.namespace}/${id.name}`;

function shortened(call: MadeCall): MadeCall {
  if (!call.answer || call.answer.body.length <= KEPT_BODY_BYTES) return call;
  return { ...call, answer: { ...call.answer, body: call.answer.body.slice(0, KEPT_BODY_BYTES), truncated: true } };
}

// Never throws but when `signal` ends it: what went wrong is in the call.
export async function makeCall(
  id: FunctionId,
  event: EventDraft,
  logs: boolean,
  signal?: AbortSignal,
): Promise<MadeCall> {
  const call: MadeCall = { id: next++, at: new Date(), event: { ...event } };
  try {
    call.answer = await invoke(id, callOf(event, logs ? 'debug' : undefined), signal);
  } catch (error) {
    if (signal?.aborted) throw error;
    call.error = messageOf(error);
  }
  const before = (made[keyOf(id)] ?? []).slice(0, MOST - 1).map(shortened);
  made = { ...made, [keyOf(id)]: [call, ...before] };
  return call;
}
