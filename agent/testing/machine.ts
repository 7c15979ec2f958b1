import { randomBytes, randomInt } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { SiteRef } from "../../shared/agent-protocol/sites.ts";
import type { AgentCtx } from "../ctx.ts";
import { rootCaller } from "../root/call.ts";
import { type Settings, settingsSchema } from "../settings.ts";
import { visit } from "../sites/visit.ts";
import { bundled } from "./bundle.ts";
import { testCtx } from "./ctx.ts";
import { startNginx, type TestNginx } from "./nginx.ts";
import { startPhpFpm, type TestPhpFpm } from "./php-fpm.ts";

/** A hosting server in a folder: real nginx and PHP-FPM, accounts of its own, nothing of this machine's changed. */
export interface Machine {
  dir: string;
  settings: Settings;
  settingsFile: string;
  nginx: TestNginx;
  php: TestPhpFpm | null;
  ctx: AgentCtx & { lines: string[] };
  /** The words of a site that does not exist yet. */
  newSite(label?: string): SiteRef;
  /** What a visitor gets. */
  get(domain: string, path?: string): Promise<{ status: number; body: string }>;
  stop(): Promise<void>;
}

/** The privileged half as one file. */
export const rootEntry = (): string => bundled(resolve(import.meta.dirname, "../root/entry.ts"));
const UIDS = 200;

export async function startMachine({
  php = false,
  sitesRoot,
}: {
  php?: boolean;
  sitesRoot?: string;
} = {}): Promise<Machine> {
  const dir = mkdtempSync(join(tmpdir(), "machine-"));
  chmodSync(dir, 0o755);
  const nginx = await startNginx();
  const fpm = php ? await startPhpFpm() : null;
  const settings = settingsSchema.parse(settingsOf(dir, nginx, fpm, sitesRoot));
  for (const folder of [
    settings.sitesRoot,
    settings.stateDir,
    settings.certificates.challengeDir,
  ]) {
    mkdirSync(folder, { recursive: true });
  }
  makeAccounts(join(dir, "accounts"));
  const settingsFile = join(dir, "agent.json");
  writeFileSync(settingsFile, JSON.stringify(settings), { mode: 0o600 });
  const root: AgentCtx["root"] = async (verb, input) =>
    await rootCaller(settings, { mode: "inline", entry: rootEntry(), settingsFile })(verb, input);
  const ctx = { ...testCtx({}, { root }), settings };
  return {
    ...{ dir, settings, settingsFile, nginx, php: fpm, ctx },
    newSite: (label = "situs") => siteRefIn(settings, label),
    get: async (domain, path = "/") => await visit(settings, { domain, path, timeoutMs: 5_000 }),
    stop: async () => {
      await nginx.stop();
      await fpm?.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function settingsOf(
  dir: string,
  nginx: TestNginx,
  fpm: TestPhpFpm | null,
  sitesRoot = join(dir, "www"),
) {
  const firstUid = 1_000_000 + randomInt(1_000_000) * UIDS;
  const { httpPort, httpsPort, configFile, sitesDir, pidFile } = nginx;
  return {
    ...{ url: "http://127.0.0.1:1", serverId: "srv_test", sitesRoot, services: "direct" },
    stateDir: join(dir, "state"),
    nginx: { httpPort, httpsPort, configFile, sitesDir, pidFile, listen: "127.0.0.1" },
    phpFpm: fpm
      ? [
          {
            ...{ version: fpm.version, poolDir: fpm.poolDir, socketDir: fpm.socketDir },
            ...{ configFile: fpm.configFile, pidFile: fpm.pidFile },
          },
        ]
      : [],
    sites: {
      dataDir: join(dir, "data"),
      accountsPrefix: join(dir, "accounts"),
      ...{ firstUid, lastUid: firstUid + UIDS - 1 },
      patienceMs: 3_000,
    },
    certificates: { dir: join(dir, "certificates"), challengeDir: join(dir, "challenges") },
  };
}

function makeAccounts(prefix: string): void {
  mkdirSync(join(prefix, "etc"), { recursive: true });
  const files = { passwd: "root:x:0:0:root:/root:/bin/sh\n", group: "root:x:0:\n" };
  for (const [name, text] of Object.entries({ ...files, shadow: "", gshadow: "" })) {
    writeFileSync(join(prefix, "etc", name), text);
  }
}

function siteRefIn({ sitesRoot }: Settings, label: string): SiteRef {
  const tail = randomBytes(6).toString("hex");
  const domain = `${label}-${tail}.example`;
  return {
    siteId: `site_${BigInt(Date.now()) * 1_000_000n}_${tail}`,
    domain,
    rootPath: `${sitesRoot}/${domain}`,
    unixUser: `s_${tail}`,
  };
}
