import { describe, expect, it } from 'vitest';
import type { ContactMessage } from '../api/types';
import { duration, stateWord, usualHours } from './habits';

const hours = (counts: Record<number, number>) =>
  Array.from({ length: 24 }, (_, hour) => counts[hour] ?? 0);

describe('usual hours', () => {
  it('are the three with the most acts', () => {
    expect(usualHours(hours({ 9: 2, 10: 5, 11: 1, 20: 4 }))).toEqual({ from: 9, to: 12 });
  });
  it('may go past midnight', () => {
    expect(usualHours(hours({ 23: 3, 0: 4, 1: 1 }))).toEqual({ from: 23, to: 2 });
  });
  it('are not told of two acts', () => {
    expect(usualHours(hours({ 9: 2 }))).toBeNull();
  });
});

describe('duration', () => {
  it.each([
    [1, '1 second'],
    [90, '90 seconds'],
    [600, '10 minutes'],
    [7_200, '2 hours'],
    [300_000, '3 days'],
  ])('%d', (seconds, want) => expect(duration(seconds)).toBe(want));
});

describe('the state of a message', () => {
  const message = (...recipients: ContactMessage['recipients']): ContactMessage => ({
    message: 'm',
    last: '2026-11-19T10:00:00Z',
    recipients,
  });
  const at = '2026-11-19T10:00:00Z';
  it('is one word of one person', () => {
    expect(stateWord(message({ email: 'a', opened: null, bounced: at }))).toBe('Bounced');
    expect(stateWord(message({ email: 'a', opened: at, replied: at }))).toBe('Replied');
  });
  it('counts several', () => {
    expect(stateWord(message({ email: 'a', opened: at }, { email: 'b', opened: null }))).toBe(
      '1 opened, 1 not opened',
    );
  });
});
