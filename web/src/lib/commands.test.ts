// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { commands, keysOf, shownKeys } from './commands.svelte.ts';

const key = (name: string, init: KeyboardEventInit = {}) =>
  new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true, ...init });

describe('keysOf', () => {
  it.each([
    [key('g'), 'g'],
    [key('G', { shiftKey: true }), 'g'],
    [key('?', { shiftKey: true }), '?'],
    [key('k', { ctrlKey: true }), 'Mod+k'],
    [key('K', { ctrlKey: true, shiftKey: true }), 'Mod+Shift+k'],
    [key('Enter', { ctrlKey: true }), 'Mod+Enter'],
    [key('Enter', { shiftKey: true }), 'Shift+Enter'],
    [key('2', { altKey: true }), 'Alt+2'],
    [key(' '), 'Space'],
  ])('%#', (event, keys) => expect(keysOf(event)).toBe(keys));
  it('is shown key by key', () => {
    expect(shownKeys('g f')).toEqual(['g', 'f']);
    expect(shownKeys('Mod+Enter')).toEqual(['Ctrl ↵']);
    expect(shownKeys('Space')).toEqual(['Space']);
  });
});

describe('commands', () => {
  let done: string[];
  let ends: (() => void)[];
  const add = (keys: string, more: object = {}) =>
    ends.push(commands.add(() => [{ id: keys, title: keys, keys, run: () => done.push(keys), ...more }]));
  // Pressed on `target`; true when a command took it.
  function press(event: KeyboardEvent, target: Element = document.body): boolean {
    let taken = false;
    const hear = (each: KeyboardEvent) => (taken = commands.press(each));
    window.addEventListener('keydown', hear);
    target.dispatchEvent(event);
    window.removeEventListener('keydown', hear);
    return taken;
  }
  function element<K extends keyof HTMLElementTagNameMap>(name: K): HTMLElementTagNameMap[K] {
    return document.body.appendChild(document.createElement(name));
  }
  beforeEach(() => {
    done = [];
    ends = [];
    document.body.innerHTML = '';
  });
  afterEach(() => ends.forEach((end) => end()));

  it('runs what the key is for, until it is taken away', () => {
    add('j');
    expect(press(key('j'))).toBe(true);
    expect(press(key('x'))).toBe(false);
    ends.pop()?.();
    expect(press(key('j'))).toBe(false);
    expect(done).toEqual(['j']);
  });
  it('takes the latest of the same keys', () => {
    add('j');
    ends.push(commands.add(() => [{ id: 'own', title: '', keys: 'j', run: () => done.push('own') }]));
    press(key('j'));
    expect(done).toEqual(['own']);
  });
  it('hears two keys one after the other, but not late', () => {
    add('g f');
    add('f');
    const at = (name: string, when: number) => {
      const event = key(name);
      Object.defineProperty(event, 'timeStamp', { value: when });
      return press(event);
    };
    expect([at('g', 1000), at('f', 1500)]).toEqual([true, true]);
    expect(done).toEqual(['g f']);
    at('g', 5000);
    at('f', 9000);
    expect(done).toEqual(['g f', 'f']);
  });
  it('leaves keys to who types, but those with Mod and those that say so', () => {
    add('j');
    add('g f');
    add('Mod+s');
    add('Alt+1', { whileTyping: true });
    for (const field of [element('input'), element('textarea'), element('select')]) {
      expect(press(key('j'), field)).toBe(false);
      expect(press(key('g'), field)).toBe(false);
    }
    const field = element('input');
    press(key('s', { ctrlKey: true }), field);
    press(key('1', { altKey: true }), field);
    expect(done).toEqual(['Mod+s', 'Alt+1']);
  });
  it('sees a field in a shadow root', () => {
    add('j');
    const host = element('div');
    const field = host.attachShadow({ mode: 'open' }).appendChild(document.createElement('textarea'));
    field.focus();
    expect(press(key('j'), host)).toBe(false);
  });
  it('leaves Space and Enter to a button', () => {
    add('Space');
    expect(press(key(' '), element('button'))).toBe(false);
    expect(press(key(' '))).toBe(true);
  });
  it('does nothing behind a dialog, or with what somebody else took', () => {
    add('j');
    const taken = key('j');
    taken.preventDefault();
    expect(press(taken)).toBe(false);
    element('dialog').setAttribute('open', '');
    expect(press(key('j'))).toBe(false);
    expect(done).toEqual([]);
  });
});
