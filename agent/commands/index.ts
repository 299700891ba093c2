export { type ActionPorts, createActions } from './actions.ts';
export { type Commands, startCommands } from './commands.ts';
export type {
  Action,
  Actions,
  CommandHappening,
  CommandMemory,
  CommandMessage,
  CommandsParts,
} from './ports.ts';
