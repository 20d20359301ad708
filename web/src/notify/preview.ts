import type { RulePreview } from '../api/types';

import { t } from '../i18n/rest';

/** previewWords says what a rule would have told last week. */
export function previewWords({ count, more }: RulePreview): string {
  if (count === 0) return t.notices.itWouldHaveToldYou;
  return more ? t.notices.wouldHaveToldAtLeast(count) : t.notices.wouldHaveTold(count);
}
