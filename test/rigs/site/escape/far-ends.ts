import { type Capture, macOf, type Packet, startCapture } from '../../capture/index.ts';

/** A physical device of the terminal, and the other end of its line, where the capture listens. */
export interface FarEnd {
  readonly netns: string;
  readonly device: string;
  readonly terminal: { readonly netns: string; readonly device: string };
}

/**
 * Captures all that really left the terminal or came to it, at the far ends of its lines: there it is heard also while
 * the terminal's own device is down or comes up.
 */
export async function captureAt(ends: readonly FarEnd[], folder: string): Promise<Capture> {
  const captures = await Promise.all(
    ends.map(({ netns, device, terminal }) =>
      startCapture({
        netns,
        folder,
        devices: [{ device, terminalDevice: terminal.device, mac: macOf(terminal.netns, terminal.device) }],
      }),
    ),
  );
  return {
    async stop(): Promise<Packet[]> {
      const packets = await Promise.all(captures.map((capture) => capture.stop()));
      return packets.flat().sort((a, b) => a.at - b.at);
    },
  };
}
