import type { FileHandle } from "node:fs/promises";
import { Unzip, UnzipInflate } from "fflate";
import { CommandError } from "../command-error.ts";
import type { Unpacker } from "./unpacker.ts";

/** Small, so that what a bomb inflates from one piece fits into memory. */
const PIECE_BYTES = 16 * 1024;

type Event = { kind: "file"; name: string } | { kind: "bytes"; bytes: Uint8Array };

/** By the local headers, in the order of the file. A link's target would become the text of a plain file. */
export async function readZip(file: FileHandle, unpacker: Unpacker): Promise<void> {
  const events: Event[] = [];
  let open = 0;
  const unzip = new Unzip((entry) => {
    events.push({ kind: "file", name: entry.name });
    open += 1;
    entry.ondata = (error, bytes, isLast) => {
      if (error) throw error;
      events.push({ kind: "bytes", bytes });
      if (isLast) open -= 1;
    };
    entry.start();
  });
  unzip.register(UnzipInflate);
  const piece = Buffer.alloc(PIECE_BYTES);
  let entries = 0;
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, at);
    at += bytesRead;
    unzip.push(Uint8Array.from(piece.subarray(0, bytesRead)), bytesRead === 0);
    entries += await take(events, unpacker);
    if (bytesRead === 0) break;
  }
  if (open > 0 || entries === 0) throw new CommandError("invalid", "the archive is not whole");
}

async function take(events: Event[], unpacker: Unpacker): Promise<number> {
  let entries = 0;
  for (const event of events.splice(0)) {
    if (event.kind === "file") {
      entries += 1;
      if (event.name.endsWith("/")) await unpacker.folder(event.name);
      else await unpacker.file(event.name);
    } else if (event.kind === "bytes" && event.bytes.length > 0) await unpacker.bytes(event.bytes);
  }
  return entries;
}
