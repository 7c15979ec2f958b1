import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sitesCommands } from "../shared/agent-protocol/sites.ts";
import type { AgentCtx } from "./ctx.ts";
import { backupsHandlers } from "./restored.ts";
import { findAccount } from "./root/accounts.ts";
import { type Settings, settingsSchema } from "./settings.ts";
import { handlers as sites } from "./sites/handlers.ts";
import { supervisorOf } from "./sites/supervisor.ts";
import { type Machine, startMachine } from "./testing/machine.ts";
import { needs } from "./testing/needs.ts";

const nothing = () => undefined;
const answering = (text: string) =>
  `require("node:http").createServer((_, r) => r.end("${text}")).listen(process.env.PORT);`;

needs(
  "nginx",
  "age",
  "zstd",
  "tar",
  "root",
)("a site that is a process", () => {
  let machine: Machine;
  let settings: Settings;
  let ctx: AgentCtx;
  beforeAll(async () => {
    machine = await startMachine();
    const at = (name: string) => join(machine.dir, name);
    const made = execFileSync("/usr/bin/age-keygen", {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const recipient = /public key: (age1\S+)/.exec(made)?.[1];
    for (const name of ["backups", "scratch"]) mkdirSync(at(name));
    settings = settingsSchema.parse({
      ...machine.settings,
      backups: { dir: at("backups"), scratchDir: at("scratch"), recipient, reserveBytes: 0 },
    });
    ctx = { ...machine.ctx, settings };
  });
  afterAll(async () => {
    await supervisorOf(settings).endAll();
    await machine.stop();
  });

  test("answers from the restored files at once, and one that is suspended stays down", async () => {
    const ref = machine.newSite();
    const write = (text: string) => {
      const file = join(ref.rootPath, "server.js");
      writeFileSync(file, answering(text));
      const { uid = 0, gid = 0 } = findAccount(settings, ref.unixUser) ?? {};
      chownSync(file, uid, gid);
    };
    const input = sitesCommands["site.provision"].input.parse({ ...ref, runtime: "node" });
    await sites["site.provision"](ctx, input, nothing);
    write("lama");
    const { siteId, domain, rootPath } = ref;
    const target = { kind: "site" as const, siteId, domain, rootPath };
    const order = {
      ...{ backupId: randomUUID(), createdAt: new Date().toISOString(), target },
      name: `nusantara_site_${domain}_20261121_140000.json`,
    };
    const { backupId, name, manifestSha256 } = await backupsHandlers["backup.run"](
      ...[ctx, order, nothing],
    );
    write("baru");
    const account = findAccount(settings, ref.unixUser) ?? { uid: 0, gid: 0 };
    await supervisorOf(settings).again({ ...input, ...recordRest }, account);
    await expect.poll(async () => (await machine.get(domain)).body).toBe("baru");
    const known = { backupId, name, manifestSha256, remote: false, target };
    const restore = () =>
      backupsHandlers["backup.restore"](ctx, { ...known, restoreId: randomUUID() }, nothing);
    await restore();
    expect((await machine.get(domain)).body).toBe("lama");
    await sites["site.suspend"](ctx, ref);
    await restore();
    expect(supervisorOf(settings).pid(ref.unixUser)).toBeNull();
    expect((await machine.get(domain)).status).toBe(503);
  });
});

/** What a record has beside its order. */
const recordRest = { v: 1 as const, phpVersion: null, entry: null, certificate: null };
