import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AnyType, COMMANDS } from "../shared/agent-protocol/index.ts";
import { handlers } from "./areas.ts";
import { outcomeOf } from "./dispatch/outcome.ts";
import { onProgramStart } from "./programs.ts";
import { testCtx } from "./testing/ctx.ts";
import { dice, hostileValue, stringsIn, textAt, withAt } from "./testing/hostile.ts";

const VALUES_A_FIELD = 120;
const ID = "01930000-0000-7000-8000-0123456789ab";
const SHA = "0".repeat(64);

const site = {
  ...{ siteId: "site_1795272182856000000_0123456789ab", domain: "situs.example" },
  ...{ rootPath: "/var/www/situs.example", unixUser: "situs" },
};
const target = {
  ...{ kind: "site", siteId: site.siteId, domain: site.domain, rootPath: site.rootPath },
};
const name = "nusantara_site_situs.example_20261121_200000.json";
const backup = { backupId: ID, name, manifestSha256: SHA, remote: false };
const account = { database: "toko", username: "toko", host: "localhost" };

/** A good input of everything that an agent can be told or asked: a new command does not compile without one. */
const GOOD: Record<AnyType, unknown> = {
  "site.provision": {
    ...{ ...site, aliases: ["www.situs.example"], documentRoot: "x", runtime: "php" },
    ...{ phpVersion: "8.2", entry: "a.php", suspended: false, note: "n", lastDay: "2027-01-01" },
  },
  "site.deprovision": { ...site, removeFiles: true },
  "site.suspend": site,
  "site.resume": site,
  "site.set-document-root": { ...site, documentRoot: "x" },
  "site.set-last-day": { ...site, lastDay: "2027-01-01" },
  "site.inspect": { domain: site.domain },
  "site.probe": { domain: site.domain, path: "/x", tls: false },
  "file.write": { site, path: "a/b", size: 3, offset: 0, base64: "YWJj" },
  "file.list": { site, path: "a/b", after: "" },
  "file.space": { site },
  "file.extract": { site, archive: "a/b.zip", into: "a" },
  "file.make-folder": { site, path: "a/b" },
  "file.move": { site, from: "a/b", to: "a/c" },
  "file.remove": { site, path: "a/b", kind: "file" },
  "file.set-mode": { site, path: "a/b", mode: "755" },
  "sftp.set": { site, passwordHash: `$2b$10$${"a".repeat(53)}` },
  "sftp.remove": { site },
  "sftp.find": { username: site.unixUser },
  "db.create": { database: "toko" },
  "db.create-user": { ...account, passwordHash: `*${"A".repeat(40)}` },
  "db.drop": { database: "toko" },
  "db.drop-user": { username: "toko", host: "localhost" },
  "db.list": {},
  "ssl.issue": {
    ...{ siteId: site.siteId, domain: site.domain, aliases: ["www.situs.example"] },
    ...{ email: "admin@situs.example", staging: true },
  },
  "ssl.renew": { daysLeft: 30 },
  "ssl.inspect": { domain: site.domain },
  "backup.run": { backupId: ID, name, createdAt: "2026-11-21T20:00:00.000Z", target },
  "backup.upload": backup,
  "backup.prove": backup,
  "backup.restore": { ...backup, restoreId: ID, target },
  "backup.remove": { names: [name] },
  "backup.list": {},
  "agent.update": { attempt: ID, release: { manifest: "{}", signature: "A".repeat(86) } },
};

/** No quote, no control, no letter of another script, nothing that a shell, SQL or a configuration reads as more than a word. */
const WORD = /^[A-Za-z0-9 ._/@%+:*=?&~-]*$/;
/** A name in a site's own folder, which its own user handles and no program is given as text: one line that leads nowhere else. */
const ENTRY = /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\p{Cc}]*$/u;
const ENTRIES = new Set(["path", "archive", "into", "from", "to"]);
/** Compared with, and nothing else; read once its signature is right. */
const NEVER_USED = new Set(["after", "manifest"]);

function isHarmless(type: string, path: string[], text: string): boolean {
  const field = path.at(-1) ?? "";
  if (NEVER_USED.has(field)) return true;
  return (type.startsWith("file.") && ENTRIES.has(field) ? ENTRY : WORD).test(text);
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hostile-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Those of sites, files and databases are tried on a real nginx and MariaDB, with their own hostile values. */
const HERE = /^(ssl|backup|agent)\./;

it("10,000 hostile values, in every field of every command, are refused or are words that can do no harm", async () => {
  const roll = dice(20_261_121);
  const harmful: string[] = [];
  const passed: { type: string; input: unknown }[] = [];
  let sent = 0;
  for (const [type, good] of Object.entries(GOOD)) {
    const { input: schema } = COMMANDS[type as AnyType];
    expect(schema.safeParse(good).success, type).toBe(true);
    for (const path of stringsIn(good)) {
      for (let turn = 0; turn < VALUES_A_FIELD; turn += 1) {
        const value = hostileValue(roll, textAt(good, path));
        const input = withAt(good, path, value);
        sent += 1;
        if (!schema.safeParse(input).success) continue;
        if (HERE.test(type)) passed.push({ type, input });
        if (!isHarmless(type, path, value))
          harmful.push(`${type} ${path} ${JSON.stringify(value)}`);
      }
    }
  }
  expect(sent).toBeGreaterThan(10_000);
  expect(harmful).toEqual([]);
  await expectNothing(passed);
});

/** What passes is about a site, a backup or a release that is not there: nobody acts, and nothing is left behind. */
async function expectNothing(passed: { type: string; input: unknown }[]): Promise<void> {
  const at = (...parts: string[]) => join(folder, ...parts);
  for (const dir of ["backups", "certificates", "state", "sites"]) mkdirSync(at(dir));
  const asked: string[] = [];
  const ctx = testCtx(
    {
      ...{ stateDir: at("state"), keyFile: at("key"), sitesRoot: at("www") },
      nginx: { sitesDir: at("sites") },
      backups: { dir: at("backups"), scratchDir: at("scratch") },
      certificates: { dir: at("certificates"), challengeDir: at("challenges") },
    },
    {
      root: (verb) => Promise.reject(new Error(`${asked.push(verb)} verbs`)),
      edge: (path) => Promise.reject(new Error(`${asked.push(path)} calls`)),
    },
  );
  const started: string[] = [];
  const stop = onProgramStart((program) => started.push(program));
  for (const { type, input } of passed) {
    const outcome = await outcomeOf({ type, input }, handlers, ctx, () => undefined);
    expect([type, outcome.ok]).toEqual([type, false]);
  }
  stop();
  expect(passed.length).toBeGreaterThan(50);
  expect([...started, ...asked]).toEqual([]);
  expect(readdirSync(folder).sort()).toEqual(["backups", "certificates", "sites", "state"]);
  expect(readdirSync(at("sites"))).toEqual([]);
}
