// SPDX-License-Identifier: Apache-2.0
// Events that are kept on the server for a function.

import { call, getJson } from './api.ts';
import type { FunctionId } from './functions.ts';
import type { FunctionEvent } from './types.ts';

const PATH = '/api/function_events';
const FUNCTION_LABEL = 'nuclio.io/function-name';

function within(namespace: string): Record<string, string> {
  return namespace === '' ? {} : { 'X-Nuclio-Function-Event-Namespace': namespace };
}

export function titleOf(event: FunctionEvent): string {
  return event.spec.displayName || event.metadata.name;
}

// By their titles.
export async function getEvents(id: FunctionId): Promise<FunctionEvent[]> {
  const headers = { ...within(id.namespace), 'X-Nuclio-Function-Name': id.name };
  const events = Object.values(await getJson<Record<string, FunctionEvent>>(PATH, { headers }));
  const compare = new Intl.Collator('en', { numeric: true }).compare;
  return events.sort((a, b) => compare(titleOf(a), titleOf(b)));
}

// With the name of `event` when it has one; the server gives it one otherwise.
export async function createEvent(id: FunctionId, spec: FunctionEvent['spec'], name = ''): Promise<FunctionEvent> {
  const metadata = { ...(name === '' ? {} : { name }), labels: { [FUNCTION_LABEL]: id.name } };
  const response = await call('POST', PATH, { body: { metadata, spec }, headers: within(id.namespace) });
  return (await response.json()) as FunctionEvent;
}
export async function updateEvent(event: FunctionEvent): Promise<void> {
  await call('PUT', PATH, { body: event });
}
export async function deleteEvent(event: FunctionEvent): Promise<void> {
  await call('DELETE', PATH, { body: { metadata: event.metadata } });
}
