import { z } from "zod";
import { siteRef } from "./sites.ts";
import type { CommandCatalogue } from "./spec.ts";

/** One chunk of an upload, so that its frame stays below MAX_FRAME_LENGTH. */
export const MAX_CHUNK_BYTES = 256 * 1024;

/**
 * Below a site's root, "/"-separated, clean; "" is the root. Blanks and letters of any language may be in it, as people
 * name files so, but nothing that means more than itself to a shell, a configuration or a terminal.
 */
export const filePath = z
  .string()
  .max(1_000)
  .refine((path) => path === "" || path.split("/").every(isPlainPart), "not a plain path");

function isPlainPart(part: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  const isOdd = /[\u0000-\u001f\u007f-\u009f\u2028\u2029"'`$;&|<>\\{}*?#%]/.test(part);
  return part !== "" && !/^\.{1,2}$/.test(part) && !isOdd && part.isWellFormed();
}

const entryPath = filePath.refine((path) => path !== "", "the root itself");

/** No set-uid, set-gid or sticky bit. */
export const fileMode = z.string().regex(/^[0-7]{3}$/);

/** A site's SFTP password as `crypt(3)` stores it (bcrypt); the password itself never travels. */
export const cryptHash = z.string().regex(/^\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/);

export const fileEntry = z.object({
  name: z.string(),
  /** Links and the like are shown as what they are, and never followed. */
  kind: z.enum(["file", "directory", "other"]),
  size: z.number().int().nonnegative(),
});
export type FileEntry = z.output<typeof fileEntry>;

const onSite = { site: siteRef };
const quick = { deadlineMs: 10 * 60_000 };
const asked = { ask: true, deadlineMs: 15_000 } as const;

/** What is done with a site's files, always as the site's own user; subject `site/<siteId>`. All are convergent. */
export const filesCommands = {
  /**
   * A piece of an upload, asked and not ordered, so that files are stored nowhere on their way; written again it
   * changes nothing. `at` is how far the file has come: a piece that begins elsewhere is not written, go on from there.
   * The file appears under its name when it is whole.
   */
  "file.write": {
    ...asked,
    input: z.strictObject({
      ...onSite,
      path: entryPath,
      /** Of the whole file. */
      size: z.number().int().min(1),
      offset: z.number().int().nonnegative(),
      base64: z
        .string()
        .max(Math.ceil(MAX_CHUNK_BYTES / 3) * 4)
        .regex(/^[A-Za-z0-9+/]+={0,2}$/),
    }),
    result: z.object({ at: z.number().int().nonnegative(), whole: z.boolean() }),
  },
  "file.list": {
    ...asked,
    /** In the order of the names; `after` the last one of the page before. */
    input: z.strictObject({ ...onSite, path: filePath, after: z.string().max(255).default("") }),
    result: z.object({ entries: z.array(fileEntry), complete: z.boolean() }),
  },
  "file.space": {
    ...asked,
    input: z.strictObject({ ...onSite }),
    result: z.object({ freeBytes: z.number(), freeFiles: z.number() }),
  },
  /**
   * Unpacks a .zip or .tar.gz into an existing folder, over what is there. First beside it and whole: on a full disk, a
   * broken archive, a link or a name that leads out, nothing of it stays.
   */
  "file.extract": {
    input: z.strictObject({ ...onSite, archive: entryPath, into: filePath }),
    result: z.object({ files: z.number().int(), bytes: z.number() }),
    deadlineMs: 30 * 60_000,
  },
  /** A folder that exists is done. */
  "file.make-folder": {
    input: z.strictObject({ ...onSite, path: entryPath }),
    result: z.object({ made: z.boolean() }),
    ...quick,
  },
  /** What is at the new place already and no longer at the old one is done. Nothing is moved over something else. */
  "file.move": {
    input: z.strictObject({ ...onSite, from: entryPath, to: entryPath }),
    result: z.object({}),
    ...quick,
  },
  /** A folder with all that is in it. What is gone is done. */
  "file.remove": {
    input: z.strictObject({ ...onSite, path: entryPath, kind: z.enum(["file", "directory"]) }),
    result: z.object({ removed: z.boolean() }),
    ...quick,
  },
  /** A folder with all that is in it; its files never become executable by a folder's `x`. */
  "file.set-mode": {
    input: z.strictObject({ ...onSite, path: filePath, mode: fileMode }),
    result: z.object({}),
    ...quick,
  },
  /** The site's SFTP sign-in, whose name is the site's user. Absent words stay as they are. */
  "sftp.set": {
    input: z.strictObject({
      ...onSite,
      passwordHash: cryptHash.optional(),
      enabled: z.boolean().optional(),
    }),
    result: z.object({ enabled: z.boolean() }),
    ...quick,
  },
  /** Without a password nobody can sign in: the site has no SFTP. */
  "sftp.remove": {
    input: z.strictObject({ ...onSite }),
    result: z.object({}),
    ...quick,
  },
  "sftp.find": {
    ...asked,
    input: z.strictObject({ username: siteRef.shape.unixUser }),
    result: z.object({
      account: z
        .object({ siteId: siteRef.shape.siteId, username: z.string(), enabled: z.boolean() })
        .nullable(),
    }),
  },
} as const satisfies CommandCatalogue;
