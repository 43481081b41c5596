// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Live, type LoggedLines } from './live.svelte.ts';

// A stream whose events the test sends.
class FakeSource extends EventTarget {
  static all: FakeSource[] = [];
  static get last(): FakeSource {
    return FakeSource.all.at(-1) as FakeSource;
  }
  closed = false;
  onerror: (() => void) | null = null;
  constructor(readonly url: string) {
    super();
    FakeSource.all.push(this);
  }
  close() {
    this.closed = true;
  }
  send(name: string, data: unknown = {}) {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }
  function(name: string, state = 'ready') {
    this.send('function', { metadata: { name, namespace: 'n' }, spec: {}, status: { state } });
  }
}

let live: Live;
const names = () => [...live.functions().values()].map((each) => each.metadata.name);
const soon = () => vi.advanceTimersByTime(100);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', FakeSource);
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  FakeSource.all = [];
  live = new Live();
});
afterEach(() => {
  live.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('what there is', () => {
  it('is shown once there is all of it', () => {
    live.start();
    expect(FakeSource.last.url).toBe('/api/v2/events?metrics=*');
    FakeSource.last.send('snapshot');
    FakeSource.last.function('a');
    soon();
    expect([names(), live.connection, live.known]).toEqual([[], 'connecting', false]);
    FakeSource.last.send('synced');
    expect([names(), live.connection, live.known]).toEqual([['a'], 'live', true]);
  });
  it('is known when it is nothing, and while the connection is lost', () => {
    live.start();
    FakeSource.last.send('snapshot');
    FakeSource.last.onerror?.();
    expect([live.connection, live.known]).toEqual(['lost', false]);
    vi.runOnlyPendingTimers();
    FakeSource.last.send('snapshot');
    FakeSource.last.send('synced');
    FakeSource.last.onerror?.();
    expect([names(), live.connection, live.known]).toEqual([[], 'lost', true]);
  });
  it('stays as it was until a new snapshot is whole', () => {
    live.start();
    FakeSource.last.send('snapshot');
    FakeSource.last.function('a');
    FakeSource.last.send('synced');
    FakeSource.last.send('snapshot');
    FakeSource.last.function('b');
    soon();
    expect(names()).toEqual(['a']);
    FakeSource.last.send('synced');
    expect(names()).toEqual(['b']);
  });
  it('changes, and goes', () => {
    live.start();
    FakeSource.last.send('snapshot');
    FakeSource.last.function('a', 'building');
    FakeSource.last.send('synced');
    FakeSource.last.function('a');
    FakeSource.last.send('metrics', { name: 'a', namespace: 'n', ratePerSecond: 3 });
    FakeSource.last.send('build', { name: 'a', namespace: 'n', begin: true, lines: [{ message: 'one' }] });
    const begun = live.buildOf('n/a');
    FakeSource.last.send('build', { name: 'a', namespace: 'n', lines: [{ message: 'two' }] });
    soon();
    expect(live.function('a', 'n')?.status?.state).toBe('ready');
    expect(live.function('a', '')?.status?.state).toBe('ready');
    expect(live.faresOf('n/a')?.ratePerSecond).toBe(3);
    expect(live.ratesOf('n/a')).toEqual([3]);
    expect(live.buildOf('n/a').map((each) => each.message)).toEqual(['one', 'two']);
    // Else nothing that shows it would notice.
    expect(live.buildOf('n/a')).not.toBe(begun);
    FakeSource.last.send('function-gone', { metadata: { name: 'a', namespace: 'n' } });
    soon();
    expect(names()).toEqual([]);
    expect([live.faresOf('n/a'), live.ratesOf('n/a'), live.buildOf('n/a')]).toEqual([undefined, [], []]);
  });
});

describe('a lost connection', () => {
  const lose = () => FakeSource.last.onerror?.();
  it('is tried again, with pauses that grow and begin anew once it is back', () => {
    live.start();
    const pauses: number[] = [];
    for (let at = 0; at < 7; at++) {
      const before = FakeSource.all.length;
      lose();
      expect(live.connection).toBe('lost');
      let pause = 0;
      while (FakeSource.all.length === before) {
        vi.advanceTimersByTime(100);
        pause += 100;
      }
      pauses.push(pause);
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    FakeSource.last.send('snapshot');
    FakeSource.last.send('synced');
    expect(live.connection).toBe('live');
    lose();
    const before = FakeSource.all.length;
    vi.advanceTimersByTime(500);
    expect(FakeSource.all).toHaveLength(before + 1);
  });
  it('keeps what was shown, and says why the server ended it', () => {
    live.start();
    FakeSource.last.send('snapshot');
    FakeSource.last.function('a');
    FakeSource.last.send('synced');
    FakeSource.last.send('end', { reason: 'the login has expired' });
    expect([names(), live.connection, live.reason]).toEqual([['a'], 'lost', 'the login has expired']);
    expect(FakeSource.last.closed).toBe(true);
  });
  it('is not tried again once it is stopped', () => {
    live.start();
    lose();
    live.stop();
    vi.advanceTimersByTime(60_000);
    expect(FakeSource.all).toHaveLength(1);
  });
  it('hears nothing more of the one before', () => {
    live.start();
    const first = FakeSource.last;
    first.onerror?.();
    vi.advanceTimersByTime(500);
    first.send('snapshot');
    first.function('late');
    first.send('synced');
    first.onerror?.();
    vi.advanceTimersByTime(60_000);
    expect([names(), live.connection, FakeSource.all.length, FakeSource.last.closed]).toEqual([[], 'lost', 2, false]);
  });
});

describe('followLogs', () => {
  const logsOf = (source: FakeSource) => new URL(source.url, 'http://x').searchParams.get('logs');
  it('connects again once, for all that begin and end together', async () => {
    live.start();
    const end = live.followLogs('a', () => {});
    live.followLogs('b', () => {});
    await Promise.resolve();
    expect(FakeSource.all).toHaveLength(2);
    expect(FakeSource.all[0]?.closed).toBe(true);
    expect(logsOf(FakeSource.last)).toBe('a,b');
    end();
    live.followLogs('a', () => {});
    await Promise.resolve();
    expect(FakeSource.all).toHaveLength(2);
  });
  it('tells the lines to who asked, and which are the first of a connection', async () => {
    live.start();
    const heard: LoggedLines[] = [];
    const end = live.followLogs('a', (each) => heard.push(each));
    await Promise.resolve();
    const log = (lines: string[]) => FakeSource.last.send('log', { name: 'a', namespace: 'n', replica: 'r', lines });
    log(['1']);
    log(['2']);
    FakeSource.last.onerror?.();
    vi.advanceTimersByTime(500);
    log(['1', '2', '3']);
    expect(heard.map((each) => [each.lines.join(), each.begins])).toEqual([
      ['1', true],
      ['2', false],
      ['1,2,3', true],
    ]);
    end();
    await Promise.resolve();
    expect(logsOf(FakeSource.last)).toBeNull();
  });
  it('asks for eight functions at most', async () => {
    live.start();
    for (let at = 0; at < 12; at++) live.followLogs(`f${at}`, () => {});
    await Promise.resolve();
    expect(logsOf(FakeSource.last)?.split(',')).toHaveLength(8);
  });
});
