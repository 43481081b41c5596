// SPDX-License-Identifier: Apache-2.0
// Light or dark: the system's, until somebody says otherwise on this browser.

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'nuclio.theme';
const dark = window.matchMedia?.('(prefers-color-scheme: dark)');

function kept(): Theme {
  const text = window.localStorage.getItem(KEY);
  return text === 'light' || text === 'dark' ? text : 'system';
}

class ThemeState {
  chosen = $state<Theme>(kept());
  private systemIsDark = $state(dark?.matches ?? false);
  readonly isDark = $derived(this.chosen === 'dark' || (this.chosen === 'system' && this.systemIsDark));

  constructor() {
    dark?.addEventListener('change', (event) => (this.systemIsDark = event.matches));
  }
  choose(theme: Theme): void {
    this.chosen = theme;
    if (theme === 'system') window.localStorage.removeItem(KEY);
    else window.localStorage.setItem(KEY, theme);
  }
}

export const theme = new ThemeState();
