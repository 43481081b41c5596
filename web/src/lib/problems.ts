// SPDX-License-Identifier: Apache-2.0
// What is wrong with code, and where.

export interface Problem {
  line: number; // from 1
  column?: number; // from 1; the whole line when absent
  message: string;
  severity: 'error' | 'warning' | 'info';
}
