import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { needs } from "../testing/needs.ts";
import { Machine, takeSteps } from "./machine.ts";
import { recipientSteps } from "./recipient.ts";

const KEYGEN = "/usr/bin/age-keygen";
const FILE = "etc/nusantarad/agent.json";
let root: string;
let said: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nusantarad-recipient-"));
  said = [];
  mkdirSync(join(root, "etc/nusantarad"), { recursive: true });
  writeFileSync(join(root, FILE), JSON.stringify({ watch: [], backups: { dir: "/srv/b" } }));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const install = async (given?: string, dryRun = false) => {
  const machine = new Machine({ root, dryRun, say: (line) => void said.push(line) });
  return await takeSteps(machine, recipientSteps(machine, given));
};
const backups = () => JSON.parse(readFileSync(join(root, FILE), "utf8")).backups;
const publicHalf = (identity: string) =>
  execFileSync(KEYGEN, ["-y"], { input: `${identity}\n`, encoding: "utf8" }).trim();

needs("age", "zstd")("an installation", () => {
  it("shows the key that opens backups once, and keeps only the half that makes them", async () => {
    expect([await install(undefined, true), backups().recipient]).toEqual([1, undefined]);
    expect(await install()).toBe(1);
    const text = said.join("\n");
    const [identity = "none"] = /AGE-SECRET-KEY-1\w+/.exec(text) ?? [];
    expect(text).toContain("NOT ON THIS SERVER");
    expect(backups()).toEqual({ dir: "/srv/b", recipient: publicHalf(identity) });
    expect(spawnSync("grep", ["-r", identity, root]).status, "it lies nowhere").toBe(1);
    said = [];
    expect(await install()).toBe(0);
    expect(said.join()).not.toContain("AGE-SECRET-KEY");
  });

  it("takes the operator's own recipient, also later, and nothing that is none", async () => {
    await install();
    said = [];
    const own = publicHalf(
      /AGE-SECRET-KEY-1\w+/.exec(
        execFileSync(KEYGEN, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
      )?.[0] ?? "",
    );
    expect([await install(own), await install(own)]).toEqual([1, 0]);
    expect([backups().recipient, said.join().includes("SECRET")]).toEqual([own, false]);
    await expect(install("age1x")).rejects.toThrow("no age public key");
    expect(backups().recipient).toBe(own);
  });
});
