import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SiteRef, sitesCommands } from "../../shared/agent-protocol/sites.ts";
import { handlers as files } from "../files/index.ts";
import { findAccount } from "../root/accounts.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { handlers as sites } from "./handlers.ts";

const MEGABYTE = 1024 * 1024;

/** A disk of its own in memory; null where this machine's root may not mount one. */
function smallDisk(): string | null {
  const dir = mkdtempSync(join(tmpdir(), "disk-"));
  try {
    const options = "size=6m,mode=0755,nr_inodes=4000";
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", dir], { stdio: "ignore" });
    return dir;
  } catch {
    rmSync(dir, { recursive: true });
    return null;
  }
}

needs("nginx", "root")("a disk that is full", () => {
  let disk: string | null = null;
  let machine: Machine;
  let site: SiteRef;
  beforeAll(async () => {
    disk = smallDisk();
    machine = await startMachine(disk === null ? {} : { sitesRoot: disk });
    site = machine.newSite();
    await provision(site);
  });
  afterAll(async () => {
    await machine.stop();
    if (disk === null) return;
    execFileSync("umount", [disk]);
    rmSync(disk, { recursive: true });
  });

  const provision = async (ref: SiteRef) => {
    const input = sitesCommands["site.provision"].input.parse({ ...ref, runtime: "static" });
    return await sites["site.provision"](machine.ctx, input, () => undefined);
  };
  const write = async (path: string, bytes: Uint8Array, offset = 0, size = bytes.length) =>
    await files["file.write"](machine.ctx, {
      ...{ site, path, size, offset },
      base64: Buffer.from(bytes).toString("base64"),
    });
  const list = async (path: string) =>
    (await files["file.list"](machine.ctx, { site, path, after: "" })).entries.map(
      ({ name }) => name,
    );

  /** Fills the disk until so much is left, works, and frees it again. */
  const withLeft = async (left: number, work: () => Promise<void>) => {
    if (disk === null) throw new Error("this machine mounts no disks in memory");
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, "");
    const free =
      Number(execFileSync("stat", ["-f", "-c", "%a", disk], { encoding: "utf8" })) * 4096;
    execFileSync("fallocate", ["-l", String(Math.max(free - left, 1)), ballast]);
    try {
      await work();
    } finally {
      truncateSync(ballast);
      rmSync(ballast);
    }
  };
  const full = { code: "disk_full" };

  test("takes no new site, and nothing of it is left", async () => {
    const other = machine.newSite();
    await withLeft(64 * 1024, async () => {
      await expect(provision(other)).rejects.toMatchObject(full);
    });
    expect(existsSync(other.rootPath)).toBe(false);
    expect(findAccount(machine.settings, other.unixUser)).toBeNull();
    expect(readdirSync(machine.nginx.sitesDir)).toEqual([`${site.siteId}.conf`]);
    expect((await machine.get(site.domain)).status).toBe(200);
    expect((await provision(other)).httpStatus).toBe(200);
  });

  test("keeps an upload at what was whole of it, and takes the rest when there is space", async () => {
    const bytes = new Uint8Array(512 * 1024).fill(7);
    const half = 256 * 1024;
    await withLeft(300 * 1024, async () => {
      const first = await write("a.bin", bytes.subarray(0, half), 0, bytes.length);
      expect(first).toEqual({ at: half, whole: false });
      const rest = write("a.bin", bytes.subarray(half), half, bytes.length);
      await expect(rest).rejects.toMatchObject(full);
      expect(await list("")).not.toContain("a.bin");
    });
    const rest = await write("a.bin", bytes.subarray(half), half, bytes.length);
    expect(rest).toEqual({ at: bytes.length, whole: true });
    expect(statSync(join(site.rootPath, "a.bin")).size).toBe(bytes.length);
  });

  test("takes nothing of an archive that it cannot hold", async () => {
    const some = Object.fromEntries(
      [..."abcdef"].map((name) => [`${name}.bin`, new Uint8Array(MEGABYTE / 4)]),
    );
    await write("some.zip", zipSync(some));
    await files["file.make-folder"](machine.ctx, { site, path: "rilis" });
    const extract = () =>
      files["file.extract"](machine.ctx, { site, archive: "some.zip", into: "rilis" });
    await withLeft(MEGABYTE, async () => {
      await expect(extract()).rejects.toMatchObject(full);
      expect(await list("rilis")).toEqual([]);
    });
    expect(await extract()).toMatchObject({ files: 6 });
  });
});
