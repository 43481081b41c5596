// SPDX-License-Identifier: Apache-2.0
// What there is and how it fares, as the dashboard's one stream of events tells it. Whoever shows something reads it
// here; nobody polls.

import type { Fares, FunctionObject, LogLine, Project } from './types.ts';

export interface LoggedLines {
  function: string;
  namespace: string;
  replica: string;
  lines: string[];
  begins: boolean; // the first of this replica since the connection was made, which repeats what was told before
}
type OnLog = (logged: LoggedLines) => void;

export type Connection = 'connecting' | 'live' | 'lost';

// Of a function's build; a failing one may go on for long.
const MAX_BUILD_LINES = 5000;
// Changes are shown at most so often, however many come: a deploy of a thousand functions is not a thousand renderings.
const SHOW_MILLISECONDS = 100;
const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 10_000;
export const RATES_KEPT = 60;

interface Named {
  name: string;
  namespace?: string;
}
interface Described {
  metadata: Named;
}
export function keyOf(object: Described): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
const keyIn = (it: Named) => keyOf({ metadata: it });

export class Live {
  connection = $state<Connection>('connecting');
  // What there is has been told, at least once: an empty list is one.
  known = $state(false);
  // Said by the server when it ended the stream itself.
  reason = $state('');
  // The maps below are plain, and read through these functions: what was read is computed again when `version` changes.
  private version = $state(0);
  private shownFunctions = new Map<string, FunctionObject>();
  private shownProjects = new Map<string, Project>();
  private fares = new Map<string, Fares>();
  private rates = new Map<string, number[]>();
  private builds = new Map<string, LogLine[]>();

  private source: EventSource | undefined;
  private pending: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private pause = FIRST_PAUSE_MILLISECONDS;
  private incoming: { functions: Map<string, FunctionObject>; projects: Map<string, Project> } | undefined;
  private listeners = new Map<string, Set<OnLog>>(); // by function
  private begun = new Set<string>(); // replicas of which this connection has told
  private wantedLogs = '';

  functions(): ReadonlyMap<string, FunctionObject> {
    void this.version;
    return this.shownFunctions;
  }
  function(name: string, namespace: string): FunctionObject | undefined {
    void this.version;
    const exact = this.shownFunctions.get(`${namespace}/${name}`);
    if (exact !== undefined || namespace !== '') return exact;
    return [...this.shownFunctions.values()].find((each) => each.metadata.name === name);
  }
  projects(): ReadonlyMap<string, Project> {
    void this.version;
    return this.shownProjects;
  }
  faresOf(key: string): Fares | undefined {
    void this.version;
    return this.fares.get(key);
  }
  // Events per second, oldest first, since this page listens.
  ratesOf(key: string): readonly number[] {
    void this.version;
    return this.rates.get(key) ?? [];
  }
  buildOf(key: string): readonly LogLine[] {
    void this.version;
    return this.builds.get(key) ?? [];
  }

  start(): void {
    if (this.source === undefined && this.retry === undefined) this.connect();
  }
  stop(): void {
    this.source?.close();
    this.source = undefined;
    clearTimeout(this.retry);
    this.retry = undefined;
    this.connection = 'connecting';
  }

  // What a function logs from now on, with its last lines at first. At most eight functions at once. Returns the end.
  followLogs(name: string, onLog: OnLog): () => void {
    const those = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, those.add(onLog));
    this.reconnectForLogs();
    return () => {
      those.delete(onLog);
      if (those.size === 0 && this.listeners.get(name) === those) this.listeners.delete(name);
      this.reconnectForLogs();
    };
  }
  // A screen that goes and one that comes ask for the same: one connection is enough for both.
  private reconnectForLogs(): void {
    queueMicrotask(() => {
      if (this.source === undefined || this.logs() === this.wantedLogs) return;
      this.source.close();
      this.connect();
    });
  }
  private logs(): string {
    return [...this.listeners.keys()].sort().slice(0, 8).join(',');
  }

  private connect(): void {
    this.wantedLogs = this.logs();
    this.begun.clear();
    const query = new URLSearchParams({ metrics: '*' });
    if (this.wantedLogs !== '') query.set('logs', this.wantedLogs);
    const source = new EventSource(`/api/v2/events?${query}`);
    this.source = source;
    const on = (name: string, take: (data: never) => void) =>
      source.addEventListener(name, (event) => {
        if (this.source === source) take(JSON.parse((event as MessageEvent<string>).data) as never);
      });
    on('snapshot', () => (this.incoming = { functions: new Map(), projects: new Map() }));
    on('synced', () => this.synced());
    on('function', (it: FunctionObject) => this.take((to) => to.functions.set(keyOf(it), it)));
    on('project', (it: Project) => this.take((to) => to.projects.set(keyOf(it), it)));
    on('function-gone', (it: Described) => this.gone(keyOf(it)));
    on('project-gone', (it: Described) => this.take((to) => to.projects.delete(keyOf(it))));
    on('metrics', (it: Named & Fares) => this.takeFares(keyIn(it), it));
    on('build', (it: Named & { begin?: boolean; lines: LogLine[] }) => this.takeBuild(keyIn(it), it));
    on('log', (it: Named & { replica: string; lines: string[] }) => this.tellLog(it));
    on('end', (it: { reason: string }) => {
      this.reason = it.reason;
      this.lost(source);
    });
    source.onerror = () => this.lost(source);
  }

  private synced(): void {
    if (this.incoming) {
      this.shownFunctions = this.incoming.functions;
      this.shownProjects = this.incoming.projects;
      this.incoming = undefined;
    }
    this.connection = 'live';
    this.known = true;
    this.reason = '';
    this.pause = FIRST_PAUSE_MILLISECONDS;
    this.show();
  }
  // What a snapshot says stands beside what is shown until there is all of it.
  private take(change: (to: { functions: Map<string, FunctionObject>; projects: Map<string, Project> }) => void): void {
    change(this.incoming ?? { functions: this.shownFunctions, projects: this.shownProjects });
    if (!this.incoming) this.showSoon();
  }
  private gone(key: string): void {
    this.take((to) => to.functions.delete(key));
    for (const each of [this.fares, this.rates, this.builds]) each.delete(key);
  }
  // Lists of their own each time: who shows one sees by that that it has grown.
  private takeFares(key: string, fares: Fares): void {
    this.fares.set(key, fares);
    this.rates.set(key, [...(this.rates.get(key) ?? []), fares.ratePerSecond ?? 0].slice(-RATES_KEPT));
    this.showSoon();
  }
  private takeBuild(key: string, build: { begin?: boolean; lines: LogLine[] }): void {
    const before = build.begin ? [] : (this.builds.get(key) ?? []);
    this.builds.set(key, [...before, ...build.lines].slice(-MAX_BUILD_LINES));
    this.showSoon();
  }
  private tellLog(logged: Named & { replica: string; lines: string[] }): void {
    const { name, namespace = '', replica, lines } = logged;
    const begins = !this.begun.has(replica);
    this.begun.add(replica);
    for (const each of this.listeners.get(name) ?? []) each({ function: name, namespace, replica, lines, begins });
  }

  private lost(source: EventSource): void {
    if (this.source !== source) return;
    source.close();
    this.source = undefined;
    this.incoming = undefined;
    this.connection = 'lost';
    const pause = this.pause * (0.75 + Math.random() / 2);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MILLISECONDS);
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.connect();
    }, pause);
  }

  private showSoon(): void {
    this.pending ??= setTimeout(() => this.show(), SHOW_MILLISECONDS);
  }
  private show(): void {
    clearTimeout(this.pending);
    this.pending = undefined;
    this.version++;
  }
}

export const live = new Live();

export const isTaken = (name: string): boolean => live.function(name, '') !== undefined;
