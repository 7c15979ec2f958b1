import { z } from "zod";
import { ProviderError } from "../provider-error.ts";
import { badAnswer, type Call, Done, type Line, plainPath } from "./line.ts";

const CHUNK_PATIENCE = 3;
const EXTRACT_PATIENCE = 6;
const PAGE_ENTRIES = 500;
const MOST_PAGES = 100;

export interface ChunkInput {
  folder: string;
  name: string;
  /** Of the whole file. */
  size: number;
  start: number;
  bytes: Uint8Array<ArrayBuffer>;
}

const Stored = z.union([
  z.number().int().nonnegative(),
  z.looseObject({ status: z.literal(true) }).transform(() => "whole" as const),
]);

/**
 * One piece of a file. Answers how many bytes the panel holds now, or "whole" after the last. A piece that begins
 * elsewhere than where the panel stands is not written: go on from the number.
 */
export async function uploadChunk(line: Line, input: ChunkInput): Promise<number | "whole"> {
  const { folder, name, size, start, bytes } = input;
  plainPath(`${folder}/${name}`);
  const call: Call<number | "whole"> = {
    group: "files",
    action: "upload",
    fields: { f_path: folder, f_name: name, f_size: String(size), f_start: String(start) },
    schema: Stored,
    // A piece that the panel has already is answered with the number of the next.
    idempotent: true,
    patience: CHUNK_PATIENCE,
  };
  const stored = await line.upload(call, bytes);
  if (stored !== "whole" && stored > size) throw badAnswer("more bytes stored than there are");
  return stored;
}

const ARCHIVE_TYPES: [RegExp, string][] = [
  [/\.zip$/, "zip"],
  [/\.(tar\.gz|tgz)$/, "tar"],
];

/** Below 50 MiB it is unpacked when the answer comes; what came out of it is to be looked at in any case. */
export const extract = (line: Line, archive: string, into: string) =>
  line.call({
    group: "files",
    action: "UnZip",
    fields: {
      sfile: plainPath(archive),
      dfile: plainPath(into),
      type: ARCHIVE_TYPES.find(([pattern]) => pattern.test(archive))?.[1] ?? "zip",
      coding: "UTF-8",
      password: "",
    },
    schema: Done,
    idempotent: true,
    patience: EXTRACT_PATIENCE,
  });

/** `mode` like "755", owner is the web server's user; a folder with all that is in it. */
export const setAccess = (line: Line, path: string, mode: string) =>
  line.call({
    group: "files",
    action: "SetFileAccess",
    fields: { filename: plainPath(path), user: "www", access: mode, all: "True" },
    schema: Done,
    idempotent: true,
    patience: EXTRACT_PATIENCE,
  });

/** A folder that exists is fine. */
export const makeDirectory = (line: Line, path: string) =>
  passing("exists", () =>
    line.call({
      group: "files",
      action: "CreateDir",
      fields: { path: plainPath(path) },
      schema: Done,
      idempotent: true,
    }),
  );

/** What is gone already is fine. It goes to the panel's recycle bin where that is on. */
export const removeEntry = (line: Line, path: string, kind: "file" | "directory") =>
  passing("not_found", () =>
    line.call({
      group: "files",
      action: kind === "file" ? "DeleteFile" : "DeleteDir",
      fields: { path: plainPath(path) },
      schema: Done,
      idempotent: true,
      patience: EXTRACT_PATIENCE,
    }),
  );

export const move = (line: Line, from: string, to: string) =>
  line.call({
    group: "files",
    action: "MvFile",
    fields: { sfile: plainPath(from), dfile: plainPath(to) },
    schema: Done,
    idempotent: false,
  });

async function passing(code: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== code) throw error;
  }
}

export interface PanelEntry {
  name: string;
  kind: "file" | "directory";
  size: number;
}

/** `name;size;mtime;…`: a name may hold a semicolon itself, so the first two numbers in a row end it. */
const ENTRY = /^(.+?);(\d+);\d+(?:;|$)/s;

const Listing = z.looseObject({
  DIR: z.array(z.string()),
  FILES: z.array(z.string()),
  PATH: z.string(),
});

/** What lies in a folder, or null where there is no such folder: the panel then lists another one without a word. */
export async function listDirectory(line: Line, path: string): Promise<PanelEntry[] | null> {
  const entries: PanelEntry[] = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const listing = await line.call({
      group: "files",
      action: "GetDir",
      fields: { path: plainPath(path), p: String(page), showRow: String(PAGE_ENTRIES) },
      schema: Listing,
      idempotent: true,
    });
    if (listing.PATH.replace(/\/+$/, "") !== path) return null;
    entries.push(...listing.DIR.map((text) => entryOf(text, "directory")));
    entries.push(...listing.FILES.map((text) => entryOf(text, "file")));
    if (listing.DIR.length + listing.FILES.length < PAGE_ENTRIES) return entries;
  }
  throw badAnswer(`a folder of more than ${PAGE_ENTRIES * MOST_PAGES} entries`);
}

function entryOf(text: string, kind: PanelEntry["kind"]): PanelEntry {
  const [, name, size] = ENTRY.exec(text) ?? [];
  if (name === undefined) throw badAnswer("an entry of another form in a listing");
  return { name, kind, size: Number(size) };
}
