// SPDX-License-Identifier: Apache-2.0
// One function, as its screen shows it: what the stream says of it, and all of its spec, asked for when it has changed.

import { untrack } from 'svelte';

import { texts } from '../texts.ts';
import { ApiError, messageOf } from './api.ts';
import { getFunction, LONGEST_DEPLOY_SECONDS, projectOf, putFunction, type FunctionId } from './functions.ts';
import { keyOf, live } from './live.svelte.ts';
import { session } from './session.svelte.ts';
import { isSettled, stateOf } from './states.ts';
import type { FunctionObject } from './types.ts';

// While the stream is away; it is tried again every ten seconds at the least.
const ASK_MILLISECONDS = 10_000;

export class FunctionPage {
  readonly id: FunctionId;
  // With its whole spec, as the server has it; a change of it is made on a copy.
  object = $state.raw<FunctionObject | undefined>(undefined);
  error = $state('');
  // The tab that is shown has changes that are not deployed.
  unsaved = $state(false);

  constructor(id: FunctionId) {
    this.id = id;
  }

  // As the stream tells it: state, replicas, addresses.
  readonly brief = $derived.by(() => live.function(this.id.name, this.id.namespace) ?? this.object);
  readonly key = $derived.by(() => (this.brief ? keyOf(this.brief) : `${this.id.namespace}/${this.id.name}`));
  readonly state = $derived(this.brief ? stateOf(this.brief) : '');
  readonly settled = $derived(isSettled(this.state));
  readonly fares = $derived(live.faresOf(this.key));
  readonly build = $derived(live.buildOf(this.key));
  readonly project = $derived(this.brief ? projectOf(this.brief) : '');
  readonly mayChange = $derived(session.may('developer', this.project));

  // Call it in an $effect: asks whenever the stream tells of another version than what is shown. Of one that it has told
  // of already it is not asked again, though what was asked for may be newer than what the stream knows.
  follow(): void {
    const version = this.brief?.metadata.resourceVersion ?? '';
    untrack(() => {
      if (version === this.told) return;
      this.told = version;
      const has = version !== '' && version === this.object?.metadata.resourceVersion;
      if (!has || this.error !== '') void this.load();
    });
  }
  private told: string | undefined;
  private asked = 0;
  // What was answered: undefined when it was an error.
  async load(): Promise<FunctionObject | undefined> {
    const turn = ++this.asked;
    try {
      const object = await getFunction(this.id);
      // Answers may come in another order than they were asked for.
      if (turn === this.asked) {
        this.object = object;
        this.error = '';
      }
      return object;
    } catch (error) {
      if (turn === this.asked) this.error = messageOf(error);
      // Nobody was heard: whatever the stream tells next, once it is back, is a reason to ask again.
      if (error instanceof ApiError && error.status === 0) this.told = undefined;
      return undefined;
    }
  }

  // The function once no deploy is on its way, in another version than `after`: as the stream tells, or as it is asked
  // for now and then while there is no stream. It takes no longer than a deploy may.
  untilSettled(after?: string): Promise<FunctionObject> {
    const begin = Date.now();
    return new Promise((resolve, reject) => {
      const take = (it: FunctionObject | undefined) => {
        if (!it || !isSettled(stateOf(it)) || it.metadata.resourceVersion === after) return;
        stop();
        resolve(it);
      };
      const look = () => {
        if (Date.now() - begin >= LONGEST_DEPLOY_SECONDS * 1000) {
          stop();
          reject(new ApiError(0, texts.function.notSettled(this.id.name, texts.states[this.state] ?? this.state)));
        } else if (live.connection !== 'live') void this.load().then(take);
      };
      const looking = setInterval(look, ASK_MILLISECONDS);
      const end = $effect.root(() => {
        $effect(() => take(this.brief));
      });
      const stop = () => {
        clearInterval(looking);
        queueMicrotask(end);
      };
    });
  }

  // Deploys what `change` makes of a copy; the error is the caller's to show, and nothing was changed then: unless it is
  // waited for the end, when ApiError 500 says how the deploy failed.
  async deploy(change: (object: FunctionObject) => void, until: 'begun' | 'settled' = 'begun'): Promise<void> {
    const object = $state.snapshot(this.object) as FunctionObject | undefined;
    if (!object) return;
    change(object);
    // What was shown is what was changed; who changed it meanwhile is not overwritten unknowingly.
    await putFunction(object, until);
    // The next change is of what there is now, and does not wait for the stream to tell of it.
    if (until === 'settled') await this.load();
  }
}
