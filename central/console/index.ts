export { type RoomParts, sourceOfRooms } from './rooms.ts';
export { type ConsoleParts, type ConsoleServer, startConsole } from './server.ts';
export type {
  AlertSource,
  BundleSource,
  Change,
  ChangeListener,
  ConsoleSource,
  FleetSource,
  OrderSource,
  WaveOf,
} from './source.ts';
