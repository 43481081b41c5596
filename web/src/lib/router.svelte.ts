// SPDX-License-Identifier: Apache-2.0
// Where one is: the address bar says it, so that every place has a link and Back goes back.

import { texts } from '../texts.ts';

export const FUNCTION_TABS = ['code', 'configuration', 'triggers', 'test', 'logs', 'metrics', 'revisions'] as const;
export type FunctionTab = (typeof FUNCTION_TABS)[number];
export const SETTINGS_TABS = ['tokens', 'access', 'platform', 'about'] as const;
export type SettingsTab = (typeof SETTINGS_TABS)[number];

export type Place =
  | { screen: 'functions' }
  | { screen: 'projects' }
  | { screen: 'new' }
  | { screen: 'function'; name: string; namespace: string; tab: FunctionTab }
  | { screen: 'settings'; tab: SettingsTab }
  | { screen: 'nowhere'; path: string };

function oneOf<T extends string>(choices: readonly T[], text: string | undefined): T | undefined {
  return choices.find((each) => each === text);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function placeOf(path: string, query: URLSearchParams): Place {
  const nowhere: Place = { screen: 'nowhere', path };
  const [first = '', second, third, ...rest] = path.split('/').filter(Boolean).map(decoded);
  if (rest.length > 0) return nowhere;
  switch (first) {
    case '':
      return { screen: 'functions' };
    case 'projects':
    case 'new':
      return second === undefined ? { screen: first } : nowhere;
    case 'functions': {
      if (second === undefined) return { screen: 'functions' };
      const tab = oneOf(FUNCTION_TABS, third ?? 'code');
      return tab ? { screen: 'function', name: second, namespace: query.get('namespace') ?? '', tab } : nowhere;
    }
    case 'settings': {
      const tab = oneOf(SETTINGS_TABS, second ?? 'tokens');
      return tab && third === undefined ? { screen: 'settings', tab } : nowhere;
    }
    default:
      return nowhere;
  }
}

// The link to a function's screen. A namespace of "" is the dashboard's own.
export function functionPath(name: string, namespace = '', tab: FunctionTab = 'code'): string {
  const query = namespace === '' ? '' : `?namespace=${encodeURIComponent(namespace)}`;
  return `/functions/${encodeURIComponent(name)}${tab === 'code' ? '' : `/${tab}`}${query}`;
}

class Router {
  private location = $state({ path: window.location.pathname, search: window.location.search });
  // Asked before one leaves; false keeps one where one is.
  private guards = new Set<() => boolean>();

  readonly query = $derived(new URLSearchParams(this.location.search));
  readonly place = $derived(placeOf(this.location.path, this.query));

  constructor() {
    window.addEventListener('popstate', () => this.back());
    window.addEventListener('beforeunload', (event) => {
      if ([...this.guards].some((each) => !each())) event.preventDefault();
    });
  }

  go(to: string, how: 'push' | 'replace' = 'push'): void {
    const url = new URL(to, window.location.href);
    const leaves = url.pathname !== this.location.path;
    if (leaves && !this.mayLeave()) return;
    if (how === 'push') window.history.pushState(null, '', url);
    else window.history.replaceState(null, '', url);
    this.read();
    if (leaves) window.scrollTo(0, 0);
  }
  // One value of the query, kept in the address without a step in the history. "" removes it.
  setQuery(name: string, value: string): void {
    const query = new URLSearchParams(this.location.search);
    if (value === '') query.delete(name);
    else query.set(name, value);
    const text = query.toString();
    this.go(this.location.path + (text === '' ? '' : `?${text}`), 'replace');
  }

  // While something is unsaved; returns the end of it.
  guard(mayLeave: () => boolean): () => void {
    this.guards.add(mayLeave);
    return () => this.guards.delete(mayLeave);
  }
  question = texts.app.leave;

  // Asks, when something is unsaved.
  mayLeave(): boolean {
    return [...this.guards].every((each) => each()) || window.confirm(this.question);
  }
  // The page with nothing in its memory, at the same address. Does not ask.
  beginAnew(): void {
    this.guards.clear();
    window.location.reload();
  }
  // The browser has gone already; who stays gets the address again that they had.
  private back(): void {
    const { path, search } = this.location;
    if (window.location.pathname !== path && !this.mayLeave()) window.history.pushState(null, '', path + search);
    this.read();
  }
  private read(): void {
    this.location = { path: window.location.pathname, search: window.location.search };
  }
}

export const router = new Router();

// For links: plain clicks stay on the page, and all others are the browser's.
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = (event.target as Element | null)?.closest?.('a[href]') as HTMLAnchorElement | null;
  if (!link || link.target !== '' || link.hasAttribute('download') || link.origin !== window.location.origin) return;
  if (link.pathname.startsWith('/api')) return;
  event.preventDefault();
  router.go(link.href);
}
