import { useState } from 'preact/hooks';
import { limitsType } from '#contracts/configuration.ts';
import { configurationType } from '#contracts/uplink.ts';
import type { ApiFault } from '../data/api.ts';
import { useParts } from '../data/context.ts';
import { FaultNote } from '../parts/fault.tsx';

/** Where each kind of what the offline key signs is taken, and what it is called. */
const kinds: Readonly<Record<string, { readonly path: string; readonly title: string }>> = {
  [limitsType]: { path: '/limits', title: 'The limits' },
  [configurationType]: { path: '/uplinks', title: 'The uplinks' },
};

/** Hands files to the centre that were signed with the offline key; the centre checks each, and so does every terminal. */
export function SignedUpload() {
  const { api } = useParts();
  const [said, setSaid] = useState('');
  const [fault, setFault] = useState<ApiFault | undefined>(undefined);
  const upload = async (file: File): Promise<void> => {
    setSaid('');
    setFault(undefined);
    const envelope = readJson(await file.text());
    const kind = kinds[typeOf(envelope)];
    if (kind === undefined) {
      setSaid(`${file.name} is no file that the offline key has signed for this.`);
      return;
    }
    const done = await api.ask('PUT', kind.path, { envelope });
    if (done.ok) setSaid(`${kind.title} of ${file.name} are on their way.`);
    else setFault(done.fault);
  };
  return (
    <section aria-label="Signed files">
      <h3>Signed with the offline key</h3>
      <p class="small">
        Age limits (<code>checkpost authority limits</code>), and uplinks and hubs of a terminal: neither can
        be changed here, only handed on.
      </p>
      <label>
        File{' '}
        <input
          type="file"
          accept=".json,application/json"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            event.currentTarget.value = '';
            if (file !== undefined) void upload(file);
          }}
        />
      </label>
      <p role="status">{said}</p>
      {fault !== undefined && <FaultNote fault={fault} />}
    </section>
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function typeOf(envelope: unknown): string {
  const type = typeof envelope === 'object' && envelope !== null && 'payloadType' in envelope;
  return type && typeof envelope.payloadType === 'string' ? envelope.payloadType : '';
}
