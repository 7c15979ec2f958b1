import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, settleBackground, testContext } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { tarOf, tgzOf } from "./testing/tars.ts";
import {
  bigZip,
  createSite,
  formOf,
  keysOf,
  smallZip,
  upload,
  uploadsOf,
} from "./testing/uploads.ts";
import { zipOf } from "./testing/zips.ts";
import { displayName, receiveUpload } from "./uploads.ts";

const MIB = 1024 * 1024;
const refused = (status: number, words: string) => ({
  status,
  body: failureBody("hosting", status, words),
});
const query = (text: ReturnType<typeof sql>) => testContext().db.run(rows(text, z.unknown()));

/** Nothing of a refused upload may stay, neither row nor object. */
async function expectNothingLeft(user: TestUser): Promise<void> {
  await settleBackground();
  expect(await uploadsOf(user)).toEqual([]);
  expect(await keysOf(user)).toEqual([]);
}

async function stored(key: string): Promise<Uint8Array> {
  const object = await testContext().assets.get(key);
  if (!object) throw new Error("no object");
  return new Uint8Array(await object.arrayBuffer());
}

describe("POST /api/upload", () => {
  it.each(["before", "after"] as const)("takes the website's id %s the file", async (order) => {
    const { user, id } = await createSite();
    const zip = smallZip();
    const answer = await upload(user, id, zip, { order, filename: "Situs Saya.zip" });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        success: true,
        file: {
          id: expect.any(String),
          websiteId: id,
          filename: expect.stringMatching(/^[0-9a-f]{32}\.zip$/),
          originalName: "Situs Saya.zip",
          mimeType: "application/zip",
          size: zip.length,
          uploadedAt: expect.stringMatching(/Z$/),
        },
      },
    });
    const [row] = await uploadsOf(user);
    expect(row).toMatchObject({ id: answer.body.file.id, state: "stored", multipart_id: null });
    expect(await stored(row?.key ?? "")).toEqual(zip);
    // Nothing of the answer leads to where it lies.
    expect(JSON.stringify(answer.body)).not.toContain(row?.key);
    expect(answer.body.file.path).toBe(`uploads/${row?.id}`);
  });

  it("sends a large file to R2 in parts, byte for byte", async () => {
    const { user, id } = await createSite();
    const zip = bigZip(11 * MIB);
    expect(await upload(user, id, zip)).toMatchObject({ status: 200 });
    const [row] = await uploadsOf(user);
    expect(row?.multipart_id).not.toBeNull();
    expect(Buffer.compare(await stored(row?.key ?? ""), zip)).toBe(0);
  });

  it("goes by what a file is, whatever it is called or said to be", async () => {
    const { user, id } = await createSite();
    const files = [{ name: "index.html", data: new TextEncoder().encode("<h1>Halo</h1>") }];
    const lie = { filename: "gambar.png", type: "image/png" };
    const packed = await upload(user, id, tgzOf(files), lie);
    expect(packed.body.file).toMatchObject({ mimeType: "application/gzip" });
    expect(packed.body.file.filename).toMatch(/\.tar\.gz$/);
    const told = await upload(user, id, new TextEncoder().encode("MZ bukan arsip".repeat(99)));
    expect(told).toMatchObject(
      refused(400, "Tipe file tidak didukung. Upload file ZIP atau TAR.GZ"),
    );
  });

  it("keeps a plain TAR as the TAR.GZ that servers unpack", async () => {
    const { user, id } = await createSite();
    const tar = tarOf([{ name: "index.html", data: new Uint8Array(200_000).fill(65) }]);
    const answer = await upload(user, id, tar);
    expect(answer.body.file).toMatchObject({ mimeType: "application/x-tar", size: tar.length });
    const [row] = await uploadsOf(user);
    const object = await testContext().assets.get(row?.key ?? "");
    const unpacked = object?.body.pipeThrough(new DecompressionStream("gzip"));
    expect(Buffer.compare(new Uint8Array(await new Response(unpacked).arrayBuffer()), tar)).toBe(0);
  });

  it("asks who it is before it reads a byte of the body", async () => {
    const { user, id } = await createSite();
    await query(sql`update identity_sessions set revoked_at = now() where id = ${user.sessionId}`);
    const { headers } = formOf(id, null);
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulled += 1;
          controller.error(new Error("the body was read"));
        },
      },
      { highWaterMark: 0 },
    );
    const ctx = testContext(user);
    ctx.db.guard({
      statement: {
        sql: "select app_error('bad_token', '')",
        params: [],
        arrayMode: true,
        map: () => undefined,
      },
      passed: () => undefined,
    });
    const request = { headers: new Headers(headers), body };
    await expect(receiveUpload(ctx, request)).rejects.toMatchObject({ code: "bad_token" });
    expect(pulled).toBe(0);
    expect(await upload(null, id, smallZip())).toMatchObject({ status: 401 });
    expect(await upload(user, id, smallZip())).toMatchObject({ status: 401 });
  });

  it("refuses in its contract's words, and leaves nothing", async () => {
    const { user, id } = await createSite();
    const foreign = await createSite();
    const zip = smallZip();
    expect(await upload(user, id, null)).toMatchObject(refused(400, "File tidak ditemukan"));
    expect(await upload(user, id, new Uint8Array(0), { filename: "" })).toMatchObject(
      refused(400, "File tidak ditemukan"),
    );
    expect(await upload(user, id, zip, { order: "none" })).toMatchObject(
      refused(400, "Website ID tidak ditemukan"),
    );
    for (const other of [foreign.id, crypto.randomUUID(), "../x", " "]) {
      const expected =
        other === " "
          ? refused(400, "Website ID tidak ditemukan")
          : refused(404, "Website tidak ditemukan");
      expect(await upload(user, other, zip), other).toMatchObject(expected);
    }
    await expectNothingLeft(user);
  });

  it("refuses a file of more than 50 MB, by its head or while it comes", async () => {
    const { user, id } = await createSite();
    const { headers } = formOf(id, null);
    const whole = bigZip(50 * MIB);
    const words = "Ukuran file maksimal 50MB";
    expect(await upload(user, id, whole)).toMatchObject(refused(400, words));
    const { body } = formOf(id, whole);
    let at = 0;
    const slowly = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(body.slice(at, at + MIB));
        at += MIB;
      },
    });
    const request = { headers: new Headers(headers), body: slowly };
    await expect(receiveUpload(testContext(user), request)).rejects.toMatchObject({
      message: words,
    });
    await expectNothingLeft(user);
  });

  it("refuses a hostile archive in the middle, and leaves nothing of what was stored of it", async () => {
    const { user, id } = await createSite();
    const big = { name: "besar.bin", data: bigZip(6 * MIB).slice(50), method: 0 };
    const evil = zipOf([big, { name: "../../luar.php", data: new Uint8Array(9) }]);
    expect(await upload(user, id, evil)).toMatchObject(
      refused(400, "Arsip ditolak: ada nama file yang mengarah ke luar folder"),
    );
    await expectNothingLeft(user);
  });

  it("leaves nothing of what breaks off, or is no form", async () => {
    const { user, id } = await createSite();
    const { body, headers } = formOf(id, bigZip(6 * MIB));
    const cut = body.slice(0, body.length - 200_000);
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(cut),
      pull: (controller) => controller.error(new Error("the sender is gone")),
    });
    for (const request of [
      { headers: new Headers(headers), body: new Response(cut).body },
      { headers: new Headers(headers), body: broken },
      {
        headers: new Headers({ "content-type": "application/json" }),
        body: new Response("{}").body,
      },
      { headers: new Headers(headers), body: null },
    ]) {
      await expect(receiveUpload(testContext(user), request)).rejects.toThrow();
    }
    await expectNothingLeft(user);
  });

  it("takes only so many of one user at once", async () => {
    const { user, id } = await createSite();
    const begin = sql`select hosting_upload_begin(${JSON.stringify({ user_id: user.userId, key: crypto.randomUUID(), at_once: 9 })}::jsonb)`;
    for (let n = 0; n < 3; n += 1) {
      await query(
        sql`insert into hosting_uploads (user_id, key) values (${user.userId}, ${crypto.randomUUID()})`,
      );
    }
    await query(begin);
    expect(await upload(user, id, smallZip())).toMatchObject({ status: 429 });
  });
});

describe("GET /api/upload", () => {
  it("lists the archives of an own website, newest first, and of no other", async () => {
    const { user, id } = await createSite();
    const second = await createSite(user);
    const [a, b] = [await upload(user, id, smallZip()), await upload(user, id, smallZip())];
    await upload(user, second.id, smallZip());
    const list = (who: TestUser, query: string) => api(`/api/upload${query}`, { token: who.token });
    const { status, body } = await list(user, `?websiteId=${id}`);
    expect([status, body.success]).toEqual([200, true]);
    expect(body.files).toEqual([b.body.file, a.body.file]);
    const other = await createUser();
    expect(await list(other, `?websiteId=${id}`)).toMatchObject(
      refused(404, "Website tidak ditemukan"),
    );
    expect(await list(user, "")).toMatchObject(refused(400, "Website ID tidak ditemukan"));
  });
});

describe("a name to show", () => {
  it.each([
    ["C:\\Users\\budi\\Situs.zip", "Situs.zip"],
    ["/home/budi/../Situs.zip", "Situs.zip"],
    ["  situs\u202Egpj.zip\r\n", "situsgpj.zip"],
    ["<img src=x>.zip", "_img src=x_.zip"],
    ["", "website.zip"],
    ["\ud800.zip", "\ufffd.zip"],
    ["n".repeat(500), "n".repeat(120)],
  ])("%j becomes %j", (filename, shown) => {
    expect(displayName(filename, "zip")).toBe(shown);
  });
});
