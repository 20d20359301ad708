import type { Stats } from '../api/types';
import { duration } from '../people/habits';
import { number } from '../ui/numbers';

export type AnswerTime = NonNullable<Stats['answer_times']>['theirs'];

/** answerWords say of how many an answer time is the median. */
export function answerWords({ answered, of }: AnswerTime, side: 'theirs' | 'ours'): string {
  if (answered === null || of === null)
    return 'Not known: there is more than could be read in time';
  const what = side === 'theirs' ? 'recipients answered' : 'replies were answered';
  return `${number(answered)} of ${number(of)} ${what}`;
}

/** answersText is both answer times in a line, and what they are the medians of. */
export function answersText(times: Stats['answer_times'] | null): { text: string; title: string } {
  const parts: string[] = [];
  const titles: string[] = [];
  for (const side of ['theirs', 'ours'] as const) {
    const took = times?.[side];
    if (!took || took.median === null) continue;
    const who = side === 'theirs' ? 'They answer' : parts.length > 0 ? 'we' : 'We answer';
    parts.push(`${who} in ${duration(took.median)}`);
    titles.push(answerWords(took, side));
  }
  return { text: parts.join(', '), title: titles.join(', ') };
}
