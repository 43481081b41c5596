// SPDX-License-Identifier: Apache-2.0
import type { FunctionObject } from '../../lib/types.ts';

// One to begin by. It lives as long as the screen, so that who looks at another and comes back finds what they chose.
export interface Way {
  readonly wantedName: string; // "" when there is none
  // Or what makes it when it is wanted; undefined as long as something is missing.
  readonly object: FunctionObject | (() => Promise<FunctionObject>) | undefined;
}
