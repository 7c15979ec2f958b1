import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandOutcome } from "../../shared/agent-protocol/index.ts";
import { Journal, type JournalLimits } from "./journal.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const newFile = () => join(folder, crypto.randomUUID(), "journal.jsonl");
const done: CommandOutcome = { ok: true, value: { word: "selesai" } };

function opened(file: string, options: JournalLimits = {}): Journal {
  const journal = new Journal(file, options);
  journal.open();
  return journal;
}

describe("a journal", () => {
  it("knows after a restart what was begun, what was ended and how, and what was acknowledged", () => {
    const [file, ids] = [newFile(), [1, 2, 3].map(() => crypto.randomUUID())];
    const [begun = "", ended = "", gone = ""] = ids;
    const journal = opened(file);
    for (const id of ids) journal.started(id);
    journal.ended(ended, done);
    journal.ended(gone, done);
    journal.acknowledged([gone]);
    const again = opened(file);
    expect(again.holds()).toEqual([
      { id: begun, state: "started" },
      { id: ended, state: "ended" },
    ]);
    expect(again.outcomeOf(ended)).toEqual(done);
    expect(again.unacknowledged()).toEqual([{ id: ended, outcome: done }]);
    expect(again.outcomeOf(begun)).toBeNull();
    again.close();
    journal.close();
  });

  it("reads on over a line that a crash cut at any place", () => {
    const id = crypto.randomUUID();
    const whole = newFile();
    opened(whole).ended(id, done);
    const bytes = readFileSync(whole).length;
    for (let length = 0; length < bytes; length += 7) {
      const file = newFile();
      const other = crypto.randomUUID();
      opened(file).started(other);
      appendFileSync(file, readFileSync(whole));
      truncateSync(file, statSync(file).size - bytes + length);
      const journal = opened(file);
      expect(journal.holds()[0]).toEqual({ id: other, state: "started" });
      journal.ended(other, done);
      expect(opened(file).outcomeOf(other)).toEqual(done);
    }
  });

  it("does not let a command begin that the disk does not take, and tells an end all the same", () => {
    const journal = new Journal("/dev/full");
    const id = crypto.randomUUID();
    expect(() => journal.started(id)).toThrow("ENOSPC");
    expect(journal.holds()).toEqual([]);
    expect(journal.ended(id, done)).toBe(false);
    expect(journal.unacknowledged()).toEqual([{ id, outcome: done }]);
    journal.acknowledged([id]);
    expect(journal.holds()).toEqual([]);
  });

  it("stays small on disk and in memory, whatever was done", () => {
    const file = newFile();
    const journal = opened(file, { most: 10, linesAtMost: 50 });
    for (let i = 0; i < 150; i += 1) {
      const id = crypto.randomUUID();
      journal.ended(id, done);
      if (i % 2 === 0) journal.acknowledged([id]);
    }
    expect(journal.holds()).toHaveLength(10);
    expect(statSync(file).size).toBeLessThan(15_000);
    expect(opened(file, { most: 10 }).holds()).toEqual(journal.holds());
  });

  it("is for its owner's eyes", () => {
    const file = newFile();
    opened(file).started(crypto.randomUUID());
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
