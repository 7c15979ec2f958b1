import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bytes, encrypted, tarGz, withMode, zip } from "./test-archives.ts";
import { type Hosting, startHosting } from "./testing.ts";

let panel: Hosting;
const limits = { unzipBytes: 100_000, unzipEntries: 20 };

beforeAll(async () => {
  panel = await startHosting(limits);
});
afterAll(() => panel.stop());

/** Uploads an archive into a new site and unpacks it into `out`. */
async function unpack(name: string, archive: Uint8Array<ArrayBuffer>, on = panel) {
  const { domain } = await on.site();
  const home = `/www/wwwroot/${domain}`;
  await on.put(`${home}/${name}`, archive);
  const fields = { sfile: `${home}/${name}`, dfile: `${home}/out` };
  const { body } = await on.ask("files", "UnZip", fields);
  const text = (path: string) => readFile(join(on.twin.root, home, path), "utf8");
  return { domain, home, body, text, list: () => on.list(`${home}/out`) };
}

describe("unpacks", () => {
  it("a zip with folders", async () => {
    const { text, body } = await unpack("a.zip", zip({ "index.html": "halo", "css/a.css": "b{}" }));
    expect(body.status).toBe(true);
    expect([await text("out/index.html"), await text("out/css/a.css")]).toEqual(["halo", "b{}"]);
  });

  it.each(["a.tar.gz", "a.tgz"])("%s, with long names of both kinds", async (name) => {
    const long = `${"d".repeat(90)}/${"f".repeat(90)}.txt`;
    const { text } = await unpack(
      name,
      tarGz([
        { name: "css/", type: "5", mode: 0o755 },
        { name: "css/a.css", data: "b{}" },
        { name: "././@LongLink", type: "L", data: `gnu/${long}\0` },
        { name: "short", data: "gnu" },
        { name: "PaxHeader", type: "x", data: `${long.length + 14} path=pax/${long}\n` },
        { name: "short", data: "pax" },
      ]),
    );
    expect(await text("out/css/a.css")).toBe("b{}");
    expect([await text(`out/gnu/${long}`), await text(`out/pax/${long}`)]).toEqual(["gnu", "pax"]);
  });

  it("over what is there, but never over a root's .user.ini", async () => {
    const archive = zip({ "index.html": "baru", ".user.ini": "open_basedir=/" });
    const { home, text } = await unpack("a.zip", archive);
    await panel.ask("files", "UnZip", { sfile: `${home}/a.zip`, dfile: home });
    expect(await text("index.html")).toBe("baru");
    expect(await text(".user.ini")).toContain(home);
  });
});

describe("a .user.ini below the root", () => {
  it("is unpacked as any other file, and removed with its folder", async () => {
    const { home, text, list } = await unpack("a.zip", zip({ ".user.ini": "x", "index.html": "" }));
    expect(await text("out/.user.ini")).toBe("x");
    const { body } = await panel.ask("files", "DeleteDir", { path: `${home}/out` });
    expect(body.status).toBe(true);
    expect(await list()).not.toContain("index.html");
  });
});

describe("stays below its folder", () => {
  it("with names that climb, begin at the root or come from Windows", async () => {
    const archive = zip({ "../../up.txt": "1", "/root.txt": "2", "a\\..\\b.txt": "3" });
    const { list, text, home } = await unpack("a.zip", archive);
    expect((await list()).sort()).toEqual(["a/", "root.txt", "up.txt"]);
    expect(await text("out/a/b.txt")).toBe("3");
    expect(existsSync(join(panel.twin.root, home, "../up.txt"))).toBe(false);
  });

  it("with links, which it leaves out", async () => {
    const linked = withMode(zip({ link: "/etc/passwd" }), 0o120777);
    expect(await (await unpack("a.zip", linked)).list()).toEqual([]);
    const tar = tarGz([
      { name: "link", type: "2" },
      { name: "b", data: "b" },
    ]);
    expect(await (await unpack("a.tgz", tar)).list()).toEqual(["b"]);
  });
});

describe("bounds what an archive becomes", () => {
  it("by bytes, and still says yes", async () => {
    const big = "0".repeat(60_000);
    const { body, list } = await unpack("a.zip", zip({ "1": big, "2": big, "3": big }));
    expect(body.status).toBe(true);
    expect(await list()).toEqual(["1"]);
    const bomb = tarGz([{ name: "1", data: "0".repeat(200_000) }]);
    expect(await (await unpack("a.tar.gz", bomb)).list()).toEqual([]);
  });

  it("by entries", async () => {
    const names = Array.from({ length: 30 }, (_, n) => [`f${n}`, ""]);
    const { list } = await unpack("a.zip", zip(Object.fromEntries(names)));
    expect(await list()).toHaveLength(20);
  });

  it("also where the archive lies about a size", async () => {
    const honest = Buffer.from(zip({ "1": "0".repeat(90_000) }));
    const entry = honest.indexOf("PK\u0001\u0002");
    honest.writeUInt32LE(10, entry + 24);
    expect(await (await unpack("a.zip", new Uint8Array(honest))).list()).toEqual([]);
  });
});

describe("says", () => {
  it("yes to what is no archive at all, or cut off", async () => {
    for (const archive of [bytes("<html>"), bytes(""), zip({ a: "a" }).slice(0, 40)]) {
      const { body, list } = await unpack("a.zip", archive);
      expect(body.status).toBe(true);
      expect(await list()).toEqual([]);
    }
    const cut = tarGz([{ name: "a", data: "a" }]).slice(0, 30);
    expect((await unpack("a.tar.gz", cut)).body.status).toBe(true);
  });

  it("no to an encrypted one, to rar, and to what is not there", async () => {
    expect((await unpack("a.zip", encrypted(zip({ a: "a" })))).body.status).toBe(false);
    expect((await unpack("a.rar", bytes("Rar!"))).body.status).toBe(false);
    const fields = { sfile: "/www/wwwroot/x.zip", dfile: "/www/wwwroot/x" };
    expect((await panel.ask("files", "UnZip", fields)).body.status).toBe(false);
  });

  it("yes before a queued one has begun; the task tells when it is done", async () => {
    await panel.dial("queued.zip", { queueUnzip: 20 });
    const { list, body } = await unpack("queued.zip", zip({ a: "a" }));
    expect(body.status).toBe(true);
    expect(await list()).toEqual([]);
    await vi.waitFor(async () => {
      const waiting = await panel.ask("task", "get_task_lists", { status: "-3" });
      expect(waiting.body).toEqual([]);
    });
    expect(await list()).toEqual(["a"]);
  });

  it("yes to half of it, when told so", async () => {
    await panel.dial("half.zip", { unzipSilent: 1 });
    const { list } = await unpack("half.zip", zip({ a: "a", b: "b" }));
    expect(await list()).toEqual(["a"]);
  });
});
