import { expect, it } from 'vitest';
import { answersText } from './answers';

const took = (median: number | null, answered = 1, of = 2) => ({ median, answered, of });

it('says both answer times, one alone, or none', () => {
  const hour = 3_600;
  expect(answersText({ theirs: took(2 * hour), ours: took(4 * hour, 3, 5) })).toEqual({
    text: 'They answer in 2 hours, we in 4 hours',
    title: '1 of 2 recipients answered, 3 of 5 replies were answered',
  });
  expect(answersText({ theirs: took(null), ours: took(90) }).text).toBe('We answer in 90 seconds');
  expect(answersText({ theirs: took(null), ours: took(null) }).text).toBe('');
  expect(answersText(null)).toEqual({ text: '', title: '' });
});
