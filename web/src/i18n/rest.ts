import { number } from '../ui/numbers';
import { t as before } from './first';
import { language } from './language';
import { toolsOf } from './tools';

/** What all pages say but the first, beside what that one says: fetched with the first of them. */
async function read() {
  if (language === 'de') {
    const { rest } = await import('./de.ts?rest');
    return rest;
  }
  const { rest } = await import('./en.ts?rest');
  return rest;
}

export const t = { ...before, ...(await read())(toolsOf(language, number)) };
