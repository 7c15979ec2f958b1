import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, settleBackground, testContext } from "../testing/api.ts";
import type { TestUser } from "../testing/factories.ts";
import { ArchiveCheck } from "./archives/archive.ts";
import {
  bigZip,
  createSite,
  formOf,
  keysOf,
  smallZip,
  upload,
  uploadsOf,
} from "./testing/uploads.ts";
import { ObjectWriter } from "./uploads/object-writer.ts";
import { receiveForm } from "./uploads/receive.ts";
import { receiveUpload, sweepUploads } from "./uploads.ts";

const MIB = 1024 * 1024;
const query = (text: ReturnType<typeof sql>) => testContext().db.run(rows(text, z.unknown()));

/** Nothing of a refused upload may stay, neither row nor object. */
async function expectNothingLeft(user: TestUser): Promise<void> {
  await settleBackground();
  expect(await uploadsOf(user)).toEqual([]);
  expect(await keysOf(user)).toEqual([]);
}

describe("memory while an upload comes", () => {
  it("is one part for R2 and little more, however the body comes", async () => {
    const zip = bigZip(16 * MIB);
    const { body, headers } = formOf("x", zip);
    const writer = new ObjectWriter({
      bucket: testContext().assets,
      key: `site-archives/0/${crypto.randomUUID()}`,
      contentType: () => "application/zip",
      partsBegin: async () => undefined,
    });
    const check = new ArchiveCheck();
    const chunks = [body.subarray(0, 9 * MIB), body.subarray(9 * MIB)];
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const chunk = chunks.shift();
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    });
    const form = await receiveForm({ headers: new Headers(headers), body: stream }, writer, check);
    expect(form).toMatchObject({ websiteId: "x", size: zip.length });
    expect(writer.bufferBytes).toBeLessThanOrEqual(5.25 * MIB);
    expect(check.largestHeld).toBeLessThan(1024);
    await writer.abort();
  });
});

describe("a database that takes an upload in and cannot say so", () => {
  it("keeps row and object, as they belong together", async () => {
    const { user, id } = await createSite();
    const ctx = testContext(user);
    const run = ctx.db.run.bind(ctx.db);
    const db = Object.assign(Object.create(ctx.db), {
      run: async (...asked: Parameters<typeof run>) => {
        const result = await run(...asked);
        if (asked[0].sql.includes("hosting_upload_finish")) throw new Error("the answer is lost");
        return result;
      },
    });
    const { body, headers } = formOf(id, smallZip());
    const request = { headers: new Headers(headers), body: new Response(body).body };
    await expect(receiveUpload({ ...ctx, db }, request)).rejects.toThrow("the answer is lost");
    expect(await uploadsOf(user)).toMatchObject([{ state: "stored" }]);
    expect(await keysOf(user)).toHaveLength(1);
  });
});

describe("old archives", () => {
  it("make room for new ones of the same site, their objects too", async () => {
    const { user, id } = await createSite();
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1) ids.push((await upload(user, id, smallZip())).body.file.id);
    const { body } = await api(`/api/upload?websiteId=${id}`, { token: user.token });
    expect(body.files.map((file: { id: string }) => file.id)).toEqual(ids.slice(2).reverse());
    await vi.waitFor(async () => expect(await keysOf(user)).toHaveLength(5));
    expect(await uploadsOf(user)).toHaveLength(5);
  });

  it("make room for others of their owner beyond his quota, the oldest first", async () => {
    const { user, id } = await createSite();
    const first = await upload(user, id, smallZip());
    const second = await upload(user, id, smallZip());
    await query(
      sql`update hosting_uploads set stored_size = ${400 * MIB} where id = ${first.body.file.id}`,
    );
    await query(
      sql`update hosting_uploads set stored_size = ${400 * MIB} where id = ${second.body.file.id}`,
    );
    const third = await upload(user, (await createSite(user)).id, smallZip());
    const left = await uploadsOf(user);
    const stored = left.filter(({ state }) => state === "stored").map((row) => row.id);
    expect(stored).toEqual([third.body.file.id, second.body.file.id]);
  });

  it("and what was given up while it came are swept, parts and objects, and nothing else", async () => {
    const { user, id } = await createSite();
    const kept = (await upload(user, id, smallZip())).body.file.id;
    const old = (await upload(user, id, smallZip())).body.file.id;
    await query(
      sql`update hosting_uploads set stored_at = now() - interval '31 days' where id = ${old}`,
    );
    const ctx = testContext();
    const key = `site-archives/${user.userId}/${crypto.randomUUID()}`;
    const parts = await ctx.assets.createMultipartUpload(key);
    await parts.uploadPart(1, new Uint8Array(5 * MIB));
    await query(sql`insert into hosting_uploads (user_id, key, multipart_id, updated_at)
      values (${user.userId}, ${key}, ${parts.uploadId}, now() - interval '2 hours')`);
    await query(
      sql`insert into hosting_uploads (user_id, key) values (${user.userId}, ${`${key}-now`})`,
    );
    await sweepUploads(ctx);
    const rowsLeft = await uploadsOf(user);
    expect(rowsLeft.map((row) => [row.state, row.id === kept])).toEqual([
      ["receiving", false],
      ["stored", true],
    ]);
    await expect(parts.uploadPart(2, new Uint8Array(10))).rejects.toThrow();
    expect(await keysOf(user)).toHaveLength(1);
  });

  it("of a deleted site are swept", async () => {
    const { user, id } = await createSite();
    await upload(user, id, smallZip());
    await query(
      sql`update hosting_websites set status = 'DELETED', wanted = 'deleted', deleted_at = now() where id = ${id}`,
    );
    await sweepUploads(testContext());
    await expectNothingLeft(user);
  });
});
