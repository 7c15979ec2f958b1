import {
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filesCommands } from "../../shared/agent-protocol/files.ts";
import type { CommandType } from "../../shared/agent-protocol/index.ts";
import { type SiteRef, sitesCommands } from "../../shared/agent-protocol/sites.ts";
import { findAccount } from "../root/accounts.ts";
import { rootOutcome } from "../root/command.ts";
import { handlers as sites } from "../sites/handlers.ts";
import { faulted } from "../testing/faulted.ts";
import { type Machine, rootEntry, startMachine } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { fileOperation, operate } from "./operations.ts";
import { writeChunk } from "./write.ts";

type Type = Extract<CommandType, `file.${string}`> | "file.write";
interface Case {
  /** What lies in the folder before; a name that ends in "/" is a folder. */
  before: Record<string, string | Uint8Array>;
  input: Record<string, unknown>;
  /** The least number of calls that change something. */
  least: number;
  /** Cut off anywhere, the folder is as before or as after, and nothing between. */
  isWhole?: true;
}

const [FIRST, LAST] = ["sebelas, ", "dua belas"];
const size = FIRST.length + LAST.length;
const piece = (offset: number, text: string) => {
  return { path: "a.txt", size, offset, base64: Buffer.from(text).toString("base64") };
};
const manyFiles = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`d${at % 3}/f${at}.txt`, `${at}`]));
const zip = zipSync({ "baru/kosong.txt": new Uint8Array(), "b.txt": Buffer.from("baru") });

/** Every command about files. One that is new has no place here, and does not compile, until it is killed, too. */
const CASES: Record<Type, Case> = {
  // The last piece of an upload over a file that is there.
  "file.write": {
    before: { "a.txt": "yang lama" },
    input: piece(FIRST.length, LAST),
    ...{ least: 4, isWhole: true },
  },
  "file.extract": {
    before: { "a.zip": zip, "b.txt": "lama" },
    input: { archive: "a.zip", into: "" },
    least: 8,
  },
  "file.make-folder": { before: {}, input: { path: "baru" }, least: 1, isWhole: true },
  "file.move": {
    before: { "a.txt": "isi", "d/": "" },
    input: { from: "a.txt", to: "d/b.txt" },
    ...{ least: 1, isWhole: true },
  },
  "file.remove": {
    before: { "tetap.txt": "tetap", ...manyFiles(300) },
    input: { path: "d0", kind: "directory" },
    least: 2,
  },
  "file.set-mode": { before: manyFiles(2), input: { path: "", mode: "750" }, least: 4 },
};

needs("nginx", "root")("a command about a site's files", () => {
  let machine: Machine;
  let site: SiteRef;
  let uid = 0;
  beforeAll(async () => {
    machine = await startMachine();
    site = machine.newSite();
    const given = { ...site, runtime: "static" };
    const input = sitesCommands["site.provision"].input.parse(given);
    await sites["site.provision"](machine.ctx, input, () => undefined);
    uid = findAccount(machine.settings, site.unixUser)?.uid ?? 0;
  });
  afterAll(async () => await machine.stop());

  const at = (...path: string[]) => join(site.rootPath, ...path);

  /** The folder as it is before the command, and nothing else in it. */
  async function prepare(type: Type): Promise<void> {
    for (const name of readdirSync(at())) rmSync(at(name), { recursive: true });
    for (const [name, content] of Object.entries(CASES[type].before)) {
      mkdirSync(name.endsWith("/") ? at(name) : dirname(at(name)), { recursive: true });
      if (!name.endsWith("/")) writeFileSync(at(name), content);
    }
    if (type === "file.write") await writeChunk(site.rootPath, piece(0, FIRST));
    for (const name of readdirSync(at(), { recursive: true, encoding: "utf8" })) {
      chownSync(at(name), uid, uid);
    }
  }

  /** What visitors and the owner see; with `all`, also what the agent keeps beside it for itself. */
  const look = ({ all = false } = {}) =>
    readdirSync(at(), { recursive: true, encoding: "utf8" })
      .filter((name) => all || !name.includes(".nusantara-"))
      .sort()
      .map((name) => {
        const found = lstatSync(at(name));
        const content = found.isDirectory() ? "" : readFileSync(at(name), "utf8");
        return `${name} ${found.mode.toString(8)} ${content}`;
      });

  /** As the edge sends it again: an upload goes on from where the agent says that it is. */
  async function again(type: Type): Promise<void> {
    const act = (input: object) => operate(site.rootPath, fileOperation.parse({ type, input }));
    if (type !== "file.write") {
      await act(CASES[type].input);
      return;
    }
    for (let told = { at: FIRST.length, whole: false }; !told.whole; ) {
      const rest = (FIRST + LAST).slice(told.at);
      const answer = await act(rest === "" ? CASES[type].input : piece(told.at, rest));
      told = filesCommands["file.write"].result.parse(answer);
    }
  }

  const cutOff = (mode: "kill" | "full", type: Type, call: number) =>
    faulted(mode, call, {
      entry: rootEntry(),
      args: ["root", "--settings", machine.settingsFile],
      stdin: JSON.stringify({
        verb: "site.files",
        input: { site, operation: { type, input: CASES[type].input } },
      }),
    });

  test.each(Object.keys(CASES) as Type[])(
    "%s, killed at any of its calls, is done once when it comes again and leaves nothing",
    async (type) => {
      await prepare(type);
      const before = look();
      await again(type);
      const after = look({ all: true });
      let count = 0;
      for (let call = 1; ; call += 1) {
        await prepare(type);
        const { hit, signal, calls, stdout } = await cutOff("kill", type, call);
        if (!hit) {
          expect(JSON.parse(stdout), type).toMatchObject({ ok: true });
          break;
        }
        expect(signal, calls.at(-1) ?? "").toBe("SIGKILL");
        if (CASES[type].isWhole) expect([before, after], calls.at(-1) ?? "").toContainEqual(look());
        await again(type);
        expect(look({ all: true }), calls.at(-1) ?? "").toEqual(after);
        count = call;
      }
      expect(count).toBeGreaterThanOrEqual(CASES[type].least);
    },
  );

  test.each(["file.write", "file.extract", "file.make-folder", "file.move"] as const)(
    "%s, on a disk that is full at any of its calls, says so and leaves all as it was",
    async (type) => {
      for (let call = 1; ; call += 1) {
        await prepare(type);
        const before = look();
        const { hit, stdout, calls } = await cutOff("full", type, call);
        if (!hit) break;
        const outcome = rootOutcome.parse(JSON.parse(stdout));
        expect(outcome, calls.at(-1) ?? "").toMatchObject({ error: { code: "disk_full" } });
        expect(look(), calls.at(-1) ?? "").toEqual(before);
        await again(type);
      }
    },
  );
});
