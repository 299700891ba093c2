import type { FunctionComponent } from 'preact';
import { AccountsView } from '../views/accounts.tsx';
import { AlertsView } from '../views/alerts.tsx';
import { AuditView } from '../views/audit.tsx';
import { BulkView } from '../views/bulk.tsx';
import { ConfigurationView } from '../views/configuration.tsx';
import { FleetView } from '../views/fleet.tsx';
import { HitsView } from '../views/hits.tsx';
import { MaintenanceView } from '../views/maintenance.tsx';
import { SiteView } from '../views/site.tsx';
import { TerminalView } from '../views/terminal.tsx';
import { WavesView } from '../views/waves.tsx';

/** Every view by its name in the address. */
export const views: Readonly<Record<string, FunctionComponent<{ readonly id: string }>>> = {
  fleet: FleetView,
  site: SiteView,
  terminal: TerminalView,
  alerts: AlertsView,
  hits: HitsView,
  configuration: ConfigurationView,
  waves: WavesView,
  bulk: BulkView,
  maintenance: MaintenanceView,
  audit: AuditView,
  accounts: AccountsView,
};
