export { type ConsoleParts, type ConsoleSource, startConsole } from './server.ts';
