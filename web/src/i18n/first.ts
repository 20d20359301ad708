import { number } from '../ui/numbers';
import { language } from './language';
import { toolsOf } from './tools';

/**
 * What the first page says, in the language of the page. It is fetched beside the
 * application, which waits for it before anything is shown: see public/early.js.
 */
async function read() {
  if (language === 'de') {
    const { first } = await import('./de.ts?first');
    return first;
  }
  const { first } = await import('./en.ts?first');
  return first;
}

export const t = (await read())(toolsOf(language, number));
