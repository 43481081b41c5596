// SPDX-License-Identifier: Apache-2.0
// Beside what it belongs to it is in sight already; on a narrow screen it is below, and is brought there.
export function bringToSight(element: HTMLElement | undefined): void {
  const isBelow = window.matchMedia('(max-width: 980px)').matches;
  element?.scrollIntoView({ block: isBelow ? 'start' : 'nearest' });
}
