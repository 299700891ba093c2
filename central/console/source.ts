import type {
  AcknowledgeAlert,
  Alert,
  Maintenance,
  NewMaintenance,
  SilenceAlert,
} from '#contracts/api/alerts.ts';
import type {
  BundleRow,
  CentreState,
  HitRow,
  MetricName,
  Series,
  SiteRow,
  TerminalDetail,
  TerminalRow,
  TimelineEvent,
} from '#contracts/api/fleet.ts';
import type {
  CommandRow,
  Layer,
  LayerPreview,
  NewCommand,
  NewWave,
  PutLayer,
  TerminalConfiguration,
  Wave,
} from '#contracts/api/orders.ts';
import type { LiveEvent } from '#contracts/api/routes.ts';
import type { Result } from '#contracts/result.ts';

/**
 * The rooms of the centre as the console needs them. Lists are newest first; `bureau` is given where whoever asks may see
 * that bureau's alone, so that pages of a list are whole; what comes back is checked again all the same. `by` is the name
 * of the account. What is not there is the fault NOT_FOUND.
 */
interface Page {
  readonly bureau?: string;
  readonly limit: number;
}

/** Fleet, history and time line. */
export interface FleetSource {
  /** From memory. */
  sites(): readonly SiteRow[];
  terminals(): readonly TerminalRow[];
  /** Of a terminal of the registry; undefined where it is not known. */
  bureauOf(terminal: string): string | undefined;
  detail(terminal: string): Promise<Result<TerminalDetail>>;
  series(
    terminal: string,
    query: {
      readonly metric: MetricName;
      readonly from: string;
      readonly to: string;
      readonly points: number;
    },
  ): Promise<Result<Series>>;
  events(
    query: Page & { readonly terminal?: string; readonly site?: string; readonly before?: number },
  ): Promise<Result<readonly TimelineEvent[]>>;
  hits(
    query: Page & { readonly terminal?: string; readonly before?: number },
  ): Promise<Result<readonly HitRow[]>>;
  centre(): CentreState;
}

/** Alerts and maintenance. */
export interface AlertSource {
  list(
    query: Page & {
      readonly which: 'open' | 'standing' | 'all';
      readonly terminal?: string;
      readonly site?: string;
      readonly before?: number;
    },
  ): Promise<Result<readonly Alert[]>>;
  /** Open and suppressed, all of them. */
  standing(): Promise<Result<readonly Alert[]>>;
  byId(id: number): Promise<Result<Alert>>;
  acknowledge(id: number, change: AcknowledgeAlert, by: string): Promise<Result<Alert>>;
  silence(id: number, change: SilenceAlert, by: string): Promise<Result<Alert>>;
  /** Planned and under way; past ones too where `all`. */
  maintenance(all: boolean): Promise<Result<readonly Maintenance[]>>;
  maintenanceById(id: number): Promise<Result<Maintenance>>;
  plan(planned: NewMaintenance, by: string): Promise<Result<Maintenance>>;
  end(id: number, by: string): Promise<Result<Maintenance>>;
}

/** A wave, and whom it is for. */
export interface WaveOf {
  readonly wave: Wave;
  /** The bureau of all its terminals; null where they are of several. */
  readonly bureau: string | null;
}

/** Configuration, commands, waves. */
export interface OrderSource {
  layers(): Promise<Result<readonly Layer[]>>;
  preview(change: PutLayer): Promise<Result<LayerPreview>>;
  putLayer(change: PutLayer, by: string): Promise<Result<Layer>>;
  putLimits(envelope: unknown, by: string): Promise<Result<unknown>>;
  putUplink(envelope: unknown, by: string): Promise<Result<unknown>>;
  configuration(terminal: string): Promise<Result<TerminalConfiguration>>;
  command(terminal: string, command: NewCommand, by: string): Promise<Result<CommandRow>>;
  commands(
    query: Page & { readonly terminal?: string; readonly before?: string },
  ): Promise<Result<readonly CommandRow[]>>;
  waves(query: { readonly bureau?: string }): Promise<Result<readonly Wave[]>>;
  wave(id: string): Promise<Result<WaveOf>>;
  startWave(wave: NewWave, by: string): Promise<Result<Wave>>;
  stopWave(id: string, by: string): Promise<Result<Wave>>;
}

/** Diagnostic bundles that terminals have sent. */
export interface BundleSource {
  list(terminal?: string): Promise<readonly BundleRow[]>;
  read(id: string): Promise<Result<{ readonly row: BundleRow; readonly bytes: Buffer }>>;
}

/** A change of a row. `bureau` says whose it is where the row itself does not: of a wave, and of an event without a place. */
export type Change = LiveEvent & { readonly bureau?: string | null };

export interface ChangeListener {
  change(change: Change): void;
  /** Changes were missed, or rows went away: whoever shows rows asks for all of them anew. */
  gap(): void;
}

/** Everything that the console shows and changes; the composition root of the centre fits the rooms to it. */
export interface ConsoleSource {
  readonly fleet: FleetSource;
  readonly alerts: AlertSource;
  readonly orders: OrderSource;
  readonly bundles: BundleSource;
  /** Calls back with every row that changed; the answer ends it. */
  subscribe(listener: ChangeListener): () => void;
  /** Metrics in the text format of Prometheus, version 0.0.4. */
  metrics(): Promise<string>;
}
