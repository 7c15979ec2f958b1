import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { createUser } from "../../testing/factories.ts";
import { setFlags } from "../admin/flags.ts";
import { getPost } from "./posts.ts";
import {
  connectedDesk,
  type Desk,
  duePost,
  fault,
  mailsOf,
  postRow,
  run,
  turn,
} from "./testing/post-bench.ts";

async function flag({ ctx, store }: Desk, instagram: boolean) {
  await setFlags({ ...ctx, actor: await createUser(["admin"]) }, store.id, { instagram });
}

describe("a scheduled post of a store whose Instagram an admin switched off", () => {
  it("does not go out, says why, and goes out once it is switched on again", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    await flag(desk, false);
    for (let round = 0; round < 2; round += 1) expect(await turn(desk, id)).toBe("queued");
    expect([desk.fake.posts, desk.fake.count("createContainer")]).toEqual([[], 0]);
    expect(await getPost(desk.ctx, id)).toMatchObject({
      state: "scheduled",
      reason: "Instagram sedang dinonaktifkan untuk toko Anda. Dikirim begitu diaktifkan lagi.",
    });
    await flag(desk, true);
    expect(await turn(desk, id)).toBe("success");
    expect(await getPost(desk.ctx, id)).toMatchObject({ status: "published", reason: null });
    expect(desk.fake.posts).toHaveLength(1);
  });

  it("ends two days after its time, and its seller hears of it", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    await flag(desk, false);
    await turn(desk, id);
    await run(
      sql`update market_instagram_posts set scheduled_at = now() - interval '49 hours' where id = ${id}`,
    );
    expect(await turn(desk, id)).toBe("success");
    expect(await getPost(desk.ctx, id)).toMatchObject({ status: "failed" });
    expect(await mailsOf(desk.store)).toMatchObject([
      { template: "instagram_failed", reason: expect.stringContaining("lewat 48 jam") },
    ]);
    expect(desk.fake.posts).toEqual([]);
  });

  it("stops before its last step where that happens on the way", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    desk.fake.after = async (name) => {
      if (name === "containerStatus") await flag(desk, false);
    };
    expect(await turn(desk, id)).toBe("queued");
    desk.fake.after = () => undefined;
    await turn(desk, id);
    expect(desk.fake.count("publish")).toBe(0);
    expect((await getPost(desk.ctx, id)).state).toBe("scheduled");
  });

  it("that may be out already is asked about, and not sent again", async () => {
    for (const isOut of [true, false]) {
      const desk = await connectedDesk();
      const { id } = await duePost(desk);
      const lose = (name: string) => {
        if (name === "publish") throw fault("unknown");
      };
      if (isOut) desk.fake.after = lose;
      else desk.fake.before = lose;
      await turn(desk, id);
      desk.fake.after = () => undefined;
      desk.fake.before = () => undefined;
      expect((await postRow(id))?.publish_sent_at).not.toBeNull();
      await flag(desk, false);
      await turn(desk, id);
      expect((await getPost(desk.ctx, id)).state).toBe(isOut ? "published" : "scheduled");
      expect(desk.fake.posts).toHaveLength(isOut ? 1 : 0);
    }
  });
});
