import { describe, expect, it } from 'vitest';
import { dueAt } from './remind';

describe('reminders', () => {
  it.each([
    ['tomorrow', '2026-11-25T12:00:00', '2026-11-26T08:00:00'],
    ['friday', '2026-11-25T12:00:00', '2026-11-27T08:00:00'],
    ['friday', '2026-11-26T23:00:00', '2026-11-27T08:00:00'],
    ['friday', '2026-11-27T07:00:00', '2026-12-04T08:00:00'],
    ['friday', '2026-11-28T12:00:00', '2026-12-04T08:00:00'],
    ['week', '2026-11-25T12:00:00', '2026-12-02T08:00:00'],
  ] as const)('%s, asked at %s, are due at %s', (reminder, now, due) => {
    expect(dueAt(reminder, new Date(now).getTime())).toBe(new Date(due).toISOString());
  });
});
