export type { AlertHappening, RecordHappening } from './apply.ts';
export {
  type AlertAct,
  type AlertBook,
  type AlertBookParts,
  type AlertPage,
  type AlertQuery,
  openAlertBook,
} from './book.ts';
export type { Audit } from './maintenance.ts';
export type { Place, TerminalTroubles, TroubleSource } from './places.ts';
export { afterRestore } from './restored.ts';
export { createRouting, type Routing } from './routing.ts';
export { alertsSchema } from './schema.ts';
export { AlertTask, type AlertTaskParts } from './task.ts';
export { StoreAlarm, type StoreAlarmParts } from './store-alarm.ts';
