// SPDX-License-Identifier: Apache-2.0
// What can be done from the keyboard and from the palette: the screen that is shown adds what it can, and takes it away
// when it goes.

import { untrack } from 'svelte';

export interface Command {
  id: string;
  title: string;
  keys?: string; // "Mod+Enter", "g f", "/"; Mod is Ctrl, or ⌘ on a Mac
  run: () => void;
  whileTyping?: boolean; // also when a field has the focus; keys with Mod always do
}

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
const SEQUENCE_MILLISECONDS = 1200;

class Commands {
  private sources = $state.raw<(() => Command[])[]>([]);
  readonly all = $derived(this.sources.flatMap((each) => each()));
  paletteOpen = $state(false);
  helpOpen = $state(false);

  // Call it in a component's $effect: what it returns takes them away.
  add(commands: () => Command[]): () => void {
    untrack(() => (this.sources = [...this.sources, commands]));
    return () => {
      this.sources = this.sources.filter((each) => each !== commands);
    };
  }

  private begun = '';
  private begunAt = 0;

  // True when a command has taken it.
  press(event: KeyboardEvent): boolean {
    if (event.defaultPrevented || event.isComposing) return false;
    const pressed = keysOf(event);
    const now = event.timeStamp;
    const sequence = this.begun !== '' && now - this.begunAt < SEQUENCE_MILLISECONDS ? `${this.begun} ${pressed}` : '';
    this.begun = '';
    const typing = isTyping(event.target);
    // What these do to what has the focus comes first.
    if (/^(Space|Enter)$/.test(pressed) && deepest(event.target)?.closest('button, a, summary')) return false;
    const modal = document.querySelector('dialog[open]') !== null;
    const fits = (keys: string) => (command: Command) =>
      command.keys === keys && (keys.includes('Mod+') || command.whileTyping || !typing);
    // The latest stands before what was there: a screen's own before the app's.
    const command =
      (sequence !== '' ? this.all.findLast(fits(sequence)) : undefined) ?? this.all.findLast(fits(pressed));
    if (command && !modal) {
      event.preventDefault();
      command.run();
      return true;
    }
    if (!typing && !modal && this.all.some((each) => each.keys?.startsWith(`${pressed} `))) {
      this.begun = pressed;
      this.begunAt = now;
      return true;
    }
    return false;
  }
}

function isTyping(target: EventTarget | null): boolean {
  const element = deepest(target);
  return (
    element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName))
  );
}
// The editor is in a shadow root, whose focus the document does not tell.
function deepest(target: EventTarget | null): Element | null {
  let element = target instanceof Element ? target : null;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element;
}

export function keysOf(event: KeyboardEvent): string {
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const key = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // What a letter with Shift is, the key says itself: "?".
  const shift = event.shiftKey && (event.key.length > 1 || mod) ? 'Shift+' : '';
  return `${mod ? 'Mod+' : ''}${event.altKey ? 'Alt+' : ''}${shift}${key}`;
}

export function shownKeys(keys: string): string[] {
  return keys.split(' ').map((each) =>
    each
      .replace('Mod+', isMac ? '⌘ ' : 'Ctrl ')
      .replace('Alt+', isMac ? '⌥ ' : 'Alt ')
      .replace('Shift+', '⇧ ')
      .replace('Enter', '↵'),
  );
}

export const commands = new Commands();
