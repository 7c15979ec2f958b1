import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { createTarDecoder } from "modern-tar";
import { CommandError } from "../command-error.ts";
import type { Unpacker } from "./unpacker.ts";

/** Files and folders alone: links and devices have no place in a website, and a link could lead out of it. */
export async function readTarGz(file: FileHandle, unpacker: Unpacker): Promise<void> {
  const source = file.createReadStream({ autoClose: false, start: 0 });
  const gunzip = createGunzip();
  source.once("error", (error) => gunzip.destroy(error));
  const bytes = Readable.toWeb(source.pipe(gunzip)) as unknown as ReadableStream<Uint8Array>;
  try {
    for await (const { header, body } of bytes.pipeThrough(createTarDecoder({ strict: true }))) {
      const type = header.type ?? "file";
      if (type === "directory") {
        await unpacker.folder(header.name);
        await body.cancel();
      } else if (type === "file") {
        await unpacker.file(header.name);
        for await (const piece of body) await unpacker.bytes(piece);
      } else {
        throw new CommandError("invalid", "the archive holds a link or a device");
      }
    }
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}
