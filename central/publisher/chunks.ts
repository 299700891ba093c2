import { type FileHandle, open } from 'node:fs/promises';

const chunkBytes = 1_048_576;

/**
 * The bytes of a file, of any size, in the memory of one chunk: each chunk is good until the next one is asked for.
 * Given a name it opens the file and closes it; given a handle it reads from its beginning. Throws what the system says.
 */
export async function* readFileChunks(file: string | FileHandle): AsyncGenerator<Uint8Array, void> {
  const handle = typeof file === 'string' ? await open(file, 'r') : file;
  try {
    const chunk = Buffer.allocUnsafeSlow(chunkBytes);
    // A pipe or a device has no positions.
    const stats = await handle.stat();
    let position = stats.isFile() ? 0 : null;
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunkBytes, position);
      if (bytesRead === 0) return;
      if (position !== null) position += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    if (typeof file === 'string') await handle.close();
  }
}
