import Type from 'typebox';
import { TerminalId } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { UplinkNetwork } from '#contracts/settings/uplink.ts';
import { configurationType } from '#contracts/uplink.ts';
import { openEnvelope, type TrustedKey } from '#formats/envelope.ts';
import { parseJson } from '#runtime/parse.ts';
import { parseSettings } from '#runtime/settings.ts';
import { checkNetwork } from '../check.ts';

/** A network configuration with its version; 0 is the file of the terminal. */
export interface VersionedNetwork {
  readonly version: number;
  readonly network: UplinkNetwork;
}

export const ConfigurationVersion = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** What is signed. The network may leave out what has a default, as the file of a terminal may. */
const Payload = Type.Object(
  { v: Type.Literal(1), terminal: TerminalId, version: ConfigurationVersion, network: Type.Unknown() },
  { additionalProperties: false },
);

export interface ConfigurationExpected {
  readonly trusted: readonly TrustedKey[];
  readonly terminal: string;
  /** The highest version that was ever confirmed here; 0 where there was none. */
  readonly confirmed: number;
  /** The highest version that was refused for good; 0 where there was none. */
  readonly refused: number;
  /** The version on probation now, if any. */
  readonly onTrial: number | undefined;
}

/**
 * Opens a signed configuration: by a key trusted for the role `configuration`, for this terminal, of a higher version
 * than every one that was confirmed or refused here, or is being tried. Faults: SIGNATURE_REFUSED, ENVELOPE_INVALID,
 * CONFIGURATION_REFUSED.
 */
export function openConfiguration(
  envelope: unknown,
  expected: ConfigurationExpected,
): Result<VersionedNetwork> {
  const { trusted, terminal, confirmed, refused, onTrial } = expected;
  const opened = openEnvelope(envelope, { payloadType: configurationType, role: 'configuration', trusted });
  if (!opened.ok) return opened;
  const payload = parseJson(Payload, opened.value.payload.toString('utf8'), 'ENVELOPE_INVALID');
  if (!payload.ok) return payload;
  const { version } = payload.value;
  const refuse = (detail: string): Result<never> => fail('CONFIGURATION_REFUSED', detail);
  if (payload.value.terminal !== terminal)
    return refuse(`It is for ${payload.value.terminal}, not for ${terminal}.`);
  if (version <= refused) return refuse(`Version ${refused} failed here; a higher one is needed.`);
  if (version <= confirmed) return refuse(`It has version ${version}; version ${confirmed} was in force.`);
  if (onTrial !== undefined && version <= onTrial)
    return refuse(`It has version ${version}; version ${onTrial} is being tried.`);
  const network = parseNetwork(payload.value.network);
  return network.ok ? ok({ version, network: network.value }) : network;
}

/** A network with its defaults, checked. Fault: CONFIGURATION_REFUSED. */
export function parseNetwork(value: unknown): Result<UplinkNetwork> {
  const parsed = parseSettings(UplinkNetwork, value, 'network');
  if (!parsed.ok) return fail('CONFIGURATION_REFUSED', parsed.fault.detail);
  const checked = checkNetwork(parsed.value);
  return checked.ok ? parsed : checked;
}
