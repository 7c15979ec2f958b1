import { createHash } from "node:crypto";
import { type TarEntry, TarReader } from "./tar-reader.ts";

/** What is in a tree, and one checksum of all of it. */
export interface TreeFacts {
  entries: number;
  files: number;
  directories: number;
  links: number;
  /** Of the files, holes included. */
  bytes: number;
  /** Sum of the entries' digests modulo 2^256: any order gives the same, nothing needs to be kept. */
  tree: string;
}

/** Read, write and execute; neither setuid nor setgid nor sticky. */
export const PLAIN_MODE = 0o777;
const MODULUS = 1n << 256n;

/**
 * Digests a tar stream of a tree entry by entry: kind, name, target, mode, time and content. Owners are left out: a
 * site that was made again has another user, and proving needs no right to make files for others. So are the bits that
 * lend a program its owner's rights: no restore sets them.
 */
export class TreeDigest {
  readonly #reader = new TarReader((entry) => this.#add(entry));
  readonly #facts = { entries: 0, files: 0, directories: 0, links: 0, bytes: 0 };
  #sum = 0n;
  /** Of the stream. */
  streamBytes = 0;

  push(chunk: Buffer): void {
    this.streamBytes += chunk.length;
    this.#reader.push(chunk);
  }

  end(): TreeFacts {
    this.#reader.end();
    return { ...this.#facts, tree: this.#sum.toString(16).padStart(64, "0") };
  }

  #add(entry: TarEntry): void {
    const facts = this.#facts;
    facts.entries += 1;
    if (entry.type === "directory") facts.directories += 1;
    else if (entry.type === "link") facts.links += 1;
    else facts.files += 1;
    facts.bytes += entry.size;
    const { type, mode, mtime, size } = entry;
    const digest = createHash("sha256")
      .update(
        `${type} ${(mode & PLAIN_MODE).toString(8)} ${mtime} ${size} ${entry.name.length} ${entry.target.length}\n`,
      )
      .update(entry.name)
      .update(entry.target)
      .update(entry.content)
      .digest("hex");
    this.#sum = (this.#sum + BigInt(`0x${digest}`)) % MODULUS;
  }
}
