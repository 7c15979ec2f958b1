import { readSync, writeSync } from "node:fs";
import { TarError } from "./tar-reader.ts";
import { TreeDigest } from "./tree-digest.ts";

const CHUNK_BYTES = 1024 * 1024;
/** Exit code for a stream that is no tar of ours. */
export const NO_TAR = 3;

/**
 * A process of its own between two programs: it passes a tar stream on and tells on the standard error what it was. Few
 * modules are loaded for it, so that it begins soon.
 */
export async function digestCommand(): Promise<void> {
  const digest = new TreeDigest();
  const agent = process.ppid;
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  try {
    for (;;) {
      const bytes = readSync(0, buffer, 0, CHUNK_BYTES, null);
      if (bytes === 0) break;
      // Killed: what the agent began must not go on without it.
      if (process.ppid !== agent) process.exit(1);
      digest.push(buffer.subarray(0, bytes));
      for (let at = 0; at < bytes; ) at += writeSync(1, buffer, at, bytes - at);
    }
    const { streamBytes } = digest;
    writeSync(2, `${JSON.stringify({ ...digest.end(), streamBytes })}\n`);
  } catch (error) {
    if (!(error instanceof TarError)) throw error;
    process.exitCode = NO_TAR;
  }
}
