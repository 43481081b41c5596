// SPDX-License-Identifier: Apache-2.0
// Who the caller is, and what they may: for what is shown. What is done the server decides.

import { call, getJson, whenLoggedOut } from './api.ts';
import type { Role, Session } from './types.ts';

const RANK: Record<Role, number> = { viewer: 0, developer: 1, admin: 2 };

class SessionState {
  current = $state<Session | undefined>(undefined);
  // Was logged in, and is no longer: what was typed is still there behind the login.
  expired = $state(false);

  constructor() {
    whenLoggedOut(() => {
      if (!this.current?.loggedIn) return false;
      this.take({ ...this.current, loggedIn: false });
      return true;
    });
  }
  private take(session: Session): void {
    if (this.current?.loggedIn && !session.loggedIn) this.expired = true;
    this.current = session;
  }

  readonly mustLogIn = $derived(this.current !== undefined && this.current.login.required && !this.current.loggedIn);

  async load(): Promise<void> {
    this.take(await getJson<Session>('/api/v2/session'));
  }
  async logIn(body: { username: string; password: string } | { token: string }): Promise<void> {
    await call('POST', '/api/v2/session', { body });
    this.expired = false;
    await this.load();
  }
  // What the page knows by then is left to the caller.
  async logOut(): Promise<void> {
    await call('DELETE', '/api/v2/session');
  }

  // Whether it is worth offering. Where the cluster or an agent decides, there are no grants here to look at, and the
  // server answers.
  may(role: Role, project: string): boolean {
    const session = this.current;
    if (!session) return false;
    if (!session.login.required) return true;
    const grants = session.grants ?? [];
    if (grants.length === 0) return session.loggedIn;
    return grants.some((each) => RANK[each.role] >= RANK[role] && (each.project === '*' || each.project === project));
  }
}

export const session = new SessionState();
