// SPDX-License-Identifier: Apache-2.0
// The same event many times, some at once, to see how a function bears it: from this browser, so it is no load test.

import { callOf, type EventDraft } from './events.ts';
import { invoke, type FunctionId } from './functions.ts';
import { measuredOf, summaryOf, type Measured, type Summary } from './latencies.ts';

export const MOST_EVENTS = 1000;
export const MOST_AT_ONCE = 20;
const SHOW_MILLISECONDS = 100;

export class Burst {
  running = $state(false);
  wanted = $state(0);
  done = $state(0);
  summary = $state.raw<Summary | undefined>(undefined);
  private abort: AbortController | undefined;

  async run(id: FunctionId, event: EventDraft, events: number, atOnce: number): Promise<void> {
    if (this.running) return;
    const abort = new AbortController();
    this.abort = abort;
    this.wanted = Math.min(events, MOST_EVENTS);
    this.done = 0;
    this.running = true;
    // The function tells where the time went to who asks for its log lines: for those of errors, so that it sends none.
    const what = callOf(event, 'error');
    const answers: string[] = []; // a status of each, or why there is none
    // What the browser itself measured, for a call may wait here for one of the few connections that it opens.
    const times: Measured[] = [];
    const take = (entries: PerformanceEntryList) => {
      for (const each of entries as PerformanceResourceTiming[])
        // One that was stopped has no beginning or no end.
        if (each.name.endsWith('/api/function_invocations') && each.requestStart > 0 && each.responseStart > 0)
          times.push(measuredOf(each));
    };
    const observer = new PerformanceObserver((list) => take(list.getEntries()));
    observer.observe({ type: 'resource' });
    const begin = performance.now();
    const show = () => {
      this.done = answers.length;
      this.summary = summaryOf(times, answers, performance.now() - begin);
    };
    const showing = setInterval(show, SHOW_MILLISECONDS);
    let left = this.wanted;
    const caller = async () => {
      while (left-- > 0 && !abort.signal.aborted) {
        try {
          answers.push(String((await invoke(id, what, abort.signal)).status));
        } catch (error) {
          if (!abort.signal.aborted) answers.push(error instanceof Error ? error.message : String(error));
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, MOST_AT_ONCE, this.wanted) }, caller));
    clearInterval(showing);
    // Entries come a little after their answers.
    await new Promise((resolve) => setTimeout(resolve, SHOW_MILLISECONDS));
    take(observer.takeRecords());
    observer.disconnect();
    performance.clearResourceTimings();
    show();
    this.running = false;
  }
  stop(): void {
    this.abort?.abort();
  }
}
