import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proveBackup } from "../../agent/backups/prove.ts";
import { runBackup } from "../../agent/backups/run.ts";
import type { AgentCtx } from "../../agent/ctx.ts";
import { settingsSchema } from "../../agent/settings.ts";

const ROUNDS = 5;
const MEBIBYTE = 1024 * 1024;
const GOAL = 0.8;
const PROGRAMS = ["/usr/bin/tar", "/usr/bin/zstd", "/usr/bin/age", "/usr/bin/age-keygen"];

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** A site as sites are: many small texts, some pictures that no program makes smaller, a few large dumps. */
function makeTree(root: string): number {
  const words = readFileSync(join(import.meta.dirname, "backups.ts"), "utf8").split(/\s+/);
  const page = (seed: number, length: number) => {
    let text = "";
    for (let i = 0; text.length < length; i += 1)
      text += `${words[(i * i + seed * 7 + i) % words.length]} ${(i * seed) % 9973} `;
    return text;
  };
  const picture = (seed: number, bytes: number) => {
    const out = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at += 32)
      createHash("sha256").update(`${seed} ${at}`).digest().copy(out, at);
    return out;
  };
  let bytes = 0;
  const put = (name: string, content: string | Buffer) => {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), content);
    bytes += content.length;
  };
  for (let i = 0; i < 3_000; i += 1)
    put(`app/${i % 60}/halaman-${i}.php`, page(i + 1, 4_000 + (i % 7) * 3_000));
  for (let i = 0; i < 120; i += 1) put(`gambar/${i}.jpg`, picture(i, 512 * 1024));
  for (let i = 0; i < 6; i += 1) put(`data/${i}.sql`, page(i + 5_000, 24 * MEBIBYTE));
  return bytes;
}

/** The agent's own code with its real programs, in a temporary place. */
function makeServer(dir: string): AgentCtx {
  const key = join(dir, "operator.txt");
  execFileSync("/usr/bin/age-keygen", ["-o", key], { stdio: "ignore" });
  const recipient = /public key: (age1\S+)/.exec(readFileSync(key, "utf8"))?.[1];
  for (const name of ["state", "www", "backups", "scratch"]) mkdirSync(join(dir, name));
  const silent = () => undefined;
  return {
    settings: settingsSchema.parse({
      ...{ url: "http://127.0.0.1:9", serverId: "srv_bench", stateDir: join(dir, "state") },
      sitesRoot: join(dir, "www"),
      backups: {
        dir: join(dir, "backups"),
        scratchDir: join(dir, "scratch"),
        recipient,
        reserveBytes: 0,
      },
    }),
    run: () => Promise.reject(new Error("not used")),
    root: () => Promise.reject(new Error("not used")),
    edge: () => Promise.reject(new Error("no edge")),
    log: { info: silent, warn: silent, error: silent },
    now: () => new Date(),
    signal: new AbortController().signal,
    dryRun: false,
  };
}

interface Took {
  ms: number;
  cpuS: number;
}

const TICKS_PER_S = 100;

/** Of this process and of what it started and waited for: on a shared machine the fairer measure. */
function cpuSeconds(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_S;
}

async function timed<T>(work: () => Promise<T> | T): Promise<Took & { value: T }> {
  const [began, cpu] = [performance.now(), cpuSeconds()];
  const value = await work();
  return { ms: performance.now() - began, cpuS: cpuSeconds() - cpu, value };
}

const PEER = 'tar -C "$0" -cf - . | zstd -q "$2" -c > "$1" && sync "$1"';

/** The peer: nothing but `tar | zstd`, with what it wrote on the disk. */
async function plain(dir: string, root: string, level: string): Promise<Took & { bytes: number }> {
  const out = join(dir, "plain.tar.zst");
  const took = await timed(() => execFileSync("/bin/sh", ["-c", PEER, root, out, level]));
  return { ...took, bytes: statSync(out).size };
}

const medians = (of: Took[]): Took => ({
  ms: median(of.map(({ ms }) => ms)),
  cpuS: median(of.map(({ cpuS }) => cpuS)),
});

/**
 * A site's backup (read, digested file by file, compressed, encrypted, written through to the disk and read back) beside
 * `tar | zstd` of the same tree, in turns; medians. Then what proving it takes.
 */
export async function benchBackups(): Promise<string[]> {
  if (!PROGRAMS.every((program) => existsSync(program))) {
    console.log("Backups are left out: they need tar, zstd and age");
    return [];
  }
  const dir = mkdtempSync(join(tmpdir(), "lumbung-bench-backups-"));
  try {
    const ctx = makeServer(dir);
    const root = join(dir, "www", "bench.example");
    const bytes = makeTree(root);
    const took = {
      peer: [] as Took[],
      level2: [] as Took[],
      ours: [] as Took[],
      proof: [] as Took[],
    };
    let sizes = { peer: 0, level2: 0, ours: 0 };
    for (let round = 0; round <= ROUNDS; round += 1) {
      const peer = await plain(dir, root, "-3");
      const { made, proof } = await backUpAndProve(ctx, root, round);
      const level2 = await plain(dir, root, "-2");
      sizes = { peer: peer.bytes, level2: level2.bytes, ours: made.value.bytes };
      // The first round warms the disk's cache.
      if (round === 0) continue;
      took.peer.push(peer);
      took.level2.push(level2);
      took.ours.push(made);
      took.proof.push(proof);
    }
    const { peer, level2, ours, proof } = took;
    return report(bytes, sizes, {
      ...{ peer: medians(peer), level2: medians(level2), ours: medians(ours) },
      proof: medians(proof),
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function backUpAndProve(ctx: AgentCtx, root: string, round: number) {
  const second = String(round).padStart(2, "0");
  const order = {
    ...{ backupId: randomUUID(), createdAt: `2026-02-26T14:00:${second}Z` },
    name: `nusantara_site_bench.example_20260226_1400${second}.json`,
    target: {
      ...{ kind: "site" as const, siteId: "site_1_000000000000" },
      ...{ domain: "bench.example", rootPath: root },
    },
  };
  const made = await timed(() => runBackup(ctx, order, () => undefined));
  const { backupId, name, manifestSha256 } = made.value;
  const known = { backupId, name, manifestSha256, remote: false };
  const proof = await timed(() => proveBackup(ctx, known, () => undefined));
  return { made, proof };
}

function report(
  bytes: number,
  sizes: Record<"peer" | "level2" | "ours", number>,
  took: Record<"peer" | "level2" | "ours" | "proof", Took>,
): string[] {
  const mib = (of: number) => (of / MEBIBYTE).toFixed(1);
  const row = (what: string, { ms, cpuS }: Took, size?: number) =>
    console.log(
      `  ${what.padEnd(47)}${(bytes / MEBIBYTE / (ms / 1_000)).toFixed(0)} MiB/s, ${cpuS.toFixed(2)} s of CPU${size === undefined ? "" : `, ${mib(size)} MiB written`}`,
    );
  const share = (of: Took) => `${((of.ms / took.ours.ms) * 100).toFixed(0)} %`;
  const ratio = took.peer.ms / took.ours.ms;
  console.log(
    `Backup of ${(bytes / MEBIBYTE).toFixed(0)} MiB in 3,126 files, medians of ${ROUNDS} in turns`,
  );
  row("tar | zstd (level 3, as it comes)", took.peer, sizes.peer);
  row("tar | zstd -2 (the level of backups)", took.level2, sizes.level2);
  row("backup, with digests, encryption, reading back", took.ours, sizes.ours);
  console.log(
    `  ${share(took.peer)} of tar | zstd (goal: at least ${GOAL * 100} %${ratio >= GOAL ? "" : ", missed"}), ${share(took.level2)} of tar | zstd -2`,
  );
  row("proof in a scratch place", took.proof);
  return ratio >= GOAL ? [] : [`backups: ${(ratio * 100).toFixed(0)} % of tar | zstd`];
}
