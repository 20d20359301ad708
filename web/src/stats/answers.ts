import type { Stats } from '../api/types';
import { number } from '../ui/numbers';

export type AnswerTime = NonNullable<Stats['answer_times']>['theirs'];

/** answerWords say of how many an answer time is the median. */
export function answerWords({ answered, of }: AnswerTime, side: 'theirs' | 'ours'): string {
  if (answered === null || of === null)
    return 'Not known: there is more than could be read in time';
  const what = side === 'theirs' ? 'recipients answered' : 'replies were answered';
  return `${number(answered)} of ${number(of)} ${what}`;
}
