import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { openStored } from "./folder.ts";

const READ_BYTES = 1024 * 1024;

export interface DigestedFile {
  bytes: number;
  sha256: string;
}

/** The checksum of a file of ours, through one buffer: in one go, or behind the program that is still writing it. */
export class FileDigest {
  readonly #hash = createHash("sha256");
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #signal: AbortSignal;
  readonly #file: FileHandle;
  #at = 0;

  private constructor(signal: AbortSignal, file: FileHandle) {
    this.#signal = signal;
    this.#file = file;
  }

  static async open({ signal }: Pick<AgentCtx, "signal">, path: string): Promise<FileDigest> {
    return new FileDigest(signal, (await openStored(path)).handle);
  }

  /** Reads on to where the file ends now. */
  async catchUp(): Promise<DigestedFile> {
    for (;;) {
      if (this.#signal.aborted) throw new CommandError("cancelled", "stopped before its end");
      const { bytesRead } = await this.#file.read(this.#buffer, 0, READ_BYTES, this.#at);
      if (bytesRead === 0) break;
      this.#hash.update(this.#buffer.subarray(0, bytesRead));
      this.#at += bytesRead;
    }
    return { bytes: this.#at, sha256: this.#hash.copy().digest("hex") };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Of all of a file. */
export async function digestFile(
  ctx: Pick<AgentCtx, "signal">,
  path: string,
): Promise<DigestedFile> {
  const digest = await FileDigest.open(ctx, path);
  try {
    return await digest.catchUp();
  } finally {
    await digest.close();
  }
}
