import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Announcer } from './announcer';

describe('Announcer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('tells what came together, at most every ten seconds', () => {
    const said: string[] = [];
    const announcer = new Announcer((text) => said.push(text));
    announcer.add(1);
    vi.advanceTimersByTime(0);
    expect(said).toEqual(['1 new event']);
    for (let second = 0; second < 9; second++) {
      announcer.add(2);
      vi.advanceTimersByTime(1_000);
    }
    expect(said).toEqual(['1 new event']);
    vi.advanceTimersByTime(1_000);
    expect(said).toEqual(['1 new event', '18 new events']);
    announcer.add(0);
    vi.advanceTimersByTime(60_000);
    expect(said).toHaveLength(2);
  });
});
