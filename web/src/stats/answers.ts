import type { Stats } from '../api/types';
import { duration } from '../people/habits';

import { t } from '../i18n/rest';

export type AnswerTime = NonNullable<Stats['answer_times']>['theirs'];

/** answerWords say of how many an answer time is the median. */
export function answerWords({ answered, of }: AnswerTime, side: 'theirs' | 'ours'): string {
  if (answered === null || of === null) return t.stats.notKnownThereIsMore;
  return side === 'theirs'
    ? t.stats.recipientsAnsweredOf(answered, of)
    : t.stats.repliesAnsweredOf(answered, of);
}

/** answersText is both answer times in a line, and what they are the medians of. */
export function answersText(times: Stats['answer_times'] | null): { text: string; title: string } {
  const titles: string[] = [];
  const took = (side: 'theirs' | 'ours'): string | null => {
    const time = times?.[side];
    if (!time || time.median === null) return null;
    titles.push(answerWords(time, side));
    return duration(time.median);
  };
  const theirs = took('theirs');
  const ours = took('ours');
  const text =
    theirs !== null && ours !== null
      ? t.stats.bothAnswer(theirs, ours)
      : theirs !== null
        ? t.stats.theyAnswer(theirs)
        : ours !== null
          ? t.stats.weAnswer(ours)
          : '';
  return { text, title: titles.join(', ') };
}
