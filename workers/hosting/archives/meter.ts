import { refuse } from "./refusal.ts";

const MIB = 1024 * 1024;

/** What an archive may hold. */
export const LIMITS = {
  entries: 20_000,
  /** Of all that comes out of it. */
  totalBytes: 500 * MIB,
  /** Out over in, from `ratioFromBytes` on: text shrinks to a tenth, a bomb to a thousandth. */
  ratio: 100,
  ratioFromBytes: 10 * MIB,
  /** Of all names together, which are kept until the end to find doubles. */
  nameBytes: 2 * MIB,
  pathBytes: 1024,
  segmentBytes: 255,
  depth: 40,
} as const;

export type Limits = { [K in keyof typeof LIMITS]: number };

/** Counts what really comes out of an archive, and stops it in the middle of a bomb. */
export class Meter {
  readonly limits: Limits;
  entries = 0;
  totalBytes = 0;

  constructor(limits: Limits = LIMITS) {
    this.limits = limits;
  }

  addEntry(): void {
    this.entries += 1;
    if (this.entries > this.limits.entries) refuse("too_many");
  }

  /** What an entry says about itself is enough to refuse it, never to accept it. */
  announce(bytes: number): void {
    if (this.totalBytes + bytes > this.limits.totalBytes) refuse("too_big");
  }

  /** `bytes` more have come out of the first `readBytes` of the archive. */
  add(bytes: number, readBytes: number): void {
    this.totalBytes += bytes;
    const { totalBytes, ratio, ratioFromBytes } = this.limits;
    if (this.totalBytes > totalBytes) refuse("too_big");
    if (this.totalBytes > ratioFromBytes && this.totalBytes > ratio * readBytes) refuse("ratio");
  }
}
