// SPDX-License-Identifier: Apache-2.0
// What is said in passing. What went wrong stays until it is read.

import { messageOf } from './api.ts';

export interface Toast {
  id: number;
  kind: 'done' | 'failed';
  text: string;
  undo?: { label: string; run: () => void };
}

const DONE_MILLISECONDS = 6000;
const MOST = 4;

class Toasts {
  list = $state<Toast[]>([]);
  private next = 1;

  done(text: string, undo?: Toast['undo']): void {
    const id = this.add({ kind: 'done', text, ...(undo ? { undo } : {}) });
    setTimeout(() => this.close(id), DONE_MILLISECONDS);
  }
  // `what` was tried: "Deleting shop".
  failed(what: string, error: unknown): void {
    this.add({ kind: 'failed', text: `${what}: ${messageOf(error)}` });
  }
  close(id: number): void {
    this.list = this.list.filter((each) => each.id !== id);
  }
  private add(toast: Omit<Toast, 'id'>): number {
    const id = this.next++;
    this.list = [...this.list, { ...toast, id }].slice(-MOST);
    return id;
  }
}

export const toasts = new Toasts();
