import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { runJob } from "../../../shared/jobs/jobs.ts";
import type { InstagramFault } from "../../../shared/providers/instagram.ts";
import { createProduct } from "../../testing/factories.ts";
import { mortalContext } from "../testing/mortal.ts";
import { disconnectAccount } from "./accounts.ts";
import { instagramJob } from "./job.ts";
import { deletePost, draftPost, editPost, getPost, publishNow } from "./posts.ts";
import { publishPost } from "./publish.ts";
import {
  addJpeg,
  connect,
  connectedDesk,
  type Desk,
  deskContext,
  duePost,
  fault,
  letPass,
  mailsOf,
  postRow,
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

describe("a trouble that passes", () => {
  const passing: InstagramFault[] = [
    "unavailable",
    "unknown",
    "throttled",
    "not_ready",
    "gone",
    "quota",
  ];
  const calls = ["publishingLimit", "createContainer", "containerStatus", "publish"] as const;
  const cases = passing.flatMap((name) => calls.map((call) => [name, call] as const));

  it.each(cases)("(%s at %s) costs time and no second post", async (name, call) => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    let left = 2;
    desk.fake.before = (made) => {
      if (made === call && left > 0) {
        left -= 1;
        throw fault(name);
      }
    };
    expect((await settle(desk, id, 10)).status).toBe("published");
    expect(desk.fake.posts).toHaveLength(1);
  });
});

describe("a publishing call whose answer was lost", () => {
  const lost = async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    desk.fake.after = (name) => {
      if (name === "publish") throw fault("unknown");
    };
    await turn(desk, id);
    desk.fake.after = () => undefined;
    return { desk, id };
  };

  it("is asked about, and the post is published once", async () => {
    const { desk, id } = await lost();
    expect(await postRow(id)).toMatchObject({ status: "draft" });
    expect((await settle(desk, id)).status).toBe("published");
    expect([desk.fake.posts.length, desk.fake.count("publish")]).toEqual([1, 1]);
  });

  it("is asked about also where the seller gives it up, changes it and sends it again", async () => {
    const { desk, id } = await lost();
    await letPass(id, "3 days");
    await turn(desk, id);
    expect(await getPost(desk.ctx, id)).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("Mungkin sudah terbit"),
    });
    await editPost(desk.ctx, id, { caption: "Lain sama sekali", scheduled_at: soon() });
    expect((await settle(desk, id)).status).toBe("published");
    expect(desk.fake.posts).toHaveLength(1);
  });

  it("and never arrived is made again, but not before that is sure", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    desk.fake.before = (name) => {
      if (name === "publish") throw fault("unknown");
    };
    await turn(desk, id);
    desk.fake.before = () => undefined;
    await letPass(id, "1 second");
    const jobId = String((await postRow(id))?.job_id);
    await runJob(deskContext(null, desk.fake), jobId, [instagramJob({ firstLookMs: 0 })]);
    expect(desk.fake.count("publish")).toBe(1);
    expect((await settle(desk, id)).status).toBe("published");
    expect(desk.fake.posts).toHaveLength(1);
  });
});

describe("many at once", () => {
  it("publish a post once", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    await letPass(id);
    const { run: count } = (await postRow(id)) ?? {};
    const runs = Array.from({ length: 5 }, () =>
      publishPost(
        deskContext(null, desk.fake),
        { post_id: id, run: Number(count) },
        { firstLookMs: 0 },
      ),
    );
    await Promise.all(runs);
    expect((await settle(desk, id)).status).toBe("published");
    expect([desk.fake.posts.length, desk.fake.count("publish")]).toEqual([1, 1]);
  });

  it("who publish and delete at the same moment leave a post or none, never a post that nobody knows", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    const [, deleted] = await Promise.allSettled([turn(desk, id), deletePost(desk.ctx, id)]);
    expect(desk.fake.posts.length).toBe(deleted?.status === "fulfilled" ? 0 : 1);
  });
});

describe("a worker that dies", () => {
  const deaths = Array.from({ length: 11 }, (_, at) => [
    [at, "before"] as const,
    [at, "after"] as const,
  ]).flat();

  it.each(deaths)("at call %i, %s it acted, leaves a post that goes out once", async (at, kill) => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    const dying = mortalContext(deskContext(null, desk.fake), "instagram", at, kill);
    await Promise.race([turn(desk, id, dying.ctx), dying.killed]);
    expect((await settle(desk, id)).status).toBe("published");
    expect(desk.fake.posts).toHaveLength(1);
  });
});

it("a picture of another shape is another's post: the one that was chosen goes out", async () => {
  const desk = await connectedDesk();
  const { id } = await duePost(desk);
  const wide = await addJpeg(desk.ctx, desk.seller, 1_900, 1_000);
  await editPost(desk.ctx, id, { image_url: wide });
  await settle(desk, id);
  expect(desk.fake.posts).toMatchObject([{ imageUrl: wide }]);
});
