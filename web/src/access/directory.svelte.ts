import { Access } from '../api/access';
import type { Invitation, Member, Team } from '../api/types';
import type { App } from '../app.svelte';

/** Directory is who is in the workspace: what the cards of people, teams and keys share. */
export class Directory {
  readonly access: Access;
  users = $state.raw<readonly Member[] | null>(null);
  teams = $state.raw<readonly Team[] | null>(null);
  invitations = $state.raw<readonly Invitation[]>([]);

  #admin: boolean;

  constructor(app: App) {
    this.access = new Access(app.client.api);
    this.#admin = app.admin;
  }

  async load(): Promise<void> {
    const [users, teams, invitations] = await Promise.all([
      this.access.users(),
      this.access.teams(),
      this.#admin ? this.access.invitations() : [],
    ]);
    this.users = users;
    this.teams = teams;
    this.invitations = invitations;
  }

  nameOf(id: string): string {
    return this.users?.find((user) => user.id === id)?.name ?? id;
  }
}
