import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { packTar, type TarEntry } from "modern-tar";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filesCommands } from "../../shared/agent-protocol/files.ts";
import { type SiteRef, sitesCommands } from "../../shared/agent-protocol/sites.ts";
import { findAccount } from "../root/accounts.ts";
import { handlers as sites } from "../sites/handlers.ts";
import { type Machine, rootEntry, startMachine } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { handlers } from "./index.ts";

const nothing = () => undefined;
const utf8 = (text: string) => new TextEncoder().encode(text);

needs("nginx", "root")("a site's files", () => {
  let machine: Machine;
  let site: SiteRef;
  let uid = 0;
  beforeAll(async () => {
    machine = await startMachine();
    site = machine.newSite();
    const input = { ...site, runtime: "static" as const };
    const parsed = sitesCommands["site.provision"].input.parse(input);
    await sites["site.provision"](machine.ctx, parsed, nothing);
    uid = findAccount(machine.settings, site.unixUser)?.uid ?? 0;
  });
  afterAll(async () => await machine.stop());

  const at = (path: string) => join(site.rootPath, path);
  type Input<T extends keyof typeof handlers> = Parameters<(typeof handlers)[T]>[1];
  const call = async <T extends keyof typeof handlers>(type: T, input: Omit<Input<T>, "site">) =>
    (await handlers[type](
      machine.ctx,
      filesCommands[type].input.parse({ site, ...input }) as never,
    )) as Awaited<ReturnType<(typeof handlers)[T]>>;
  const write = (path: string, bytes: Uint8Array, offset = 0, size = bytes.length) =>
    call("file.write", {
      ...{ path, size, offset },
      base64: Buffer.from(bytes).toString("base64"),
    });
  /** As an upload of the user's that has ended. */
  const put = (path: string, bytes: Uint8Array) => {
    writeFileSync(at(path), bytes);
    chownSync(at(path), uid, uid);
  };
  const list = async (path: string) => {
    const { entries } = await call("file.list", { path, after: "" });
    return Object.fromEntries(entries.map(({ name, kind, size }) => [name, `${kind} ${size}`]));
  };

  test("are written piece by piece, go on where they stopped, and appear when they are whole", async () => {
    const bytes = Uint8Array.from({ length: 3_000 }, (_, index) => index % 251);
    const piece = (from: number, to: number) =>
      write("a.bin", bytes.subarray(from, to), from, bytes.length);
    expect(await piece(0, 1_000)).toEqual({ at: 1_000, whole: false });
    expect(await piece(0, 1_000)).toEqual({ at: 1_000, whole: false });
    expect(await piece(2_000, 3_000)).toEqual({ at: 1_000, whole: false });
    expect(existsSync(at("a.bin"))).toBe(false);
    expect(await piece(1_000, 2_000)).toEqual({ at: 2_000, whole: false });
    for (const _ of [1, 2]) {
      expect(await piece(2_000, 3_000)).toEqual({ at: 3_000, whole: true });
    }
    expect(readFileSync(at("a.bin")).equals(bytes)).toBe(true);
    expect(statSync(at("a.bin"))).toMatchObject({ uid, size: 3_000 });
    expect(await list("")).toMatchObject({ "a.bin": "file 3000" });
    expect(readdirSync(site.rootPath).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("are listed, moved and removed, and folders made, each as often as one likes", async () => {
    for (const made of [true, false]) {
      expect(await call("file.make-folder", { path: "halaman" })).toEqual({ made });
    }
    await write("halaman/foto saya.txt", utf8("halo"));
    symlinkSync("/etc/passwd", at("halaman/link"));
    expect(await list("halaman")).toEqual({ "foto saya.txt": "file 4", link: "other 0" });
    for (const _ of [1, 2]) await call("file.move", { from: "halaman", to: "pindah" });
    await expect(call("file.move", { from: "none", to: "x" })).rejects.toMatchObject({
      code: "not_found",
    });
    put("b.txt", utf8("b"));
    await expect(call("file.move", { from: "b.txt", to: "pindah" })).rejects.toMatchObject({
      code: "exists",
    });
    await expect(list("halaman")).rejects.toMatchObject({ code: "not_found" });
    for (const removed of [true, false]) {
      expect(await call("file.remove", { path: "b.txt", kind: "file" })).toEqual({ removed });
      expect(await call("file.remove", { path: "pindah", kind: "directory" })).toEqual({ removed });
    }
    expect(existsSync("/etc/passwd")).toBe(true);
  });

  test("get modes down the tree; nothing in it becomes executable or loses its owner", async () => {
    execFileSync("mkdir", ["-p", at("m/in")]);
    writeFileSync(at("m/in/x.php"), "");
    execFileSync("chown", ["-R", `${uid}:${uid}`, at("m")]);
    symlinkSync("/etc/passwd", at("m/link"));
    chmodSync(at("m/in/x.php"), 0);
    const before = lstatSync("/etc/passwd").mode;
    await call("file.set-mode", { path: "m", mode: "755" });
    const modes = ["m", "m/in", "m/in/x.php"].map((path) => statSync(at(path)).mode & 0o7777);
    expect(modes).toEqual([0o755, 0o755, 0o644]);
    expect(lstatSync("/etc/passwd").mode).toBe(before);
    await call("file.set-mode", { path: "", mode: "755" });
    expect(statSync(site.rootPath).mode & 0o7777).toBe(0o750);
  });

  const tar = async (entries: TarEntry[]) => gzipSync(await packTar(entries));
  const file = (name: string, body: string): TarEntry => ({
    header: { name, type: "file", size: body.length },
    body,
  });

  test("are unpacked from .zip and .tar.gz, over what is there, as the site's user's", async () => {
    await call("file.make-folder", { path: "rilis" });
    put("a.zip", zipSync({ "index.html": utf8("zip"), "css/a.css": utf8("a{}") }));
    const counted = { files: 2, bytes: 6 };
    for (const _ of [1, 2]) {
      expect(await call("file.extract", { archive: "a.zip", into: "rilis" })).toEqual(counted);
    }
    put("b.tar.gz", await tar([file("./index.html", "tar"), file("css/b.css", "b{}")]));
    await call("file.extract", { archive: "b.tar.gz", into: "rilis" });
    expect(readFileSync(at("rilis/index.html"), "utf8")).toBe("tar");
    expect(await list("rilis/css")).toEqual({ "a.css": "file 3", "b.css": "file 3" });
    expect(statSync(at("rilis/css")).uid).toBe(uid);
    expect(await list("rilis")).toEqual({ css: "directory 0", "index.html": "file 3" });
  });

  test("that lead out, are links or are not whole are not unpacked at all", async () => {
    await call("file.make-folder", { path: "kosong" });
    const link = (type: "symlink" | "link"): TarEntry => ({
      header: { name: "l", type, size: 0, linkname: "/etc/passwd" },
    });
    const whole = zipSync({ "a.txt": utf8("a".repeat(5_000)) }, { level: 0 });
    const gz = await tar([file("a.txt", "a".repeat(5_000))]);
    const archives: [string, Uint8Array][] = [
      ["1.tar.gz", await tar([file("good.txt", "x"), file("../../out.txt", "x")])],
      ["2.tar.gz", await tar([file("good.txt", "x"), link("symlink"), file("l/x", "x")])],
      ["3.tar.gz", await tar([link("link")])],
      ["4.tar.gz", gz.subarray(0, gz.length - 20)],
      ["5.tar.gz", utf8("not an archive")],
      ["6.zip", zipSync({ "good.txt": utf8("x"), "../../out.txt": utf8("x") })],
      ["7.zip", zipSync({ "/etc/out.txt": utf8("x") })],
      ["8.zip", whole.subarray(0, 3_000)],
      ["9.zip", utf8("not an archive")],
      ["10.tar.gz", await tar([file("a\nb", "x")])],
    ];
    for (const [name, bytes] of archives) {
      put(name, bytes);
      await expect(
        call("file.extract", { archive: name, into: "kosong" }),
        name,
      ).rejects.toMatchObject({ code: "invalid" });
      expect(readdirSync(at("kosong")), name).toEqual([]);
    }
    expect(existsSync("/etc/out.txt")).toBe(false);
    expect(existsSync(join(machine.settings.sitesRoot, "out.txt"))).toBe(false);
  });

  test("are not reached through links, whoever put them there and when", async () => {
    const outside = join(machine.dir, "outside");
    mkdirSync(outside);
    chmodSync(outside, 0o777);
    writeFileSync(join(outside, "victim"), "untouched", { mode: 0o666 });
    chmodSync(join(outside, "victim"), 0o666);
    symlinkSync(outside, at("way"));
    symlinkSync(join(outside, "victim"), at("victim"));
    put("c.zip", zipSync({ victim: utf8("x"), "way/new": utf8("x") }));
    const attempts: Promise<unknown>[] = [
      write("way/victim", utf8("overwritten")),
      call("file.list", { path: "way", after: "" }),
      call("file.make-folder", { path: "way/new" }),
      call("file.move", { from: "a.bin", to: "way/a.bin" }),
      call("file.remove", { path: "way/victim", kind: "file" }),
      call("file.set-mode", { path: "way/victim", mode: "700" }),
      call("file.extract", { archive: "c.zip", into: "way" }),
      call("file.extract", { archive: "c.zip", into: "" }),
    ];
    const states = (await Promise.allSettled(attempts)).map(({ status }) => status);
    expect(states.every((status) => status === "rejected")).toBe(true);
    expect(readdirSync(outside)).toEqual(["victim"]);
    expect(readFileSync(join(outside, "victim"), "utf8")).toBe("untouched");
  });

  test("that were being unpacked when the machine went down are unpacked whole the next time", async () => {
    await call("file.make-folder", { path: "jatuh" });
    const many = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`f${index}/a.txt`, utf8(`${index}`)]),
    );
    const zip = zipSync(many, { level: 0 });
    put("many.zip", zip);
    const child = spawn(
      process.execPath,
      [rootEntry(), "root", "--settings", machine.settingsFile],
      { stdio: ["pipe", "ignore", "ignore"] },
    );
    const operation = { type: "file.extract", input: { archive: "many.zip", into: "jatuh" } };
    child.stdin.end(JSON.stringify({ verb: "site.files", input: { site, operation } }));
    await expect
      .poll(() => readdirSync(at("jatuh")).length, { timeout: 20_000, interval: 5 })
      .toBe(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(readdirSync(at("jatuh"))).toEqual([expect.stringMatching(/^\.nusantara-.*unpack$/)]);
    const counted = await call("file.extract", { archive: "many.zip", into: "jatuh" });
    expect(counted.files).toBe(1_000);
    expect(readdirSync(at("jatuh"))).toHaveLength(1_000);
  });

  test("of another site, or of no site, are nobody's to touch", async () => {
    const other = machine.newSite();
    const space = (ref: SiteRef) => handlers["file.space"](machine.ctx, { site: ref });
    expect((await space(site)).freeBytes).toBeGreaterThan(0);
    await expect(space(other)).rejects.toMatchObject({ code: "not_found" });
    await expect(space({ ...other, unixUser: "root" })).rejects.toMatchObject({ code: "conflict" });
    await expect(space({ ...other, unixUser: site.unixUser })).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(space({ ...site, rootPath: "/etc" })).rejects.toMatchObject({ code: "invalid" });
  });

  test("are reached over SFTP with a password that is set, switched off and on, and taken away", async () => {
    const find = async () =>
      (await handlers["sftp.find"](machine.ctx, { username: site.unixUser })).account;
    const shadow = () => readFileSync(join(machine.dir, "accounts/etc/shadow"), "utf8");
    const hash = `$2b$10$${"a".repeat(53)}`;
    expect(await find()).toBeNull();
    await expect(call("sftp.set", { enabled: true })).rejects.toMatchObject({ code: "not_found" });
    for (const _ of [1, 2]) {
      expect(await call("sftp.set", { passwordHash: hash })).toEqual({ enabled: true });
    }
    expect(shadow()).toContain(`${site.unixUser}:${hash}:`);
    expect(await call("sftp.set", { enabled: false })).toEqual({ enabled: false });
    expect(shadow()).toContain(`${site.unixUser}:!${hash}:`);
    const other = `$2b$10$${"b".repeat(53)}`;
    expect(await call("sftp.set", { passwordHash: other })).toEqual({ enabled: false });
    expect(await find()).toEqual({ siteId: site.siteId, username: site.unixUser, enabled: false });
    expect(await call("sftp.set", { enabled: true })).toEqual({ enabled: true });
    expect(shadow()).toContain(`${site.unixUser}:${other}:`);
    for (const _ of [1, 2]) await call("sftp.remove", {});
    expect(await find()).toBeNull();
    expect((await handlers["sftp.find"](machine.ctx, { username: "root" })).account).toBeNull();
  });
});
