import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { onProgramStart } from "../programs.ts";
import { settingsSchema } from "../settings.ts";
import { rootEntry } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { rootCaller } from "./call.ts";
import { SUDOERS } from "./sudoers.ts";
import { VERBS } from "./verbs.ts";

const settings = settingsSchema.parse({ url: "http://127.0.0.1:1", serverId: "srv_test" });

describe("the privileged half", () => {
  test("is asked for the verbs of its list alone, and each with its own words alone", async () => {
    const started: string[] = [];
    const stop = onProgramStart((program) => started.push(program));
    const root = rootCaller(settings, { mode: "sudo" });
    const site = { siteId: "site_1_0123456789ab", domain: "a.example" };
    for (const [verb, input] of [
      ["run", { program: "sh" }],
      ["constructor", {}],
      ["__proto__", {}],
      ["site.put", { ...site, rootPath: "/var/www/a", unixUser: "a1", runtime: "php", more: 1 }],
      ["site.files", { site, operation: { type: "file.run", input: {} } }],
      ["site.change", { siteId: site.siteId, change: { unixUser: "root" } }],
      ["sftp.set", null],
    ] as const) {
      await expect(root(verb, input), verb).rejects.toMatchObject({ code: "invalid" });
    }
    stop();
    expect(started).toEqual([]);
  });

  test("has one line in the sudo list, which names it with this one argument", () => {
    const rules = SUDOERS.split("\n").filter((line) => line !== "" && !line.startsWith("Defaults"));
    expect(rules).toEqual(["nusantarad ALL=(root) NOPASSWD: /usr/local/bin/nusantarad root"]);
    expect(Object.keys(VERBS).length).toBeGreaterThan(5);
  });
});

needs("sudo", "root")("the privileged half as a process", () => {
  let dir = "";
  let file = "";
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "root-"));
    file = join(dir, "agent.json");
    const { url, serverId } = settings;
    const sites = { dataDir: join(dir, "data") };
    writeFileSync(file, JSON.stringify({ url, serverId, sites, sitesRoot: dir }), { mode: 0o600 });
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const ask = (text: string, args = ["--settings", file]) =>
    spawnSync(process.execPath, [rootEntry(), "root", ...args], { input: text, encoding: "utf8" });

  test("reads one strict JSON and says no more of a wrong one than which fields are wrong", () => {
    const bad = { siteId: "site_1_0123456789ab", secret: "hunter2" };
    const texts = [
      "",
      "{",
      "null",
      "[]",
      '{"verb":"site.put"}',
      JSON.stringify({ verb: "x", y: 1 }),
    ];
    for (const text of [...texts, JSON.stringify({ verb: "site.put", input: bad })]) {
      const { stdout, stderr, status } = ask(text);
      expect([status, stderr]).toEqual([0, ""]);
      expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "invalid" } });
      expect(stdout).not.toContain("hunter2");
    }
    expect(existsSync(join(dir, "data"))).toBe(false);
  });

  test("goes by no settings that another could have written, and takes no other arguments", () => {
    chmodSync(file, 0o666);
    expect(ask('{"verb":"sftp.find","input":{"username":"root"}}').status).not.toBe(0);
    chmodSync(file, 0o600);
    expect(ask("{}", ["--other"]).status).not.toBe(0);
    expect(ask("{}", ["--settings", join(dir, "none.json")]).status).not.toBe(0);
  });

  test("has a sudo list that sudo itself finds right", () => {
    const list = join(dir, "sudoers");
    writeFileSync(list, SUDOERS, { mode: 0o440 });
    execFileSync("/usr/sbin/visudo", ["-c", "-f", list], { stdio: "ignore" });
  });
});
