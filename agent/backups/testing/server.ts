import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BackupFacts, BackupTarget } from "../../../shared/agent-protocol/backups.ts";
import type { InputOf } from "../../../shared/agent-protocol/index.ts";
import type { AgentCtx, EdgeFetch } from "../../ctx.ts";
import { type SettingsGiven, settingsSchema } from "../../settings.ts";
import { proveBackup } from "../prove.ts";
import { restoreBackup } from "../restore.ts";
import { runBackup } from "../run.ts";
import { FakeEdge } from "./edge.ts";

/** A server's folders and keys in a temporary place, with an edge that is not there yet. */
export class TestServer {
  readonly dir = mkdtempSync(join(tmpdir(), "lumbung-backups-"));
  readonly edge = new FakeEdge();
  readonly operatorKey: string;
  readonly ctx: AgentCtx;
  #second = 0;

  constructor(
    given: Partial<Pick<SettingsGiven, "mariadb">> & {
      reserveBytes?: number;
      serverId?: string;
    } = {},
  ) {
    for (const name of ["state", "www", "backups", "scratch"]) mkdirSync(this.at(name));
    this.operatorKey = this.at("operator.txt");
    execFileSync("/usr/bin/age-keygen", ["-o", this.operatorKey], { stdio: "ignore" });
    const recipient = /public key: (age1\S+)/.exec(readFileSync(this.operatorKey, "utf8"))?.[1];
    const { reserveBytes = 0, serverId = `srv_1_${randomUUID().slice(-12)}`, ...others } = given;
    const settings = settingsSchema.parse({
      ...{
        url: "http://127.0.0.1:9",
        serverId,
        stateDir: this.at("state"),
        sitesRoot: this.at("www"),
      },
      backups: { dir: this.at("backups"), scratchDir: this.at("scratch"), recipient, reserveBytes },
      ...others,
    });
    this.ctx = {
      settings,
      run: () => Promise.reject(new Error("not used")),
      root: () => Promise.reject(new Error("not used")),
      edge: ((path, init) => this.edge.fetch(path, init)) satisfies EdgeFetch,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      now: () => new Date(),
      signal: new AbortController().signal,
      dryRun: false,
    };
  }

  at(...path: string[]): string {
    return join(this.dir, ...path);
  }

  /** A site of its own with some files, and what a backup of it is asked for. */
  site(files: Record<string, string | Buffer> = { "index.html": "<h1>Halo</h1>\n" }): SiteOnServer {
    const domain = `s${randomUUID().slice(0, 8)}.example`;
    const root = this.at("www", domain);
    mkdirSync(root, { mode: 0o750 });
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(root, name, ".."), { recursive: true });
      writeFileSync(join(root, name), content);
    }
    const siteId = `site_1_${randomUUID().slice(-12)}`;
    return { root, target: { kind: "site", siteId, domain, rootPath: root } };
  }

  /** The input of a `backup.run`; each has a name of its own. */
  order(target: BackupTarget): InputOf<"backup.run"> {
    this.#second += 1;
    const moment = new Date(Date.UTC(2026, 1, 26, 14, 0, this.#second));
    const digits = moment.toISOString().replace(/[-:]/g, "").replace("T", "_").slice(0, 15);
    const subject =
      target.kind === "site"
        ? `_${target.domain}`
        : target.kind === "database"
          ? `_${target.database}`
          : "";
    const name = `nusantara_${target.kind}${subject}_${digits}.json`;
    return { backupId: randomUUID(), name, createdAt: moment.toISOString(), target };
  }

  async backUp(target: BackupTarget): Promise<BackupFacts> {
    return await runBackup(this.ctx, this.order(target), () => undefined);
  }

  async prove(facts: BackupFacts, ctx: AgentCtx = this.ctx) {
    return await proveBackup(ctx, knownOf(facts), () => undefined);
  }

  async restore(
    facts: BackupFacts,
    target: BackupTarget,
    ctx: AgentCtx = this.ctx,
    restoreId: string = randomUUID(),
  ) {
    return await restoreBackup(ctx, { ...knownOf(facts), restoreId, target }, () => undefined);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export interface SiteOnServer {
  root: string;
  target: Extract<BackupTarget, { kind: "site" }>;
}

/** What the edge says of a backup that it knows. */
export const knownOf = ({ backupId, name, manifestSha256 }: BackupFacts, remote = false) => ({
  backupId,
  name,
  manifestSha256,
  remote,
});

export const archiveOf = ({ file, kind }: BackupFacts): string => {
  const middle = { site: "tar", database: "sql", state: "json" }[kind];
  return file.replace(/\.json$/, `.${middle}.zst.age`);
};
