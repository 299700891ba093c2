import type { ApiFault } from '../data/api.ts';

/** What went wrong and what to do, as the centre says it. */
export function FaultNote({ fault }: { readonly fault: ApiFault }) {
  return (
    <p class="fault" role="alert">
      <b>{fault.what}</b> {fault.detail} {fault.remedy}
    </p>
  );
}
