import type { RulePreview } from '../api/types';
import { number } from '../ui/numbers';

/** previewWords says what a rule would have told last week. */
export function previewWords({ count, more }: RulePreview): string {
  if (count === 0) return 'It would have told you of nothing last week.';
  const times = count === 1 ? 'once' : `${number(count)} times`;
  return `It would have told you ${more ? 'at least ' : ''}${times} last week.`;
}
