import type { Identity } from '#contracts/api/accounts.ts';
import type { Alert, Maintenance } from '#contracts/api/alerts.ts';
import type { CentreState, TerminalRow } from '#contracts/api/fleet.ts';
import type { LayerPreview } from '#contracts/api/orders.ts';
import type { LayerScope } from '#contracts/configuration.ts';
import type { Change } from './source.ts';

/**
 * What an identity may see and change: everything, or what is of its bureau. The bureau of a terminal is that of the
 * registry. The centre's own troubles are seen by all, since they explain what a bureau sees, and changed by those over
 * all alone.
 */
export class Reach {
  /** Null: over all bureaus. */
  readonly bureau: string | null;
  readonly #bureauOf: (terminal: string) => string | undefined;

  constructor(identity: Identity, bureauOf: (terminal: string) => string | undefined) {
    this.bureau = identity.bureau;
    this.#bureauOf = bureauOf;
  }

  owns(bureau: string | null | undefined): boolean {
    return this.bureau === null || this.bureau === bureau;
  }

  terminal(id: string): boolean {
    return this.bureau === null || this.owns(this.#bureauOf(id));
  }

  /** A site's id begins with its bureau (contracts/names.ts). */
  site(id: string): boolean {
    return this.owns(id.slice(0, 3));
  }

  /** What concerns the centre alone has neither. */
  place(row: {
    readonly terminal: string | null;
    readonly site: string | null;
    readonly bureau?: string | null;
  }): boolean | 'centre' {
    if (row.bureau !== null && row.bureau !== undefined) return this.owns(row.bureau);
    if (row.site !== null) return this.site(row.site);
    if (row.terminal !== null) return this.terminal(row.terminal);
    return 'centre';
  }

  /** Whether everything that a scope covers is within reach. */
  holds(scope: LayerScope): boolean {
    if (this.bureau === null) return true;
    switch (scope.layer) {
      case 'fleet':
        return false;
      case 'bureau':
        return this.owns(scope.key);
      case 'site':
        return this.site(scope.key);
      case 'terminal':
        return this.terminal(scope.key);
      default:
        return scope satisfies never;
    }
  }

  /** Whether a scope covers anything within reach. */
  touches(scope: LayerScope): boolean {
    return scope.layer === 'fleet' || this.holds(scope);
  }

  seesAlert(alert: Alert): boolean {
    return this.place(alert) !== false;
  }

  changesAlert(alert: Alert): boolean {
    const place = this.place(alert);
    return place === 'centre' ? this.bureau === null : place;
  }

  seesMaintenance(one: Maintenance): boolean {
    return this.touches(one.scope);
  }

  /** Examples of what a change would do come from the change's own scope, which was held to the bureau. */
  preview(preview: LayerPreview): LayerPreview {
    const changes = preview.changes.map((change) => ({
      ...change,
      examples: change.examples.filter((one) => this.terminal(one)),
    }));
    return { ...preview, changes };
  }

  /** Numbers of the whole fleet are for those over all. */
  centre(state: CentreState, terminals: () => readonly TerminalRow[]): CentreState {
    if (this.bureau === null) return state;
    const counts = { online: 0, suspect: 0, offline: 0, never: 0 };
    for (const row of terminals()) if (this.owns(row.bureau)) counts[row.state]++;
    return { ...state, terminals: counts, refused: {} };
  }

  /** Whether a change is to be told. Of the centre, see `centre`. */
  sees(change: Change): boolean {
    switch (change.event) {
      case 'terminal':
      case 'hit':
      case 'site':
        return this.owns(change.data.bureau);
      case 'alert':
        return this.seesAlert(change.data);
      case 'maintenance':
        return this.seesMaintenance(change.data);
      case 'command':
        return this.terminal(change.data.terminal);
      case 'wave':
        return this.owns(change.bureau ?? null);
      case 'event': {
        const place = this.place({ ...change.data, bureau: change.bureau ?? null });
        return place === 'centre' ? this.bureau === null : place;
      }
      case 'centre':
        return true;
      default:
        return change satisfies never;
    }
  }
}
