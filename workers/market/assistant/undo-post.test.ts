import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createProduct } from "../../testing/factories.ts";
import { addJpeg, connectedDesk, postRow, run } from "../instagram/testing/post-bench.ts";
import { createShop } from "../testing/catalogue.ts";
import { agreedTalkOf, talkOf } from "./testing/proposals.ts";
import { actionsOf, ask, rowOf, undo } from "./testing/talk.ts";

const caption = "Kopi panen baru #kopi";

/** A post that the assistant has written for a seller with an Instagram account, and what it did for that. */
async function written(fields: { schedule_at?: string } = {}) {
  const desk = await connectedDesk();
  await agreedTalkOf(
    () => [["draft_instagram_post", { caption, ...fields }]],
    {},
    async () => desk,
  );
  const [action] = await actionsOf(desk.seller);
  const postId: string = action.target_id;
  const edit = (json: object) =>
    api(`/api/seller/instagram/posts/${postId}`, { method: "PUT", token: desk.seller.token, json });
  return { ...desk, action, postId, edit };
}

describe("undoing a draft for Instagram that the assistant wrote", () => {
  it("takes it away, once, and writes it down", async () => {
    const { seller, action, postId } = await written();
    expect(await postRow(postId)).toMatchObject({ caption });
    const { status, body } = await undo(seller, action.id);
    expect([status, body.data]).toMatchObject([200, { id: action.id, undone: true }]);
    expect(await postRow(postId)).toBeNull();
    expect((await actionsOf(seller))[0]).toMatchObject({
      undone_at: expect.any(String),
      undo_until: null,
    });
    expect((await undo(seller, action.id)).status).toBe(409);
    const trace = await run(sql`select count(*)::int as told from audit_entries
      where subject_id = ${postId} and action = 'market.assistant.undo'`);
    expect(trace).toEqual([{ told: 1 }]);
  });

  it("ends the job of one that was scheduled", async () => {
    const desk = await connectedDesk();
    const product = await createProduct(desk.store);
    await run(sql`insert into market_product_images (product_id, url, is_primary)
      values (${product.id}, ${await addJpeg(desk.ctx, desk.seller)}, true)`);
    const schedule_at = new Date(Date.now() + 3_600_000).toISOString();
    const input = { product_id: product.id, caption, schedule_at };
    const talk = await talkOf(
      () => [["draft_instagram_post", input]],
      {},
      async () => desk,
    );
    await ask(desk.seller, "ya", talk.sessionId);
    const [action] = await actionsOf(desk.seller);
    const { job_id: jobId } = await rowOf("market_instagram_posts", action.target_id);
    expect((await undo(desk.seller, action.id)).status).toBe(200);
    expect(await rowOf("jobs", String(jobId))).toMatchObject({ state: "cancelled" });
  });

  it("takes it away also where its seller has changed it since", async () => {
    const { seller, action, postId, edit } = await written();
    expect((await edit({ caption: "Kata saya sendiri" })).status).toBe(200);
    expect((await undo(seller, action.id)).status).toBe(200);
    expect(await postRow(postId)).toBeNull();
  });

  it("waits while it is being sent, and says where one that is out can be deleted", async () => {
    const { seller, action, postId } = await written();
    const set = (fields: ReturnType<typeof sql>) =>
      run(sql`update market_instagram_posts set ${fields} where id = ${postId}`);
    await set(sql`started_at = now(), publish_sent_at = now()`);
    const early = await undo(seller, action.id);
    expect([early.status, early.body.error]).toEqual([
      409,
      "Kiriman ini sedang diterbitkan. Coba batalkan lagi semenit lagi",
    ]);
    await set(sql`started_at = null, publish_sent_at = null, status = 'published',
      permalink = 'https://www.instagram.com/p/abc/'`);
    const { body } = await undo(seller, action.id);
    expect(body.data).toMatchObject({
      undone: false,
      message: expect.stringMatching(
        /aplikasi Instagram: https:\/\/www\.instagram\.com\/p\/abc\/$/,
      ),
    });
    expect((await actionsOf(seller))[0].undone_at).toBeNull();
    expect(await postRow(postId)).toMatchObject({ caption });
  });

  it.each([
    ["is being prepared", sql`started_at = now()`, /^Sudah dikembalikan/],
    ["failed", sql`status = 'failed'`, /^Sudah dikembalikan/],
    [
      "may be out, nobody knows since minutes",
      sql`started_at = now(), publish_sent_at = now() - interval '2 minutes'`,
      /mungkin sudah terbit/,
    ],
  ])("takes away one that %s", async (_, fields, words) => {
    const { seller, action, postId } = await written();
    await run(sql`update market_instagram_posts set ${fields} where id = ${postId}`);
    expect((await undo(seller, action.id)).body.data.message).toMatch(words);
    expect(await postRow(postId)).toBeNull();
  });

  it("is nobody else's to do, and finds nothing left where the seller was quicker", async () => {
    const { seller, action, postId } = await written();
    const { seller: stranger } = await createShop();
    expect((await undo(stranger, action.id)).status).toBe(404);
    expect(await postRow(postId)).not.toBeNull();
    const path = `/api/seller/instagram/posts/${postId}`;
    expect((await api(path, { method: "DELETE", token: seller.token })).status).toBe(200);
    expect((await undo(seller, action.id)).body.data.message).toMatch(/sudah dihapus/);
  });
});
