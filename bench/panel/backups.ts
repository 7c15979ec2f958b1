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
import type { BackupFacts } from "../../shared/agent-protocol/backups.ts";

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

async function timed<T>(work: () => Promise<T> | T): Promise<{ ms: number; value: T }> {
  const began = performance.now();
  const value = await work();
  return { ms: performance.now() - began, value };
}

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
    const target = {
      kind: "site" as const,
      siteId: "site_1_000000000000",
      domain: "bench.example",
      rootPath: root,
    };
    const plain: number[] = [];
    const ours: number[] = [];
    const proofs: number[] = [];
    let last: BackupFacts | undefined;
    for (let round = 0; round <= ROUNDS; round += 1) {
      const out = join(dir, "plain.tar.zst");
      const peer = await timed(() => {
        execFileSync("/bin/sh", [
          "-c",
          'tar -C "$0" -cf - . | zstd -q -3 -c > "$1" && sync "$1"',
          root,
          out,
        ]);
      });
      const second = String(round).padStart(2, "0");
      const order = {
        ...{
          backupId: randomUUID(),
          name: `nusantara_site_bench.example_20260226_1400${second}.json`,
        },
        ...{ createdAt: `2026-02-26T14:00:${second}Z`, target },
      };
      const made = await timed(() => runBackup(ctx, order, () => undefined));
      const { backupId, name, manifestSha256 } = made.value;
      const proof = await timed(() =>
        proveBackup(ctx, { backupId, name, manifestSha256, remote: false }, () => undefined),
      );
      last = made.value;
      // The first round warms the disk's cache.
      if (round === 0) continue;
      plain.push(peer.ms);
      ours.push(made.ms);
      proofs.push(proof.ms);
    }
    return report({
      bytes,
      plainMs: median(plain),
      oursMs: median(ours),
      proofMs: median(proofs),
      archive: last?.bytes ?? 0,
      peer: statSync(join(dir, "plain.tar.zst")).size,
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Figures {
  bytes: number;
  plainMs: number;
  oursMs: number;
  proofMs: number;
  archive: number;
  peer: number;
}

function report({ bytes, plainMs, oursMs, proofMs, archive, peer }: Figures): string[] {
  const speed = (ms: number) => `${(bytes / MEBIBYTE / (ms / 1_000)).toFixed(0)} MiB/s`;
  const ratio = plainMs / oursMs;
  console.log(
    `Backup of ${(bytes / MEBIBYTE).toFixed(0)} MiB in 3,126 files, medians of ${ROUNDS} in turns`,
  );
  console.log(
    `  tar | zstd                                   ${speed(plainMs)} (${(peer / MEBIBYTE).toFixed(1)} MiB)`,
  );
  console.log(
    `  backup, with digests, encryption, reading back ${speed(oursMs)} (${(archive / MEBIBYTE).toFixed(1)} MiB)`,
  );
  console.log(
    `  ${(ratio * 100).toFixed(0)} % of it (goal: at least ${GOAL * 100} %${ratio >= GOAL ? "" : ", missed"})`,
  );
  console.log(`  proof in a scratch place                       ${speed(proofMs)}`);
  return ratio >= GOAL ? [] : [`backups: ${(ratio * 100).toFixed(0)} % of tar | zstd`];
}
