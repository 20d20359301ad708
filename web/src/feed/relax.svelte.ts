import { Failure } from '../api/client';
import type { Chip, StatsQuery } from '../api/types';
import { chipText, fieldOf } from '../search/terms';
import { cutSpan, everything, searchOf, type View } from './address';
import type { FeedStore } from './store.svelte';
import { t } from '../i18n/rest';

/** A condition to give up, and what that would bring back. */
export interface Relaxation {
  key: string;
  what: string;
  action: string;
  field: string;
  change: Partial<View>;
  /** How many events there would be; null while that is not known. */
  count: number | null;
}

const most = 6;

/** Relaxations count what a search without each of its conditions would find. */
export class Relaxations {
  list = $state.raw<readonly Relaxation[]>([]);

  #abort = new AbortController();

  /** count asks for each, and keeps those that bring something back. */
  async count(feed: FeedStore): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const all = relaxationsOf(feed).slice(0, most);
    this.list = all;
    const counted = await Promise.all(
      all.map(async (one) => ({ ...one, count: await this.#ask(feed, one, signal) })),
    );
    if (!signal.aborted) this.list = counted.filter(({ count }) => count !== 0);
  }

  close(): void {
    this.#abort.abort();
  }

  async #ask(feed: FeedStore, one: Relaxation, signal: AbortSignal): Promise<number | null> {
    const { app } = feed;
    const search: StatsQuery = {
      ...searchOf({ ...feed.view, ...one.change }, app.session.user),
      tz: app.preferences.zone,
      fields: ['totals'],
    };
    try {
      return (await app.client.stats(search, signal)).totals?.events ?? null;
    } catch (error) {
      if (!signal.aborted && !(error instanceof Failure)) throw error;
      return null;
    }
  }
}

function relaxationsOf(feed: FeedStore): Relaxation[] {
  const { view, app, understood } = feed;
  const q = view.q.trim();
  const out: Relaxation[] = [];
  const add = (one: Omit<Relaxation, 'count'>) => out.push({ ...one, count: null });
  for (const [i, chip] of (q === '' ? [] : understood.chips).entries()) {
    const change = { q: cutSpan(q, chip.span) };
    add({ key: `chip ${i}`, field: chip.field, change, ...said(chip, feed) });
  }
  if (view.types.length > 0) {
    const change = { types: [] };
    add({
      key: 'types',
      field: 'type',
      what: t.panel.ofOtherTypes,
      action: t.panel.allTypes,
      change,
    });
  }
  if (view.scope !== 'everyone' && app.session.user) {
    const change = { scope: everything.scope };
    add({
      key: 'scope',
      field: 'from',
      what: t.panel.ofEveryonesMail,
      action: t.common.everyone,
      change,
    });
  }
  if (view.automated === 'hide') {
    const change = { automated: 'show' as const };
    add({
      key: 'automated',
      field: 'verdict',
      what: t.panel.withAutomatedOnes,
      action: t.common.show,
      change,
    });
  }
  return out;
}

function said(chip: Chip, feed: FeedStore): { what: string; action: string } {
  const text = chipText(chip, feed.app);
  if (chip.not) return { what: t.panel.withIncluded(text), action: t.panel.include };
  if (chip.field === 'time')
    return { what: t.common.outsideThisPeriod, action: t.panel.searchAllTime };
  if (chip.field === 'words')
    return { what: t.panel.thatDontSay(text), action: t.panel.dropTheWord };
  return { what: fieldOf(chip.field).any, action: t.panel.drop(text) };
}
