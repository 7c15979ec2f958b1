import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { runJob } from "../../../shared/jobs/jobs.ts";
import type { InstagramFault } from "../../../shared/providers/instagram.ts";
import { createProduct } from "../../testing/factories.ts";
import { disconnectAccount } from "./accounts.ts";
import { instagramJob } from "./job.ts";
import { deletePost, draftPost, editPost, getPost, publishNow } from "./posts.ts";
import {
  connect,
  connectedDesk,
  type Desk,
  deskContext,
  duePost,
  fault,
  letPass,
  mailsOf,
  run,
  turn,
} from "./testing/post-bench.ts";

const soon = () => new Date(Date.now() + 3_600_000).toISOString();

/** Wakes the post's job until the post has ended. */
async function settle(desk: Desk, id: string, most = 6) {
  for (let round = 0; round < most; round += 1) {
    const post = await getPost(desk.ctx, id);
    if (post.status !== "draft") return post;
    await turn(desk, id);
  }
  return await getPost(desk.ctx, id);
}

describe("a scheduled post", () => {
  it.each(["", "http://localhost:9123"])(
    "whose picture is stored behind %j names it by today's address",
    async (then) => {
      const desk = await connectedDesk();
      const { id } = await duePost(desk);
      await run(sql`update market_instagram_posts
      set image_url = ${then} || regexp_replace(image_url, '^http://[^/]*', '') where id = ${id}`);
      expect((await getPost(desk.ctx, id)).image_url).toBe(desk.imageUrl);
      expect(await turn(desk, id)).toBe("success");
      expect(desk.fake.posts).toMatchObject([{ imageUrl: desk.imageUrl }]);
    },
  );

  it("goes out at its time and not before, once, with the product's link below the words", async () => {
    const desk = await connectedDesk();
    const product = await createProduct(desk.store);
    const { ctx, imageUrl, fake } = desk;
    const post = await draftPost(ctx, {
      productId: product.id,
      caption: "Panen baru",
      imageUrl,
      scheduleAt: soon(),
    });
    expect(post).toMatchObject({ status: "draft", state: "scheduled" });
    const [job] = await run(sql`select extract(epoch from run_at - now())::int as wait from jobs
      where payload->>'post_id' = ${post.id}`);
    expect(Number(job?.wait)).toBeGreaterThan(3_500);
    expect(await turn(desk, post.id)).toBe("success");
    expect(await turn(desk, post.id)).toBe("skipped");
    const link = `http://${desk.store.slug}.localhost:8787/produk/${product.id}`;
    expect(fake.posts).toMatchObject([{ caption: `Panen baru\n\n${link}`, imageUrl }]);
    expect(await getPost(ctx, post.id)).toMatchObject({
      status: "published",
      state: "published",
      permalink: `https://www.instagram.com/p/${fake.posts[0]?.id}/`,
      product_link: link,
    });
  });

  it("waits for its picture as long as Instagram works on it", async () => {
    const desk = await connectedDesk();
    desk.fake.born = "IN_PROGRESS";
    const { id } = await duePost(desk);
    expect(await turn(desk, id)).toBe("queued");
    expect(await getPost(desk.ctx, id)).toMatchObject({ state: "publishing" });
    expect(desk.fake.posts).toEqual([]);
    for (const container of desk.fake.containers.values()) container.status = "FINISHED";
    expect(await turn(desk, id)).toBe("success");
    expect([desk.fake.posts.length, desk.fake.containers.size]).toEqual([1, 1]);
  });

  it("that was moved goes out at the new time alone", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    const [first] = await run(sql`select job_id from market_instagram_posts where id = ${id}`);
    await editPost(desk.ctx, id, { scheduled_at: new Date(Date.now() + 7_200_000).toISOString() });
    const [old] = await run(sql`select state from jobs where id = ${String(first?.job_id)}`);
    expect(old?.state).toBe("cancelled");
    await run(
      sql`update jobs set state = 'queued', finished_at = null where id = ${String(first?.job_id)}`,
    );
    // Even where the old job could not be ended, its run no longer counts.
    await letPass(id);
    await runJob(deskContext(null, desk.fake), String(first?.job_id), [
      instagramJob({ firstLookMs: 0 }),
    ]);
    expect(desk.fake.calls.filter((name) => name !== "exchangeCode")).toEqual([]);
    await turn(desk, id);
    expect(desk.fake.posts).toHaveLength(1);
  });

  it("can be changed, taken off and deleted until it is on its way, and not after", async () => {
    const desk = await connectedDesk();
    const { ctx } = desk;
    const { id } = await duePost(desk);
    expect(await editPost(ctx, id, { scheduled_at: null })).toMatchObject({
      state: "draft",
      scheduled_at: null,
    });
    expect(await editPost(ctx, id, { scheduled_at: soon(), caption: "Lain" })).toMatchObject({
      state: "scheduled",
    });
    desk.fake.born = "IN_PROGRESS";
    await turn(desk, id);
    for (const act of [
      () => editPost(ctx, id, { caption: "x" }),
      () => deletePost(ctx, id),
      () => publishNow(ctx, id),
    ]) {
      await expect(act()).rejects.toMatchObject({
        code: "conflict",
        message: "Kiriman ini sedang diterbitkan",
      });
    }
    for (const container of desk.fake.containers.values()) container.status = "FINISHED";
    await turn(desk, id);
    await expect(deletePost(ctx, id)).rejects.toMatchObject({ code: "conflict" });
    const other = await duePost(desk);
    expect(await deletePost(ctx, other.id)).toEqual({ id: other.id });
    expect(desk.fake.posts).toMatchObject([{ caption: "Lain" }]);
  });

  it("of a full day waits for room, says so, and can still be taken off", async () => {
    const desk = await connectedDesk();
    desk.fake.used = 50;
    const { id } = await duePost(desk);
    expect(await turn(desk, id)).toBe("queued");
    expect(await getPost(desk.ctx, id)).toMatchObject({
      state: "scheduled",
      reason: expect.stringContaining("50 dari 50 dalam 24 jam"),
    });
    const [job] = await run(sql`select extract(epoch from run_at - now())::int as wait from jobs
      where payload->>'post_id' = ${id}`);
    expect(Number(job?.wait)).toBeGreaterThan(3_000);
    expect(desk.fake.containers.size).toBe(0);
    desk.fake.used = 49;
    expect((await settle(desk, id)).status).toBe("published");
    desk.fake.used = 50;
    const second = await duePost(desk);
    await turn(desk, second.id);
    expect(await editPost(desk.ctx, second.id, { scheduled_at: null })).toMatchObject({
      state: "draft",
      reason: null,
    });
  });

  it("that finds the day full only when it is published waits too, and goes out once", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    desk.fake.before = (name) => {
      if (name === "publish") throw fault("quota");
    };
    await turn(desk, id);
    expect(await getPost(desk.ctx, id)).toMatchObject({ state: "scheduled" });
    desk.fake.before = () => undefined;
    expect((await settle(desk, id)).status).toBe("published");
    expect(desk.fake.posts).toHaveLength(1);
  });

  it("that is two days late is not what its seller meant any more", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    await letPass(id, "3 days");
    await turn(desk, id);
    expect(await getPost(desk.ctx, id)).toMatchObject({
      status: "failed",
      reason: "Tidak berhasil terbit dalam 48 jam",
    });
    expect(desk.fake.posts).toEqual([]);
  });
});

describe("a failure is told to the seller, in words and by one mail, when", () => {
  const faults: [InstagramFault, string][] = [
    ["stopped", "Alasan stopped"],
    ["picture", "Alasan picture"],
    ["caption", "Alasan caption"],
    ["rejected", "Alasan rejected"],
    ["token", "Alasan token"],
  ];
  it.each(faults)("Instagram says %s", async (name, reason) => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    desk.fake.before = (call) => {
      if (call === "createContainer") throw fault(name);
    };
    await turn(desk, id);
    expect(await getPost(desk.ctx, id)).toMatchObject({
      status: "failed",
      state: "failed",
      reason,
    });
    const broken = name === "token" ? [{ template: "instagram_broken", reason }] : [];
    expect(await mailsOf(desk.store)).toEqual(
      expect.arrayContaining([{ template: "instagram_failed", reason }, ...broken]),
    );
    expect(await mailsOf(desk.store)).toHaveLength(1 + broken.length);
  });

  it("the picture cannot be processed, after three tries", async () => {
    const desk = await connectedDesk();
    desk.fake.born = "ERROR";
    const { id } = await duePost(desk);
    expect(await settle(desk, id)).toMatchObject({
      reason: "Instagram tidak dapat memproses gambar ini",
    });
    expect(desk.fake.containers.size).toBe(3);
  });

  it("the account was left, or its product was deleted", async () => {
    const desk = await connectedDesk();
    const { ctx, imageUrl } = desk;
    const product = await createProduct(desk.store);
    const post = await draftPost(ctx, { productId: product.id, imageUrl, scheduleAt: soon() });
    await run(sql`update market_products set deleted_at = now() where id = ${product.id}`);
    expect(await settle(desk, post.id)).toMatchObject({ reason: "Produknya sudah dihapus" });
    const other = await duePost(desk);
    await disconnectAccount(ctx);
    expect(await settle(desk, other.id)).toMatchObject({
      reason: "Akun Instagram tidak terhubung",
    });
    await connect(desk);
    await publishNow(ctx, other.id);
    expect((await settle(desk, other.id)).status).toBe("published");
  });

  it("Instagram is away for long", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    desk.fake.before = (call) => {
      if (call === "publishingLimit") throw fault("unavailable");
    };
    await run(sql`update market_instagram_posts set troubles = 12 where id = ${id}`);
    await turn(desk, id);
    expect(await getPost(desk.ctx, id)).toMatchObject({
      status: "failed",
      reason: "Alasan unavailable",
    });
  });
});
