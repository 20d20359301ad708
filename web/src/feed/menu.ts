import type { EventType, Item } from '../api/types';
import type { App } from '../app.svelte';
import { addTerm, everything, quoted, writeView } from './address';
import { muteActions } from '../notify/mutes';
import { remindActions } from '../notify/remind';
import { tellActions } from '../notify/rules';
import type { FeedStore } from './store.svelte';
import { isAutomated, nameOf } from './words';
import { t } from '../i18n/first';

/** One thing that a row's menu does. */
export interface Action {
  label: string;
  run?: () => unknown;
  /** The menu that it leads to, instead of doing something. */
  more?: readonly Action[];
  /** Whether what it leads to mutes. */
  mutes?: boolean;
}

/** actionsOf are what may be done with an event, from its row. */
export function actionsOf(feed: FeedStore, item: Item): Action[] {
  const { app } = feed;
  const { person } = item;
  const domain = person?.email.split('@')[1];
  const narrow = (field: string, value: string) => () =>
    feed.go({ q: addTerm(feed.view.q, `${field}:${quoted(value)}`), open: null });
  const actions: Action[] = [{ label: t.common.openTheMessage, run: () => feed.openMessage(item) }];
  if (person && !app.embedded) {
    actions.push({ label: t.feed.goTo(nameOf(person)), run: () => app.person(person.email) });
    if (domain) actions.push({ label: t.feed.goTo(domain), run: () => app.company(domain) });
  }
  if (person) actions.push({ label: t.feed.onlyThisPerson, run: narrow('to', person.email) });
  actions.push({ label: t.common.onlyThisMessage, run: narrow('message', item.message) });
  if (!app.embedded)
    actions.push({
      label: t.common.copyLink,
      run: () => copy(app, linkTo(item), t.common.linkCopied),
    });
  if (person)
    actions.push({
      label: t.common.copyAddress,
      run: () => copy(app, person.email, t.common.addressCopied),
    });
  if (isAutomated(item) && !app.embedded)
    actions.push({ label: t.common.thisWasAPerson, run: () => human(feed, item) });
  if (app.bell.offered) actions.push(...noteActions(app, item));
  return actions;
}

/** Events of these types are told to nobody: they are what we do. */
const untold: readonly EventType[] = ['send', 'delivery'];

function noteActions(app: App, item: Item): Action[] {
  const actions: Action[] = [
    { label: t.common.tellMeWhen, more: tellActions(app, item) },
    { label: t.feed.remindMeIfNoReply, more: remindActions(app, item) },
    { label: t.common.mute, more: muteActions(app, item), mutes: true },
  ];
  if (!untold.includes(item.type))
    actions.push({ label: t.common.whyWasIToldOr, run: () => (app.why = item) });
  return actions;
}

const linkTo = (item: Item) => location.origin + writeView({ ...everything, open: item.message });

async function copy(app: App, text: string, said: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  app.announcement = said;
}

/** human opens the message, where the override is shown and can be undone. */
async function human(feed: FeedStore, item: Item): Promise<void> {
  feed.openMessage(item);
  await feed.panel?.explain(item.id);
  await feed.panel?.override('human');
}
