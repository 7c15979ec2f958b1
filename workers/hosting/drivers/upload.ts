import type { HostResult, UploadInput } from "./driver.ts";
import { done, refused } from "./results.ts";

/** How the server takes a file. */
export interface ChunkWay {
  /** Three of them are in memory at most: as read, as it is wrapped, as it leaves. */
  chunkBytes: number;
  /** One piece; answers how far the file has come, or that it is whole. */
  send(start: number, bytes: Uint8Array<ArrayBuffer>): Promise<HostResult<number | "whole">>;
}

/** How often the server may answer without having come any further. */
const MOST_STANDSTILLS = 5;

/** Sends a file piece by piece, always from where the server says that it stands. */
export async function uploadInChunks(
  { chunkBytes, send }: ChunkWay,
  { source, onProgress }: UploadInput,
): Promise<HostResult<void>> {
  if (source.size < 1) return refused("invalid", "an empty file is not uploaded");
  let start = 0;
  let furthest = 0;
  for (let standstills = 0; standstills <= MOST_STANDSTILLS; ) {
    const length = Math.min(chunkBytes, source.size - start);
    // A server that holds every byte but has not closed the file is sent the last one again.
    const at = length > 0 ? start : source.size - 1;
    const bytes = await source.read(at, Math.max(length, 1));
    const sent = await send(at, bytes);
    if (sent.state !== "done") return sent;
    if (sent.value === "whole") return done(undefined);
    if (sent.value <= furthest) standstills += 1;
    start = sent.value;
    furthest = Math.max(furthest, start);
    if (onProgress && !(await onProgress(start)))
      return refused("stopped", "stopped by its caller");
  }
  return { state: "unknown", detail: "the server does not come to the end of a file" };
}
