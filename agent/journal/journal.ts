import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import {
  type CommandOutcome,
  commandOutcome,
  type HeldCommand,
  MAX_HELD,
} from "../../shared/agent-protocol/index.ts";

const line = z.discriminatedUnion("is", [
  z.object({ is: z.literal("started"), id: z.uuid() }),
  z.object({ is: z.literal("ended"), id: z.uuid(), outcome: commandOutcome }),
  z.object({ is: z.literal("gone"), id: z.uuid() }),
]);
type Line = z.output<typeof line>;

/** After so many lines the file is written anew with what still counts. */
const LINES_BEFORE_COMPACTION = 1_000;

export interface JournalLimits {
  /** Commands held at once. */
  most?: number;
  /** Lines of the file beside those that count. */
  linesAtMost?: number;
}

/**
 * What this agent has begun and what it has ended without the edge knowing yet, on disk: a line a fact, each there before
 * it is acted on or told. Inputs are never written (they may hold passwords). A crash costs at most a broken last line,
 * which is passed over: its command is sent again and its handler finds its own traces.
 */
export class Journal {
  readonly #file: string;
  readonly #most: number;
  readonly #held = new Map<string, CommandOutcome | null>();
  readonly #linesAtMost: number;
  #descriptor: number | null = null;
  #lines = 0;

  constructor(
    file: string,
    { most = MAX_HELD, linesAtMost = LINES_BEFORE_COMPACTION }: JournalLimits = {},
  ) {
    this.#file = file;
    this.#most = most;
    this.#linesAtMost = linesAtMost;
  }

  /** Reads what an earlier process left. */
  open(): void {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o711 });
    for (const text of readLines(this.#file)) this.#replay(text);
    this.#compact();
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  /** Before a handler acts. Throws when the disk does not take it: then nothing is done. */
  started(id: string): void {
    this.#append({ is: "started", id }, { sync: true });
    this.#keep(id, null);
  }

  /** Before the end is told. An end that the disk does not take is kept in memory, and told all the same. */
  ended(id: string, outcome: CommandOutcome): boolean {
    this.#keep(id, outcome);
    try {
      this.#append({ is: "ended", id, outcome }, { sync: true });
      return true;
    } catch {
      return false;
    }
  }

  /** The edge has written the ends down. */
  acknowledged(ids: readonly string[]): void {
    const known = ids.filter((id) => this.#held.delete(id));
    try {
      for (const id of known) this.#append({ is: "gone", id }, { sync: false });
    } catch {
      // They are told once more after a restart, and acknowledged once more.
    }
  }

  outcomeOf(id: string): CommandOutcome | null {
    return this.#held.get(id) ?? null;
  }

  holds(): HeldCommand[] {
    return [...this.#held].map(([id, outcome]) => ({ id, state: outcome ? "ended" : "started" }));
  }

  /** Ends that the edge may not know, oldest first. */
  unacknowledged(): { id: string; outcome: CommandOutcome }[] {
    return [...this.#held].flatMap(([id, outcome]) => (outcome ? [{ id, outcome }] : []));
  }

  #replay(text: string): void {
    const fact = parsed(text);
    if (!fact) return;
    if (fact.is === "gone") this.#held.delete(fact.id);
    else this.#keep(fact.id, fact.is === "ended" ? fact.outcome : null);
  }

  /** The oldest gives way: its command comes again, and its handler finds it done. */
  #keep(id: string, outcome: CommandOutcome | null): void {
    this.#held.delete(id);
    this.#held.set(id, outcome);
    const [oldest] = this.#held.keys();
    if (this.#held.size > this.#most && oldest !== undefined) this.#held.delete(oldest);
  }

  #append(fact: Line, { sync }: { sync: boolean }): void {
    if (this.#lines >= this.#linesAtMost + this.#held.size) this.#compact();
    this.#descriptor ??= openSync(this.#file, "a", 0o600);
    // A newline in front as well: a line that a full disk cut off spoils no line but itself.
    writeAll(this.#descriptor, `\n${JSON.stringify(fact)}\n`);
    if (sync) fsyncSync(this.#descriptor);
    this.#lines += 1;
  }

  /** Writes what counts to another file and puts it in this one's place, whole or not at all. */
  #compact(): void {
    const facts = [...this.#held].map(
      ([id, outcome]): Line => (outcome ? { is: "ended", id, outcome } : { is: "started", id }),
    );
    const next = `${this.#file}.next`;
    const descriptor = openSync(next, "w", 0o600);
    try {
      writeAll(descriptor, facts.map((fact) => `${JSON.stringify(fact)}\n`).join(""));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(next, this.#file);
    syncFolder(dirname(this.#file));
    this.close();
    this.#lines = facts.length;
  }
}

/** Writes may be cut short; what a full disk refuses is thrown. */
function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  let at = 0;
  while (at < bytes.length) at += writeSync(descriptor, bytes, at);
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

function parsed(text: string): Line | null {
  try {
    return line.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

export const journalFile = (stateDir: string) => join(stateDir, "journal.jsonl");
