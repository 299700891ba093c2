/** The one file of the package that is used; its own types describe the whole only (docs/decisions/0002). */
declare module 'systeminformation/lib/memory.js' {
  import type { Systeminformation } from 'systeminformation';
  export function mem(): Promise<Systeminformation.MemData>;
}
