// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.

// 0.4, 12, 3.4 k, 1.2 M
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e6) return `${trimmed(value / 1e6)} M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)} k`;
  return trimmed(value);
}
function trimmed(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

// 310 µs, 12 ms, 1.4 s, 2 min
export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0 s';
  if (value < 1e-3) return `${trimmed(value * 1e6)} µs`;
  if (value < 1) return `${trimmed(value * 1e3)} ms`;
  if (value < 120) return `${trimmed(value)} s`;
  return value < 7200 ? `${Math.round(value / 60)} min` : `${trimmed(value / 3600)} h`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  while (value >= 1024 && at + 1 < units.length) {
    value /= 1024;
    at++;
  }
  return `${trimmed(value)} ${units[at]}`;
}

// "just now", "5 min ago", "3 days ago", else the day
export function ago(when: Date, now = new Date()): string {
  const passed = (now.getTime() - when.getTime()) / 1000;
  if (passed < 10) return 'just now';
  if (passed < 120) return `${Math.round(passed)} s ago`;
  if (passed < 7200) return `${Math.round(passed / 60)} min ago`;
  if (passed < 48 * 3600) return `${Math.round(passed / 3600)} h ago`;
  if (passed < 30 * 86400) return `${Math.round(passed / 86400)} days ago`;
  return when.toISOString().slice(0, 10);
}

// 07:02:44.120, in the reader's own time
export function clock(when: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const thousandths = String(when.getMilliseconds()).padStart(3, '0');
  return `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}.${thousandths}`;
}
