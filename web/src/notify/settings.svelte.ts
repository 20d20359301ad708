import type { NoteChange, NoteSettings, NotesInForce } from '../api/types';
import type { App } from '../app.svelte';
import { change } from './mutes';
import { t } from '../i18n/rest';

/** SettingsStore is what the reader wants to be told, as the settings' cards show it. */
export class SettingsStore {
  inForce = $state.raw<NotesInForce | null>(null);
  problem = $state('');

  #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  async load(): Promise<void> {
    this.problem = await this.#app.attempt(async () => {
      this.inForce = await this.#app.bell.notes.settings();
    });
  }

  /** set changes something that can be seen to have changed, and says nothing. */
  async set(body: NoteChange): Promise<void> {
    this.problem = await this.#app.attempt(async () => {
      this.inForce = await this.#app.bell.notes.change(body);
    });
    // What was not taken is shown as it is.
    if (this.problem) this.inForce = this.inForce && { ...this.inForce };
  }

  /** change says what it did, and offers to take it back. */
  async change(body: NoteChange, said: string): Promise<void> {
    await change(this.#app, body, said);
    await this.load();
  }

  /** reset forgets which rows the reader has chosen. */
  async reset(): Promise<void> {
    this.problem = await this.#app.attempt(async () => {
      const { notes } = this.#app.bell;
      const before = (await notes.settings()).settings;
      const bare: NoteSettings = { ...before, cells: {} };
      this.inForce = await notes.replace(bare);
      const { rev } = this.inForce.settings;
      this.#app.say(t.notices.backToThePreset, async () => {
        this.inForce = await notes.replace({ ...before, rev });
      });
    });
  }
}
