import type { Aapanel } from "../../../shared/providers/aapanel.ts";
import type { HostResult, UploadInput } from "./driver.ts";
import { done, refused, resultOf } from "./results.ts";

/** Three of them are in memory at most: as read, as a form, as it leaves. */
const CHUNK_BYTES = 2 * 1024 * 1024;
/** How often the panel may answer without having come any further. */
const MOST_STANDSTILLS = 5;

/** Sends a file piece by piece, always from where the panel says that it stands. */
export async function uploadInChunks(
  panel: Aapanel,
  path: string,
  { source, onProgress }: UploadInput,
): Promise<HostResult<void>> {
  if (source.size < 1) return refused("invalid", "an empty file is not uploaded");
  const slash = path.lastIndexOf("/");
  const file = { folder: path.slice(0, slash), name: path.slice(slash + 1), size: source.size };
  let start = 0;
  let furthest = 0;
  for (let standstills = 0; standstills <= MOST_STANDSTILLS; ) {
    const length = Math.min(CHUNK_BYTES, source.size - start);
    // A panel that holds every byte but has not closed the file is sent the last one again.
    const at = length > 0 ? start : source.size - 1;
    const bytes = await source.read(at, Math.max(length, 1));
    const sent = await resultOf(() => panel.uploadChunk({ ...file, start: at, bytes }));
    if (sent.state !== "done") return sent;
    if (sent.value === "whole") return done(undefined);
    if (sent.value <= furthest) standstills += 1;
    start = sent.value;
    furthest = Math.max(furthest, start);
    if (onProgress && !(await onProgress(start)))
      return refused("stopped", "stopped by its caller");
  }
  return { state: "unknown", detail: "the panel does not come to the end of a file" };
}
