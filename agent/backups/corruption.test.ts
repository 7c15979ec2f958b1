import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { BackupFacts } from "../../shared/agent-protocol/backups.ts";
import { CommandError } from "../command-error.ts";
import { needs } from "../testing/needs.ts";
import { archiveOf, type SiteOnServer, TestServer } from "./testing/server.ts";

const SEEDS = 200;

/** Mulberry32: the same damage every time. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 0x9e3779b9;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

let server: TestServer;
let stranger: TestServer;
let site: SiteOnServer;
let facts: BackupFacts;
let foreign: BackupFacts;
let archive: Buffer;
let manifest: string;

type Damage = (random: (below: number) => number) => void;
const writeArchive = (bytes: Buffer) => writeFileSync(archiveOf(facts), bytes);
const writeManifest = (text: string) => writeFileSync(facts.file, text);

/** Each kind of damage; where and how is the seed's. */
const DAMAGES: Record<string, Damage> = {
  "a truncated archive": (random) => writeArchive(archive.subarray(0, random(archive.length))),
  "bytes that were flipped": (random) => {
    const bytes = Buffer.from(archive);
    for (let n = 1 + random(4); n > 0; n -= 1) {
      const at = random(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    }
    if (bytes.equals(archive)) bytes[0] = (bytes[0] ?? 0) ^ 1;
    writeArchive(bytes);
  },
  "parts that were swapped": (random) => {
    const size = 64 + random(4_000);
    const from = random(Math.floor(archive.length / 2) - size);
    const to = Math.floor(archive.length / 2) + random(Math.floor(archive.length / 2) - size);
    const bytes = Buffer.from(archive);
    archive.copy(bytes, to, from, from + size);
    archive.copy(bytes, from, to, to + size);
    writeArchive(bytes);
  },
  "bytes at its end": (random) =>
    writeArchive(Buffer.concat([archive, Buffer.alloc(1 + random(600))])),
  "an altered manifest": (random) => {
    const at = random(manifest.length - 1);
    const letter = manifest[at] === "7" ? "8" : "7";
    writeManifest(manifest.slice(0, at) + letter + manifest.slice(at + 1));
  },
  "a truncated manifest": (random) => writeManifest(manifest.slice(0, random(manifest.length - 2))),
  "another version": (random) =>
    writeManifest(manifest.replace('"format":1', `"format":${2 + random(1_000)}`)),
  "counts that were changed with the manifest's sum": (random) =>
    writeManifest(manifest.replace(/"files":\d+/, `"files":${100 + random(1_000)}`)),
  "another server's manifest": () => copyFileSync(foreign.file, facts.file),
  "another server's backup, named as ours": () => {
    const text = readFileSync(foreign.file, "utf8");
    writeManifest(
      text.replaceAll(foreign.name, facts.name).replaceAll(foreign.backupId, facts.backupId),
    );
    copyFileSync(archiveOf(foreign), archiveOf(facts));
  },
};
const KINDS = Object.keys(DAMAGES);

needs(
  "tar",
  "zstd",
  "age",
)("a damaged backup", () => {
  beforeAll(async () => {
    [server, stranger] = [new TestServer(), new TestServer()];
    const random = randomOf(7);
    const bytes = Buffer.from(Array.from({ length: 30_000 }, () => random(256)));
    site = server.site({ "index.html": "asli", "data.bin": bytes });
    facts = await server.backUp(site.target);
    foreign = await stranger.backUp(stranger.site({ "index.html": "orang lain" }).target);
    archive = readFileSync(archiveOf(facts));
    manifest = readFileSync(facts.file, "utf8");
  });
  afterAll(() => {
    server.remove();
    stranger.remove();
  });

  it(`is found by prove and by restore, ${SEEDS} times out of ${SEEDS}, and nothing is touched`, async () => {
    const live = join(site.root, "index.html");
    writeFileSync(live, "hidup");
    const found: Record<string, number> = {};
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const kind = KINDS[seed % KINDS.length] ?? "";
      writeArchive(archive);
      writeManifest(manifest);
      DAMAGES[kind]?.(randomOf(seed));
      for (const attempt of [() => server.prove(facts), () => server.restore(facts, site.target)]) {
        const failure = await attempt().then(
          () => null,
          (error: unknown) => error,
        );
        expect(failure, `${kind}, seed ${seed}`).toBeInstanceOf(CommandError);
        const code = failure instanceof CommandError ? failure.code : "";
        expect(["integrity", "version", "not_found"], `${kind}, seed ${seed}`).toContain(code);
        found[kind] = (found[kind] ?? 0) + 1;
      }
      expect(readFileSync(live, "utf8")).toBe("hidup");
    }
    expect(Object.values(found).reduce((sum, n) => sum + n, 0)).toBe(2 * SEEDS);
    expect(Object.keys(found).sort()).toEqual([...KINDS].sort());
  });

  it("is told apart by its version where that is what is wrong", async () => {
    writeArchive(archive);
    writeManifest(manifest.replace('"format":1', '"format":2'));
    await expect(server.prove(facts)).rejects.toMatchObject({ code: "version" });
  });

  it("does not pass with a whole other backup of this very server in its place", async () => {
    const other = await server.backUp(site.target);
    copyFileSync(archiveOf(other), archiveOf(facts));
    writeManifest(manifest);
    await expect(server.restore(facts, site.target)).rejects.toMatchObject({ code: "integrity" });
    copyFileSync(other.file, facts.file);
    await expect(server.restore(facts, site.target)).rejects.toMatchObject({ code: "integrity" });
  });

  it("is not damaged at all when it is put back as it was", async () => {
    writeArchive(archive);
    writeManifest(manifest);
    await server.restore(facts, site.target);
    expect(readFileSync(join(site.root, "index.html"), "utf8")).toBe("asli");
  });
});
