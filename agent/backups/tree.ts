import type { Readable } from "node:stream";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { digestOf, startDigest } from "./digest-stage.ts";
import { type Stage, type StartStage, withStages } from "./processes.ts";
import { TarError } from "./tar-reader.ts";
import { TreeDigest, type TreeFacts } from "./tree-digest.ts";

/** 64 KiB at a time, as much as a pipe holds. Who unpacks less at a time ends before the zeros behind the end have come. */
const BLOCKING = "--blocking-factor=128";
/** Owners as numbers, holes as holes, names in one order; what lies in other file systems comes along. */
const PACK = [
  "--create",
  "--format=gnu",
  "--sparse",
  "--sort=name",
  "--numeric-owner",
  "--warning=no-file-ignored",
  BLOCKING,
];
/** Nobody's files but ours, whatever the archive says of owners; who they belong to is decided by `SiteTree.giveTo`. */
const UNPACK = [
  "--extract",
  "--preserve-permissions",
  "--no-same-owner",
  "--delay-directory-restore",
  BLOCKING,
];
/** Tar's way to say that a file changed under it; what was read is in the archive. */
const CHANGED = 1;
const CHANGE =
  /: (?:file changed as we read it|File removed before we read it|File shrank by \d+ bytes)/g;

export interface PackedTree extends TreeFacts {
  streamBytes: number;
  changed: number;
}

/** Reads a folder; its output is a tar stream. */
export const startPacking = (start: StartStage, dir: string): Stage =>
  start("tar", [...PACK, `--directory=${dir}`, "--file=-", "."], { allowed: [0, CHANGED] });

/** Fills an empty folder from its input. */
export const startUnpacking = (start: StartStage, dir: string): Stage =>
  start("tar", [...UNPACK, `--directory=${dir}`, "--file=-"], { stdin: "pipe" });

/** Digests what tar reads. */
export async function digestTree(tar: Stage): Promise<PackedTree> {
  const digest = new TreeDigest();
  for await (const chunk of tar.stdout as AsyncIterable<Buffer>) digest.push(chunk);
  await tar.ended();
  return { ...digest.end(), streamBytes: digest.streamBytes, changed: changesOf(tar) };
}

/** Digests what tar reads on its way to the next program. */
export async function packTree(
  tar: Stage,
  start: StartStage,
  compress: (from: Readable) => Stage,
): Promise<PackedTree> {
  const digest = startDigest(start, tar);
  compress(digest.stdout);
  const [read, facts] = await Promise.allSettled([tar.ended(), digestOf(digest)]);
  // What stops the first also cuts the second short.
  if (read.status === "rejected") throw read.reason;
  if (facts.status === "rejected") throw facts.reason;
  return { ...facts.value, changed: changesOf(tar) };
}

const changesOf = (tar: Stage): number => tar.said.match(CHANGE)?.length ?? 0;

/** Gives a plain tar stream to tar, and digests what came. */
export async function unpackTree(plain: Stage, tar: Stage): Promise<TreeFacts> {
  const digest = new TreeDigest();
  for await (const chunk of plain.stdout as AsyncIterable<Buffer>) {
    digest.push(chunk);
    await tar.write(chunk);
  }
  tar.end();
  await tar.ended();
  return digest.end();
}

/** What lies in a folder now, read from the disk again. */
export async function treeOf(ctx: AgentCtx, dir: string): Promise<PackedTree> {
  return await withStages(ctx, (start) => digestTree(startPacking(start, dir)));
}

export function sameTree(a: TreeFacts, b: TreeFacts): boolean {
  const { entries, files, directories, links, bytes, tree } = a;
  return (
    tree === b.tree &&
    entries === b.entries &&
    files === b.files &&
    directories === b.directories &&
    links === b.links &&
    bytes === b.bytes
  );
}

/** A stream that is no tar of ours is damage. */
export function treeError(error: unknown): unknown {
  if (error instanceof TarError)
    return new CommandError("integrity", "the archive is damaged or was altered");
  return error;
}
