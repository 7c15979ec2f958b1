import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SiteRef } from "../../shared/agent-protocol/sites.ts";
import { handlers as files } from "../files/index.ts";
import type { AnyHandler } from "../handlers.ts";
import { findAccount } from "../root/accounts.ts";
import { rootCaller } from "../root/call.ts";
import { bundled } from "../testing/bundle.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { handlers } from "./handlers.ts";

type Type = "site.provision" | "site.deprovision" | "site.suspend" | "site.resume";

const HASH = `$2b$10$${"a".repeat(53)}`;
/** What changes a site that is there: the order, how it is taken back, and the steps that are its own. */
const CHANGES: [order: Order, back: Order, steps: string[]][] = [
  [["site.resume", {}], ["site.suspend", {}], ["pool-written"]],
  [
    ["site.set-document-root", { documentRoot: "publik" }],
    ["site.set-document-root", { documentRoot: "" }],
    ["vhost-written"],
  ],
  [
    ["site.set-last-day", { lastDay: "2030-01-01" }],
    ["site.set-last-day", { lastDay: null }],
    ["nginx-reloaded"],
  ],
  [["sftp.set", { passwordHash: HASH }], ["sftp.remove", {}], ["password-set"]],
  [["sftp.remove", {}], ["sftp.set", { passwordHash: HASH }], ["password-removed"]],
];
type Order = [type: string, more: Record<string, unknown>];

needs(
  "nginx",
  "php-fpm",
  "root",
)("a command that is killed", () => {
  let machine: Machine;
  let act = "";
  beforeAll(async () => {
    machine = await startMachine({ php: true });
    act = bundled(resolve(import.meta.dirname, "../testing/act.ts"));
  });
  afterAll(async () => await machine.stop());

  const inputOf = (type: Type, ref: SiteRef): Record<string, unknown> => {
    if (type === "site.deprovision") return { ...ref, removeFiles: true };
    if (type !== "site.provision") return { ...ref };
    const more = { aliases: [], documentRoot: "", runtime: "php", suspended: false };
    return { ...ref, ...more, note: "", lastDay: null };
  };

  /** In this process, telling which steps it came by. */
  const run = async (
    type: Type,
    ref: SiteRef,
    onStep: (name: string) => void = () => undefined,
  ) => {
    const root = rootCaller(machine.settings, { mode: "inline", onStep });
    const input = inputOf(type, ref) as never;
    await handlers[type]({ ...machine.ctx, root }, input, () => undefined);
  };

  const killedAt = (type: string, input: object, step: string) =>
    spawnSync(process.execPath, [act, machine.settingsFile, type, JSON.stringify(input), step], {
      encoding: "utf8",
    });

  const inputOfChange = ([type, more]: Order, ref: SiteRef) =>
    type.startsWith("sftp.") ? { site: ref, ...more } : { ...ref, ...more };

  const change = async (order: Order, ref: SiteRef) => {
    const all: Record<string, AnyHandler> = { ...handlers, ...files };
    const root = rootCaller(machine.settings, { mode: "inline" });
    const input = inputOfChange(order, ref);
    await all[order[0]]?.({ ...machine.ctx, root }, input as never, () => undefined);
  };

  /** All that a site is on this machine, in words that are the same for every site. */
  const stateOf = async (ref: SiteRef) => {
    const { settings, nginx, php, dir } = machine;
    const account = findAccount(settings, ref.unixUser);
    const plain = (text: string) =>
      text
        .replaceAll(ref.siteId, "ID")
        .replaceAll(ref.domain, "DOMAIN")
        .replaceAll(ref.unixUser, "USER")
        .replaceAll(String(account?.uid ?? "none"), "UID")
        .replace(/[0-9a-f]{32}/g, "MARKER");
    const read = (file: string) => (existsSync(file) ? plain(readFileSync(file, "utf8")) : null);
    const ours = (folder: string) =>
      readdirSync(folder)
        .map(plain)
        .filter((name) => /ID|DOMAIN|USER|^\.(nusantara|test)/.test(name));
    const folder = existsSync(ref.rootPath) ? statSync(ref.rootPath) : null;
    return {
      vhost: read(join(nginx.sitesDir, `${ref.siteId}.conf`)),
      pool: read(join(php?.poolDir ?? "", `nusantara-${ref.unixUser}.conf`)),
      account: account && plain(`${account.comment} ${account.uid} ${account.gid}`),
      folder: folder && [folder.mode & 0o7777, folder.uid === account?.uid],
      files: folder && readdirSync(ref.rootPath),
      password: read(join(dir, "accounts/etc/shadow"))
        ?.split("\n")
        .filter((line) => line.startsWith("USER:"))
        .map((line) => line.split(":")[1]),
      left: [
        nginx.sitesDir,
        nginx.dir,
        php?.poolDir ?? "",
        settings.sitesRoot,
        join(dir, "data"),
      ].map(ours),
      answer: plain((await machine.get(ref.domain)).body),
    };
  };

  const stepsOf = async (type: Type, ref: SiteRef): Promise<string[]> => {
    const steps = new Set<string>();
    await run(type, ref, (name) => steps.add(name));
    return [...steps];
  };

  /** The rest of its steps is the same code as a provision's. */
  const SUSPEND = [
    "vhost-written",
    "nginx-reloaded",
    "vhost-verified",
    "pool-written",
    "pool-done",
  ];

  test.each([
    ["site.provision", 15, []],
    ["site.deprovision", 14, ["site.provision"]],
    ["site.suspend", 8, ["site.provision"]],
  ] as const)(
    "%s, at every one of its steps, leaves nginx working and ends as if it had not been when it comes again",
    async (type, least, before) => {
      const prepared = async () => {
        const ref = machine.newSite();
        for (const first of before) await run(first, ref);
        return ref;
      };
      const model = await prepared();
      const steps = await stepsOf(type, model);
      expect(steps.length).toBeGreaterThanOrEqual(least);
      const wanted = await stateOf(model);
      // Sites that stay may be used again and again; what is made or removed is new each time.
      const isReusable = type === "site.suspend";
      let ref = model;
      for (const step of isReusable ? SUSPEND : steps) {
        if (isReusable) await run("site.resume", ref);
        else ref = await prepared();
        const { signal, stderr } = killedAt(type, inputOf(type, ref), step);
        expect(signal, `${step} ${stderr}`).toBe("SIGKILL");
        const test = spawnSync("/usr/sbin/nginx", ["-t", "-c", machine.nginx.configFile]);
        expect(test.status, `nginx -t after ${step}`).toBe(0);
        await run(type, ref);
        expect(await stateOf(ref), `after ${step}`).toEqual(wanted);
      }
    },
    // Some thirty real kills, each with its repeat and a look at everything.
    180_000,
  );

  test("that changes a site, in the middle of each, leaves nginx working and ends as if it had not been", async () => {
    const ref = machine.newSite();
    await run("site.provision", ref);
    mkdirSync(join(ref.rootPath, "publik"));
    for (const [order, back, steps] of CHANGES) {
      await change(back[0] === "sftp.remove" ? order : back, ref);
      await change(order, ref);
      const wanted = await stateOf(ref);
      for (const step of steps) {
        await change(back, ref);
        expect(await stateOf(ref), `${order[0]} changes something`).not.toEqual(wanted);
        const { signal, stderr } = killedAt(order[0], inputOfChange(order, ref), step);
        expect(signal, `${order[0]} ${step} ${stderr}`).toBe("SIGKILL");
        const tested = spawnSync("/usr/sbin/nginx", ["-t", "-c", machine.nginx.configFile]);
        expect(tested.status, `nginx -t after ${step}`).toBe(0);
        await change(order, ref);
        expect(await stateOf(ref), `${order[0]} after ${step}`).toEqual(wanted);
      }
    }
  }, 60_000);
});
