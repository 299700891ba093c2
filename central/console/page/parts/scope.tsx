import { layerNames, type LayerName, type LayerScope } from '#contracts/configuration.ts';
import { useFleet, useParts } from '../data/context.ts';

const names: Record<LayerName, string> = {
  fleet: 'Whole fleet',
  bureau: 'Bureau',
  site: 'Site',
  terminal: 'Terminal',
};

export function scopeWords(scope: LayerScope): string {
  return 'key' in scope ? `${names[scope.layer]} ${scope.key}` : names.fleet;
}

/** A scope as one word, for addresses: `fleet`, `bureau:UTO`, `terminal:UTO-0001-1`. */
export function scopeText(scope: LayerScope): string {
  return 'key' in scope ? `${scope.layer}:${scope.key}` : scope.layer;
}

/** The scope of such a word; a word without a layer is a terminal's id. */
export function scopeFrom(text: string): LayerScope {
  const [layer = '', key = ''] = text.split(':', 2);
  if (layer === 'bureau' || layer === 'site' || layer === 'terminal') return { layer, key };
  return layer === 'fleet' || layer === '' ? { layer: 'fleet' } : { layer: 'terminal', key: layer };
}

interface ScopePickerProps {
  readonly scope: LayerScope;
  readonly change: (scope: LayerScope) => void;
}

/** For whom something is meant: a layer, and which one. */
export function ScopePicker({ scope, change }: ScopePickerProps) {
  const data = useFleet();
  const { identity } = useParts();
  const keys: Record<LayerName, readonly string[]> = {
    fleet: [],
    bureau: [...new Set([...data.sites.values()].map(({ bureau }) => bureau))].sort(),
    site: scope.layer === 'site' ? [...data.sites.keys()].sort() : [],
    terminal: scope.layer === 'terminal' ? [...data.terminals.keys()].sort() : [],
  };
  const offered = layerNames.filter((layer) => layer !== 'fleet' || identity.bureau === null);
  const key = 'key' in scope ? scope.key : '';
  return (
    <>
      <label>
        <span class="hidden">For</span>
        <select
          value={scope.layer}
          onChange={(event) => {
            const layer = event.currentTarget.value as LayerName;
            change(layer === 'fleet' ? { layer } : { layer, key: '' });
          }}
        >
          {offered.map((layer) => (
            <option key={layer} value={layer}>
              {names[layer]}
            </option>
          ))}
        </select>
      </label>
      {scope.layer !== 'fleet' && (
        <label>
          <span class="hidden">Which</span>
          <input
            list="scope-keys"
            value={key}
            placeholder={
              scope.layer === 'bureau' ? 'UTO' : scope.layer === 'site' ? 'UTO-0001' : 'UTO-0001-1'
            }
            required
            onInput={(event) => change({ layer: scope.layer, key: event.currentTarget.value })}
          />
          <datalist id="scope-keys">
            {keys[scope.layer].map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
        </label>
      )}
    </>
  );
}
