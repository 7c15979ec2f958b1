import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytes } from "./test-archives.ts";
import { type Hosting, newDomain, siteFields, startHosting } from "./testing.ts";

let panel: Hosting;
let root: string;

beforeAll(async () => {
  panel = await startHosting();
});
afterAll(() => panel.stop());

async function newRoot(): Promise<string> {
  const { domain } = await panel.site();
  root = `/www/wwwroot/${domain}`;
  return root;
}

const onDisk = (path: string) => join(panel.twin.root, path);
const files = (action: string, fields: Record<string, string>) =>
  panel.ask("files", action, fields);

describe("an upload in chunks", () => {
  const content = new Uint8Array(randomBytes(5000));
  const part = (f_path: string, from: number, until: number) => ({
    f_path,
    f_name: "a.zip",
    f_size: content.length,
    f_start: from,
    bytes: content.slice(from, until),
  });

  it("answers the bytes it has as a bare number, and words at the end", async () => {
    const f_path = await newRoot();
    expect((await panel.chunk(part(f_path, 0, 2000))).text).toBe("2000");
    expect((await panel.chunk(part(f_path, 2000, 4000))).text).toBe("4000");
    expect(await panel.list(f_path)).toContain("a.zip.5000.upload.tmp");
    expect((await panel.chunk(part(f_path, 4000, 5000))).body).toMatchObject({ status: true });
    expect(await readFile(onDisk(`${f_path}/a.zip`))).toEqual(Buffer.from(content));
    expect(await panel.list(f_path)).not.toContain("a.zip.5000.upload.tmp");
  });

  it("writes nothing of a chunk that is early or repeated, and says where to go on", async () => {
    const f_path = await newRoot();
    expect((await panel.chunk(part(f_path, 2000, 4000))).text).toBe("0");
    await panel.chunk(part(f_path, 0, 2000));
    expect((await panel.chunk(part(f_path, 0, 2000))).text).toBe("2000");
    expect((await panel.chunk(part(f_path, 4000, 5000))).text).toBe("2000");
    expect((await panel.chunk(part(f_path, 2000, 5000))).body).toMatchObject({ status: true });
    expect(await readFile(onDisk(`${f_path}/a.zip`))).toEqual(Buffer.from(content));
  });

  it("replaces a file that is there", async () => {
    const f_path = await newRoot();
    await panel.put(`${f_path}/index.html`, bytes("baru"));
    expect(await readFile(onDisk(`${f_path}/index.html`), "utf8")).toBe("baru");
  });

  it("takes an empty file", async () => {
    const f_path = await newRoot();
    expect((await panel.put(`${f_path}/kosong`, bytes(""))).body).toMatchObject({ status: true });
  });

  it("can be told to store half of a chunk, or a wrong byte", async () => {
    const f_path = await newRoot();
    await panel.dial(f_path, { shortChunk: { count: 1 } });
    expect((await panel.chunk(part(f_path, 0, 2000))).text).toBe("1000");
    await panel.dial(f_path, { corruptChunk: { count: 1 } });
    expect((await panel.chunk(part(f_path, 1000, 5000))).body).toMatchObject({ status: true });
    const stored = await readFile(onDisk(`${f_path}/a.zip`));
    expect(stored.length).toBe(5000);
    expect(stored).not.toEqual(Buffer.from(content));
  });

  it("refuses names and folders that it may not write", async () => {
    const f_path = await newRoot();
    const names = ["a;b", "a&b", "<a>", "../a", "a/b", "..", ".user.ini"];
    for (const f_name of names) {
      const { body } = await panel.chunk({ ...part(f_path, 0, 5000), f_name });
      expect([f_name, body.status]).toEqual([f_name, false]);
    }
    const long = await panel.chunk({ ...part(f_path, 0, 5000), f_name: "n".repeat(244) });
    expect(long.body.status).toBe(-1);
    for (const folder of ["/", "/etc", "/www/wwwroot/../../etc", "www/wwwroot"]) {
      const { body } = await panel.chunk(part(folder, 0, 5000));
      expect([folder, body.status]).toEqual([folder, false]);
    }
  });

  it("raises without its fields or its file", async () => {
    const f_path = await newRoot();
    const fields = { f_path, f_name: "a", f_size: "1", f_start: "0" };
    expect((await files("upload", fields)).status).toBe(404);
    expect((await files("upload", { ...fields, b64_data: "YQ==" })).body.status).toBe(true);
    expect((await files("upload", { ...fields, b64_data: "YQ==", f_start: "x" })).status).toBe(404);
  });
});

describe("the disk", () => {
  it("makes, moves, copies, lists and deletes", async () => {
    const home = await newRoot();
    expect((await files("CreateDir", { path: `${home}/releases/1` })).body.status).toBe(true);
    expect((await files("CreateDir", { path: `${home}/releases/1` })).body.status).toBe(false);
    await panel.put(`${home}/releases/1/a.txt`, bytes("a"));
    await files("CopyFile", { sfile: `${home}/releases/1`, dfile: `${home}/releases/2` });
    await files("MvFile", { sfile: `${home}/releases/1`, dfile: `${home}/old` });
    expect(await panel.list(`${home}/releases`)).toEqual(["2/"]);
    expect(await panel.list(`${home}/old`)).toEqual(["a.txt"]);
    const onto = await files("MvFile", { sfile: `${home}/old`, dfile: `${home}/releases/2` });
    expect(onto.body.status).toBe(false);
    const into = await files("MvFile", { sfile: `${home}/old`, dfile: `${home}/old/x` });
    expect(into.body.status).toBe(false);
    expect((await files("DeleteFile", { path: `${home}/old/a.txt` })).body.status).toBe(true);
    expect((await files("DeleteDir", { path: `${home}/old` })).body.status).toBe(true);
    expect((await files("DeleteDir", { path: `${home}/old` })).body.status).toBe(false);
  });

  it("lists the folder of all sites where a path is not there, without a word", async () => {
    const { body } = await files("GetDir", { path: "/www/wwwroot/nobody.example" });
    expect(body.PATH).toBe("/www/wwwroot");
  });

  it("shows a hundred rows, and more by the page", async () => {
    const home = await newRoot();
    const folder = onDisk(`${home}/many`);
    await mkdir(folder);
    for (let n = 0; n < 120; n += 1) await writeFile(join(folder, `f${n}`), "");
    const shown = async (fields: Record<string, string>) =>
      (await files("GetDir", { path: `${home}/many`, ...fields })).body.FILES.length;
    expect([await shown({}), await shown({ p: "2" }), await shown({ showRow: "500" })]).toEqual([
      100, 20, 120,
    ]);
  });

  it("keeps a mode and an owner for all below, and moves them along", async () => {
    const home = await newRoot();
    await panel.put(`${home}/r/a.txt`, bytes("a"));
    const set = { filename: `${home}/r`, user: "www", access: "750", all: "True" };
    expect((await files("SetFileAccess", set)).body.status).toBe(true);
    await files("MvFile", { sfile: `${home}/r`, dfile: `${home}/s` });
    const got = await files("GetFileAccess", { filename: `${home}/s/a.txt` });
    expect(got.body).toEqual({ chmod: "750", chown: "www" });
    expect((await files("SetFileAccess", { ...set, filename: `${home}/x` })).body.status).toBe(
      false,
    );
  });

  it("keeps each root's .user.ini, and the root with it", async () => {
    const home = await newRoot();
    const ini = `${home}/.user.ini`;
    expect((await files("DeleteFile", { path: ini })).body.status).toBe(false);
    expect(
      (await files("SaveFileBody", { path: ini, data: "", encoding: "utf-8" })).body.status,
    ).toBe(false);
    expect((await files("DeleteDir", { path: home })).body.status).toBe(false);
    expect(await panel.list(home)).toContain(".user.ini");
  });

  it("writes text into a file that exists, and only there", async () => {
    const path = `${await newRoot()}/a.txt`;
    const save = () => files("SaveFileBody", { path, data: "é", encoding: "utf-8" });
    expect((await save()).body.status).toBe(false);
    await files("CreateFile", { path });
    expect((await save()).body.status).toBe(true);
    expect((await files("GetFileBody", { path })).body).toMatchObject({ status: true, data: "é" });
  });
});

describe("nobody gets out of the area", () => {
  const outside = [
    "/etc/passwd",
    "/www/wwwroot/../../../etc/passwd",
    "/www/wwwroot/..",
    "/www/server/panel/data/default.db",
    "etc/passwd",
    "/www/wwwroot/a\0b",
  ];
  it.each(outside)("by the path %j", async (path) => {
    expect((await files("DeleteFile", { path })).body.status).toBe(false);
    expect((await files("DeleteDir", { path })).body.status).toBe(false);
    expect((await files("CreateFile", { path })).body.status).toBe(false);
    expect((await files("GetFileBody", { path })).body.status).toBe(false);
  });

  it("through a link, whether it leads somewhere or nowhere", async () => {
    const home = await newRoot();
    const secret = `${panel.twin.root}-secret-${newDomain()}`;
    await symlink("/etc", onDisk(`${home}/etc`));
    await symlink(secret, onDisk(`${home}/nowhere`));
    expect((await files("GetFileBody", { path: `${home}/etc/hostname` })).body.status).toBe(false);
    expect((await panel.put(`${home}/nowhere`, bytes("x"))).body.status).toBe(false);
    expect((await panel.put(`${home}/etc/x`, bytes("x"))).body.status).toBe(false);
    expect(existsSync(secret)).toBe(false);
    const domain = home.slice("/www/wwwroot/".length);
    expect((await panel.look(domain, "/etc/hostname")).status).toBe(403);
  });
});

it("leaves nothing on this machine when it stops", async () => {
  const own = await startHosting();
  await own.site();
  expect(existsSync(own.twin.root)).toBe(true);
  await own.stop();
  expect(existsSync(own.twin.root)).toBe(false);
});

it("remembers sites, files and modes in a folder of its own, and stops what expired meanwhile", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-aapanel-kept-"));
  let now = Date.parse("2026-11-21T10:00:00+07:00");
  const options = { folder, clock: () => now };
  const first = await startHosting(options);
  const { id, domain } = await first.site({
    ftp: "true",
    ftp_username: "kept",
    ftp_password: "rahasia",
  });
  const other = await first.site();
  await first.put(`/www/wwwroot/${other.domain}/index.html`, bytes("tetap"));
  const set = { filename: `/www/wwwroot/${domain}`, user: "www", access: "700", all: "False" };
  await first.ask("files", "SetFileAccess", set);
  await first.ask("site", "SetEdate", { id, edate: "2026-11-21" });
  await first.stop();
  now += 86_400_000;
  const second = await startHosting(options);
  expect((await second.look(other.domain)).text).toBe("tetap");
  expect((await second.look(domain)).text).toContain("Site stopped");
  const access = await second.ask("files", "GetFileAccess", { filename: set.filename });
  expect(access.body).toEqual({ chmod: "700", chown: "www" });
  expect((await second.hand("ftp-login", { username: "kept", password: "rahasia" })).body.ok).toBe(
    true,
  );
  expect(Number((await second.site()).id)).toBeGreaterThan(Number(other.id));
  await second.stop();
  rmSync(folder, { recursive: true });
});

it("packs a site into a backup, and forgets it", async () => {
  const domain = newDomain();
  const { body } = await panel.ask("site", "AddSite", siteFields(domain));
  const id = String(body.siteId);
  expect((await panel.ask("site", "ToBackup", { id })).body.status).toBe(true);
  const list = async () =>
    (await panel.ask("data", "getData", { table: "backup", type: "0", search: id })).body.data;
  const [row] = await list();
  expect((await readFile(onDisk(row.filename))).subarray(0, 2).toString()).toBe("PK");
  await panel.ask("site", "DelBackup", { id: String(row.id) });
  expect(await list()).toEqual([]);
  expect(existsSync(onDisk(row.filename))).toBe(false);
});
