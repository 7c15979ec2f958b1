import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filesCommands } from "../../shared/agent-protocol/files.ts";
import { type SiteRef, sitesCommands } from "../../shared/agent-protocol/sites.ts";
import { CommandError } from "../command-error.ts";
import { handlers as files } from "../files/index.ts";
import { fileOperation, operate } from "../files/operations.ts";
import type { AnyHandler } from "../handlers.ts";
import { onProgramStart } from "../programs.ts";
import { findAccount, processesOf } from "../root/accounts.ts";
import { dice, hostileValue, stringsIn, textAt, withAt } from "../testing/hostile.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { handlers as sites } from "./handlers.ts";
import { renderPool } from "./pool.ts";
import { findSite, type SiteRecord } from "./record.ts";
import { renderUnit } from "./unit.ts";
import { renderVhost } from "./vhost.ts";

const VALUES_A_FIELD = 250;
const CATALOGUE = { ...sitesCommands, ...filesCommands };
const HANDLERS: Record<string, AnyHandler> = { ...sites, ...files };

/** Every file below a folder, as it is, save those of a site and logs. */
function inventory(folder: string, site = "/"): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !`${join(folder, name)}/`.startsWith(`${site}/`))
    .map((name) => {
      const { mode, uid, size, mtimeMs } = lstatSync(join(folder, name));
      return `${name} ${mode} ${uid} ${size} ${mtimeMs}`;
    })
    .filter((line) => !/\.log /.test(line))
    .sort();
}

needs(
  "nginx",
  "php-fpm",
  "root",
)("hostile values in every field", () => {
  let machine: Machine;
  let site: SiteRef;
  let record: SiteRecord;
  beforeAll(async () => {
    machine = await startMachine({ php: true });
    site = machine.newSite();
    const given = { ...site, runtime: "php", aliases: ["www.situs.example"] };
    const input = sitesCommands["site.provision"].input.parse(given);
    await sites["site.provision"](machine.ctx, input, () => undefined);
    record = findSite(machine.settings, site) ?? ({} as SiteRecord);
  });
  afterAll(async () => await machine.stop());

  const inputs = (): Record<keyof typeof CATALOGUE, unknown> => {
    const put = { aliases: ["www.situs.example"], documentRoot: "x", runtime: "php" };
    const more = {
      phpVersion: "8.2",
      entry: "a.php",
      suspended: false,
      note: "n",
      lastDay: "2027-01-01",
    };
    return {
      "site.provision": { ...site, ...put, ...more },
      "site.deprovision": { ...site, removeFiles: true },
      "site.suspend": site,
      "site.resume": site,
      "site.set-document-root": { ...site, documentRoot: "x" },
      "site.set-last-day": { ...site, lastDay: "2027-01-01" },
      "site.inspect": { domain: site.domain },
      "site.probe": { domain: site.domain, path: "/x" },
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
    };
  };

  test("start no program, touch no file, and leave nginx and every site as they were", async () => {
    const roll = dice(20261121);
    const started: string[] = [];
    const look = () =>
      [machine.dir, machine.nginx.dir, machine.php?.dir ?? "", "/etc/nginx"].map((folder) =>
        inventory(folder, site.rootPath),
      );
    const before = look();
    const uid = findAccount(machine.settings, site.unixUser)?.uid ?? 0;
    const passwd = readFileSync("/etc/passwd", "utf8");
    const stop = onProgramStart((program) => started.push(program));
    let [sent, refused, harmless] = [0, 0, 0];
    for (const [type, good] of Object.entries(inputs())) {
      const spec = CATALOGUE[type as keyof typeof CATALOGUE];
      for (const path of stringsIn(good)) {
        for (let turn = 0; turn < VALUES_A_FIELD; turn += 1) {
          const input = withAt(good, path, hostileValue(roll, textAt(good, path)));
          sent += 1;
          const parsed = spec.input.safeParse(input);
          if (!parsed.success) refused += 1;
          else {
            harmless += 1;
            // Odd, but what such a word may be: the site would simply get it, or it is not looked at.
            const isUnread = type === "sftp.set" && path[0] === "site";
            const isPlain = isUnread || ["note", "entry", "documentRoot"].includes(path.join());
            if (!isPlain) await expectNothing(type, parsed.data);
          }
          // The privileged half is not asked by us alone: it looks for itself.
          if (!parsed.success) await expectRefusal(type, input);
        }
      }
    }
    stop();
    expect(sent).toBeGreaterThan(10_000);
    expect(refused).toBeGreaterThan(sent * 0.85);
    expect(harmless).toBeGreaterThan(100);
    // Asking for the lock is no act yet, and removing a file of an odd name is what was asked for.
    expect(started.filter((program) => program !== "flock" && program !== "rm")).toEqual([]);
    const names = (await processesOf(uid)).map((pid) => readFileSync(`/proc/${pid}/comm`, "utf8"));
    // The site's own pool, which has answered a visitor.
    expect(names.filter((name) => !name.startsWith("php-fpm"))).toEqual([]);
    expect(look()).toEqual(before);
    expect(readFileSync("/etc/passwd", "utf8")).toBe(passwd);
    expect(existsSync("/tmp/owned")).toBe(false);
    execFileSync("/usr/sbin/nginx", ["-t", "-q", "-c", machine.nginx.configFile], {
      stdio: "ignore",
    });
    expect((await machine.get(site.domain)).status).toBe(200);
  });

  /** A name that is odd and yet only a name: what comes of it, comes of it in the site's own folder. */
  async function expectNothing(type: string, input: unknown): Promise<void> {
    if (!type.startsWith("file.")) {
      await HANDLERS[type]?.(machine.ctx, input as never, () => undefined).catch(ours);
      return;
    }
    const { site: _, ...words } = input as Record<string, unknown>;
    const operation = fileOperation.parse({ type, input: words });
    // What the site's user would do in a process of its own, here.
    await operate(site.rootPath, operation).catch(ours);
  }

  const ours = (error: unknown) => expect(error).toBeInstanceOf(CommandError);

  const VERBS: Record<string, string> = {
    "site.provision": "site.put",
    "site.deprovision": "site.remove",
    "sftp.set": "sftp.set",
    "sftp.remove": "sftp.remove",
  };

  async function expectRefusal(type: string, input: unknown): Promise<void> {
    const verb = VERBS[type];
    if (verb === undefined) return;
    await expect(machine.ctx.root(verb, input)).rejects.toMatchObject({ code: "invalid" });
  }

  test("that came past every check are still not written into a configuration", () => {
    const roll = dice(7);
    const fields = stringsIn(record).filter(([name]) => name !== "note" && name !== "lastDay");
    const shape = (text: string) => text.replace(/[^\n{};#]/g, "").replace(/^#+$/m, "");
    const body = (text: string) => shape(text.slice(text.indexOf("\n")));
    const wanted = body(renderVhost(machine.settings, record).text);
    const pool = machine.settings.phpFpm[0];
    if (!pool) throw new Error("no PHP");
    let thrown = 0;
    for (let turn = 0; turn < 5_000; turn += 1) {
      const path = fields[roll(fields.length)] ?? ["domain"];
      const bad = withAt(record, path, hostileValue(roll, textAt(record, path))) as SiteRecord;
      try {
        // The head is JSON in a comment: whatever is in it, it is one line.
        const { text } = renderVhost(machine.settings, bad);
        expect(text.split("\n", 2)[0]).toMatch(/^# nusantara \{[^\r\n]*\}$/);
        expect(body(text), JSON.stringify(bad)).toBe(wanted);
      } catch (error) {
        ours(error);
        thrown += 1;
      }
      const owner = { ...bad, uid: 1, gid: 1 };
      try {
        expect(renderPool(machine.settings, pool, owner).split("\n[")).toHaveLength(1);
        renderUnit(machine.settings, { ...bad, runtime: "node" });
      } catch (error) {
        ours(error);
      }
    }
    expect(thrown).toBeGreaterThan(2_000);
  });
});
