import { appendFile, mkdir, rename, rm, stat } from "node:fs/promises";
import { posix } from "node:path";
import { done, Raised, Refused, refused, refusedLikeV2 } from "./answers.ts";
import { type Call, need, needInt } from "./call.ts";
import type { Panel } from "./engine.ts";

const longestName = 255;

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => null);
  return found?.size ?? 0;
}

/** What a chunk is stored as; dials may spoil it. */
function stored(panel: Panel, call: Call): Buffer {
  const { b64_data: encoded } = call.form;
  if (encoded === undefined && call.blobs.length === 0) throw new Raised("no blob");
  const sent = encoded === undefined ? Buffer.concat(call.blobs) : Buffer.from(encoded, "base64");
  if (sent.length > 0 && panel.own.take("corruptChunk", call.text)) {
    const middle = sent.length >> 1;
    sent.writeUInt8(sent.readUInt8(middle) ^ 0xff, middle);
  }
  return panel.own.take("shortChunk", call.text) ? sent.subarray(0, sent.length >> 1) : sent;
}

/** Owner and mode of what was uploaded: `dir_mode` and `file_mode` are `mode,owner`. */
function setModes(panel: Panel, call: Call, folder: string, file: string): void {
  const read = (text: string | undefined) => {
    const [access, owner] = (text ?? "").split(",");
    return access && owner && /^[0-7]{3}$/.test(access) ? { access, owner } : null;
  };
  const folderMode = read(call.form.dir_mode);
  const fileMode = read(call.form.file_mode);
  if (folderMode) panel.area.setMode(folder, folderMode);
  panel.area.setMode(file, fileMode ?? { access: "755", owner: "www" });
}

/**
 * One chunk. It is appended to `<f_name>.<f_size>.upload.tmp` when that holds exactly `f_start` bytes; otherwise nothing
 * is written and the answer is the number of bytes that are there, as it is after every chunk but the last.
 */
export async function upload(panel: Panel, call: Call): Promise<unknown> {
  const name = need(call, "f_name");
  const size = needInt(call, "f_size");
  const start = needInt(call, "f_start");
  if (name === "" || /[;&<>]/.test(name) || name.includes("/")) {
    return refused("The file name contains illegal characters");
  }
  const part = `${name}.${size}.upload.tmp`;
  if (Buffer.byteLength(part) > longestName) {
    return refusedLikeV2("The file name is too long", panel.clock());
  }
  const folder = need(call, "f_path");
  if (folder === "/") return refused("Cannot upload files to the system root!");
  const final = panel.area.target(posix.join(panel.area.plain(folder), name));
  if (!final.startsWith(`${panel.area.plain(folder)}/`)) throw new Refused("Unsafe path");
  const file = await panel.area.real(final);
  const kept = await panel.area.real(posix.join(posix.dirname(final), part));
  await mkdir(posix.dirname(file), { recursive: true });
  const before = await sizeOf(kept);
  if (before !== start) return before;
  await appendFile(kept, stored(panel, call));
  const after = await sizeOf(kept);
  if (after !== size) return after;
  if ((await panel.area.kind(final)) === "directory") return refused("A directory has this name");
  await rm(file, { force: true });
  await rename(kept, file);
  setModes(panel, call, posix.dirname(final), final);
  return done("Successfully uploaded!");
}
