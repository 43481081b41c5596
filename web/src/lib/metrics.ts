// SPDX-License-Identifier: Apache-2.0
// How a function has fared, step by step, as the dashboard remembers it.

import { getJson } from './api.ts';
import { within, type FunctionId } from './functions.ts';

export const COLUMNS = [
  'ratePerSecond',
  'errorsPerSecond',
  'p50Seconds',
  'p90Seconds',
  'p99Seconds',
  'queueWaitSeconds',
  'inFlight',
  'workers',
  'replicas',
  'memoryBytes',
] as const;
export type Column = (typeof COLUMNS)[number];

// A value for each step; null where nobody knows, and how long events took also where there were none.
export type Metrics = { [column in Column]: (number | null)[] } & {
  begin: string;
  stepSeconds: number;
  boundsSeconds: number[];
  durations: (number[] | null)[]; // events in each bucket, and above the last
};

export const RANGES = ['15m', '1h', '24h'] as const;
export type Range = (typeof RANGES)[number];
export const RANGE_SECONDS: Record<Range, number> = { '15m': 900, '1h': 3600, '24h': 86_400 };

export function getMetrics(id: FunctionId, since: string, signal?: AbortSignal): Promise<Metrics> {
  const path = `/api/v2/functions/${encodeURIComponent(id.name)}/metrics?since=${since}`;
  return getJson(path, { headers: within(id.namespace), ...(signal ? { signal } : {}) });
}

// How a trigger fares.
export interface TriggerFares {
  ratePerSecond: number;
  errorsPerSecond: number;
  inFlight: number;
  workers: number;
  idleWorkers: number;
  waiting: number; // events, for a worker
}
// By name; those of which a replica told.
export async function getTriggerFares(id: FunctionId, signal?: AbortSignal): Promise<Record<string, TriggerFares>> {
  const path = `/api/v2/functions/${encodeURIComponent(id.name)}/metrics/triggers`;
  const options = { headers: within(id.namespace), ...(signal ? { signal } : {}) };
  return (await getJson<{ triggers: Record<string, TriggerFares> }>(path, options)).triggers;
}

const beginOf = (metrics: Metrics) => Date.parse(metrics.begin) / 1000;

// When each step ended, in seconds since 1970.
export function timesOf(metrics: Metrics): number[] {
  const first = beginOf(metrics) + metrics.stepSeconds;
  return metrics.ratePerSecond.map((_, at) => first + at * metrics.stepSeconds);
}

// What is known, with what has become known since: the same number of steps, that end when the later ones do.
export function merged(have: Metrics, later: Metrics): Metrics {
  const step = have.stepSeconds;
  const length = have.ratePerSecond.length;
  const offset = (beginOf(later) - beginOf(have)) / step;
  if (later.stepSeconds !== step || !Number.isInteger(offset) || offset < 0) return have;
  const end = offset + later.ratePerSecond.length;
  const together = <T>(a: readonly (T | null)[], b: readonly (T | null)[]): (T | null)[] =>
    Array.from(
      { length: Math.max(end, length) },
      (_, at) => (at < offset || at >= end ? a[at] : b[at - offset]) ?? null,
    ).slice(-length);
  const columns = Object.fromEntries(COLUMNS.map((each) => [each, together(have[each], later[each])])) as {
    [column in Column]: (number | null)[];
  };
  const begin = new Date((beginOf(have) + Math.max(end - length, 0) * step) * 1000).toISOString();
  return { ...have, ...columns, begin, durations: together(have.durations, later.durations) };
}

export function isKnown(metrics: Metrics): boolean {
  return metrics.replicas.some((each) => each !== null);
}

export function lastOf(values: readonly (number | null)[]): number | null {
  return values.findLast((each) => each !== null) ?? null;
}
export function mostOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((each) => each !== null);
  return known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b));
}

// The buckets worth a row: those with events, and one more on either side. Undefined when there were none.
export function bucketsWithEvents(
  metrics: Metrics,
): { from: number; to: number; most: number; usual: number } | undefined {
  const sums = Array.from({ length: metrics.boundsSeconds.length + 1 }, (_, bucket) =>
    metrics.durations.reduce((sum, each) => sum + (each?.[bucket] ?? 0), 0),
  );
  const first = sums.findIndex((each) => each > 0);
  if (first < 0) return undefined;
  const last = sums.findLastIndex((each) => each > 0);
  const most = metrics.durations.reduce((max, each) => Math.max(max, ...(each ?? [0])), 0);
  return {
    from: Math.max(0, first - 1),
    to: Math.min(sums.length - 1, last + 1),
    most,
    usual: sums.indexOf(sums.reduce((a, b) => Math.max(a, b))),
  };
}

// What a bucket's events took, from and to; the last has no end.
export function boundsOf(metrics: Metrics, bucket: number): { from: number; to: number | undefined } {
  return { from: metrics.boundsSeconds[bucket - 1] ?? 0, to: metrics.boundsSeconds[bucket] };
}
