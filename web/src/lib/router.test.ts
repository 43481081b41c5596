// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { followLinks, functionPath, placeOf, router } from './router.svelte.ts';

const place = (to: string) => {
  const url = new URL(to, 'http://x');
  return placeOf(url.pathname, url.searchParams);
};

describe('placeOf', () => {
  it.each([
    ['/', { screen: 'functions' }],
    ['/functions', { screen: 'functions' }],
    ['/projects/', { screen: 'projects' }],
    ['/new', { screen: 'new' }],
    ['/settings', { screen: 'settings', tab: 'tokens' }],
    ['/settings/about', { screen: 'settings', tab: 'about' }],
    ['/functions/shop', { screen: 'function', name: 'shop', namespace: '', tab: 'code' }],
    ['/functions/shop/logs?level=warn', { screen: 'function', name: 'shop', namespace: '', tab: 'logs' }],
    ['/functions/a%20b/test?namespace=n', { screen: 'function', name: 'a b', namespace: 'n', tab: 'test' }],
    ['/functions/100%/code', { screen: 'function', name: '100%', namespace: '', tab: 'code' }],
  ])('%s', (to, expected) => expect(place(to)).toEqual(expected));
  it.each(['/elsewhere', '/new/x', '/settings/users', '/settings/about/x', '/functions/shop/x', '/functions/a/logs/b'])(
    '%s is nowhere',
    (to) => expect(place(to)).toEqual({ screen: 'nowhere', path: to }),
  );
});

describe('functionPath', () => {
  it.each([
    [functionPath('shop'), '/functions/shop'],
    [functionPath('shop', '', 'logs'), '/functions/shop/logs'],
    [functionPath('shop', 'n m'), '/functions/shop?namespace=n%20m'],
    [functionPath('a/b', 'n', 'test'), '/functions/a%2Fb/test?namespace=n'],
  ])('%s', (path, expected) => expect(path).toBe(expected));
  it('leads to where it says', () => {
    expect(place(functionPath('a/b', 'n', 'metrics'))).toEqual({
      screen: 'function',
      name: 'a/b',
      namespace: 'n',
      tab: 'metrics',
    });
  });
});

describe('router', () => {
  // Which jsdom does not have.
  beforeEach(() => void vi.spyOn(window, 'scrollTo').mockReturnValue());
  afterEach(() => {
    router.go('/');
    vi.restoreAllMocks();
  });
  it('goes, and comes back', async () => {
    router.go('/settings/about');
    expect(router.place).toEqual({ screen: 'settings', tab: 'about' });
    const back = new Promise((then) => window.addEventListener('popstate', then, { once: true }));
    window.history.back();
    await back;
    expect(router.place).toEqual({ screen: 'functions' });
  });
  it('keeps one value of the query without a step in the history', () => {
    router.go('/functions?q=a');
    const steps = window.history.length;
    router.setQuery('state', 'ready');
    expect(window.location.search).toBe('?q=a&state=ready');
    router.setQuery('q', '');
    router.setQuery('state', '');
    expect(window.location.search).toBe('');
    expect(window.history.length).toBe(steps);
  });
  it('asks before it leaves what is unsaved, and stays when it may not', () => {
    router.go('/new');
    const end = router.guard(() => false);
    const ask = vi.spyOn(window, 'confirm').mockReturnValue(false);
    router.go('/projects');
    expect(router.place.screen).toBe('new');
    router.setQuery('from', 'file');
    expect(ask).toHaveBeenCalledTimes(1);
    ask.mockReturnValue(true);
    router.go('/projects');
    expect(router.place.screen).toBe('projects');
    end();
    router.go('/new');
    expect(ask).toHaveBeenCalledTimes(2);
  });
  it('follows plain clicks on its own links alone', () => {
    const click = (markup: string, init: MouseEventInit = {}) => {
      document.body.innerHTML = markup;
      const link = document.querySelector('a');
      const event = new MouseEvent('click', { bubbles: true, cancelable: true, ...init });
      // What is left to the browser jsdom does not do.
      document.body.addEventListener(
        'click',
        (each) => {
          followLinks(each);
          each.preventDefault();
        },
        { once: true },
      );
      const before = router.place.screen;
      link?.firstElementChild?.dispatchEvent(event);
      return router.place.screen !== before;
    };
    expect(click('<a href="/projects"><b>P</b></a>')).toBe(true);
    expect(click('<a href="/new"><b>N</b></a>', { ctrlKey: true })).toBe(false);
    expect(click('<a href="/new" target="_blank"><b>N</b></a>')).toBe(false);
    expect(click('<a href="http://elsewhere/new"><b>N</b></a>')).toBe(false);
    expect(click('<a href="/api/functions"><b>N</b></a>')).toBe(false);
    expect(click('<a href="/new" download><b>N</b></a>')).toBe(false);
  });
});
