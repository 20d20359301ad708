import { expect, test } from 'vitest';
import type { NoteDefaults } from '../api/types';
import { back, bare } from './defaults.svelte';

const before: NoteDefaults = {
  rev: 3,
  mode: 'shadow',
  cells: { mine: { open: { often: 'off' } } },
  locked: ['open'],
  rows: {},
};

test('a change is taken back: what was chosen is again, and what was not goes to the preset', () => {
  const often = 'every' as const;
  const change = {
    cells: { mine: { open: { often }, click: { often } }, team: { reply: { often } } },
  };
  expect(back(before, change)).toEqual({
    cells: {
      mine: { open: { often: 'off' }, click: { often: '' } },
      team: { reply: { often: '' } },
    },
  });
  expect(back(before, { mode: 'on' })).toEqual({ mode: 'shadow' });
  expect(back(before, { locked: [] })).toEqual({ locked: ['open'] });
});

test('a workspace that says nothing of its own has neither rows nor locks', () => {
  const change = bare(before);
  expect(change).toEqual({ cells: { mine: { open: { often: '' } } }, locked: [] });
  expect(back(before, change)).toEqual({ cells: before.cells, locked: ['open'] });
});
