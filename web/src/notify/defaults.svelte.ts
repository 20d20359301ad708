import type { Cell, NoteDefaults, NoteDefaultsChange } from '../api/types';
import type { App } from '../app.svelte';

/** A row without how often goes back to the preset. */
const gone = { often: '' } as unknown as Cell;

/** back is the change that takes another back. */
export function back(before: NoteDefaults, change: NoteDefaultsChange): NoteDefaultsChange {
  const cells: NonNullable<NoteDefaultsChange['cells']> = {};
  for (const [scope, rows] of Object.entries(change.cells ?? {}))
    cells[scope] = Object.fromEntries(
      Object.keys(rows).map((kind) => [kind, before.cells[scope]?.[kind] ?? gone]),
    );
  return {
    ...(change.cells && { cells }),
    ...(change.locked && { locked: before.locked }),
    ...(change.mode && { mode: before.mode }),
  };
}

/** bare is the change after which the workspace says nothing of its own. */
export function bare({ cells }: NoteDefaults): NoteDefaultsChange {
  return {
    cells: Object.fromEntries(
      Object.entries(cells).map(([scope, rows]) => [
        scope,
        Object.fromEntries(Object.keys(rows).map((kind) => [kind, gone])),
      ]),
    ),
    locked: [],
  };
}

/** DefaultsStore is what the workspace’s people are told where they have chosen nothing. */
export class DefaultsStore {
  now = $state.raw<NoteDefaults | null>(null);
  problem = $state('');

  #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  async load(): Promise<void> {
    this.problem = await this.#app.attempt(async () => {
      this.now = await this.#app.bell.notes.defaults();
    });
  }

  /** change says what it did, for it reaches everybody, and offers to take it back. */
  async change(body: NoteDefaultsChange, said: string): Promise<void> {
    const before = this.now;
    if (!before) return;
    this.problem = await this.#app.attempt(async () => {
      await this.#send(body);
      this.#app.say(said, () => this.#send(back(before, body)));
    });
    // What was not taken is shown as it is.
    if (this.problem) this.now = { ...before };
  }

  async #send(body: NoteDefaultsChange): Promise<void> {
    this.now = await this.#app.bell.notes.changeDefaults(body);
    this.#app.bell.heard++;
  }
}
