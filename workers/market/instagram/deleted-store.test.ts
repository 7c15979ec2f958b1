import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { deleteStore as deleteAsAdmin } from "../admin/stores.ts";
import { draftPost, editPost, getPost, listPosts, publishNow } from "./posts.ts";
import { connectedDesk, type Desk, duePost, fault, run, turn } from "./testing/post-bench.ts";

let admin: Ctx;
beforeAll(async () => {
  admin = testContext(await createUser(["admin"]));
});
const deleteStore = ({ store }: Desk) => deleteAsAdmin(admin, store.id, false);

const MAYBE = "Toko dihapus. Mungkin sudah terbit: periksa akun Instagram Anda.";

const weeksAhead = () => new Date(Date.now() + 30 * 86_400_000).toISOString();

/** Does `act` once, when Instagram is called by that name, before or after the call has its effect. */
function once(desk: Desk, when: "before" | "after", name: string, act: () => unknown) {
  let done = false;
  desk.fake[when] = async (called: string) => {
    if (called !== name || done) return;
    done = true;
    await act();
  };
}

describe("a post of a store that is deleted ends, and its seller can read how", () => {
  it("as failed where it waited for its time, and never goes out; the account is let go", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    await deleteStore(desk);
    expect(await turn(desk, id).catch((error: unknown) => error)).not.toBe("queued");
    expect([desk.fake.posts, desk.fake.calls.includes("createContainer")]).toEqual([[], false]);
    const ended = { id, status: "failed", state: "failed", reason: "Toko dihapus" };
    expect(await getPost(desk.ctx, id)).toMatchObject(ended);
    const query = { page: 1, limit: 20, state: undefined };
    expect((await listPosts(desk.ctx, query)).rows).toMatchObject([ended]);
    await expect(editPost(desk.ctx, id, { caption: "Lagi" })).rejects.toMatchObject({
      code: "not_found",
    });
    const left = await desk.ctx.db.run(
      rows(
        sql`select status, access_token_enc as token from market_instagram_accounts where store_id = ${desk.store.id}`,
        z.unknown(),
      ),
    );
    expect(left).toEqual([{ status: "disconnected", token: null }]);
  });

  it.each(["publishingLimit", "createContainer", "containerStatus"])(
    "as failed where that happens around %s, and does not go out",
    async (name) => {
      const desk = await connectedDesk();
      const { id } = await duePost(desk);
      once(desk, "after", name, () => deleteStore(desk));
      for (let round = 0; round < 2; round += 1) await turn(desk, id);
      expect(desk.fake.posts).toEqual([]);
      expect(await getPost(desk.ctx, id)).toMatchObject({
        state: "failed",
        reason: "Toko dihapus",
      });
    },
  );

  it.each(["publish", "permalink"])("as published where that happens around %s", async (name) => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    once(desk, "after", name, () => deleteStore(desk));
    await turn(desk, id);
    expect(desk.fake.posts).toHaveLength(1);
    expect(await getPost(desk.ctx, id)).toMatchObject({ state: "published", reason: null });
  });

  it.each(["before", "after"] as const)(
    "as perhaps published where the answer of its publishing call was lost (%s its effect)",
    async (when) => {
      const desk = await connectedDesk();
      const { id } = await duePost(desk);
      desk.fake[when] = (name) => {
        if (name === "publish") throw fault("unknown");
      };
      await turn(desk, id);
      await deleteStore(desk);
      expect((await getPost(desk.ctx, id)).state).toBe("publishing");
      await turn(desk, id);
      expect(await getPost(desk.ctx, id)).toMatchObject({ state: "failed", reason: MAYBE });
    },
  );

  it("as perhaps published where it was to be sent again, weeks after its first answer was lost", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    desk.fake.before = (name) => {
      if (name === "publish") throw fault("unknown");
      if (name === "containerStatus" && desk.fake.count("publish") > 0) throw fault("token");
    };
    for (let round = 0; round < 2; round += 1) await turn(desk, id);
    expect((await getPost(desk.ctx, id)).state).toBe("failed");
    await run(
      sql`update market_instagram_accounts set status = 'connected' where store_id = ${desk.store.id}`,
    );
    await editPost(desk.ctx, id, { scheduled_at: weeksAhead() });
    await deleteStore(desk);
    expect(await getPost(desk.ctx, id)).toMatchObject({ state: "failed", reason: MAYBE });
  });

  it.each([
    ["moved", (desk: Desk, id: string) => editPost(desk.ctx, id, { scheduled_at: weeksAhead() })],
    ["sent", (desk: Desk, id: string) => publishNow(desk.ctx, id)],
  ])("and cannot be %s while the deletion is under way", async (_, change) => {
    const desk = await connectedDesk();
    const { ctx, store, imageUrl } = desk;
    const { id } = await draftPost(ctx, { caption: "Kopi", imageUrl });
    const deletion = { store_id: store.id, defer: false, actor_id: null, audit: {} };
    const deleting = admin.db.batch([
      call("market_admin_store_delete", deletion, z.unknown()),
      rows(sql`select pg_sleep(0.8)::text as slept`, z.unknown()),
    ]);
    const held = sql`select id from market_stores where id = ${store.id} for key share nowait`;
    const isHeld = () =>
      run(held).then(
        () => false,
        () => true,
      );
    await expect.poll(isHeld).toBe(true);
    await expect(change(desk, id)).rejects.toMatchObject({ code: "not_found" });
    await deleting;
    expect((await getPost(ctx, id)).state).toBe("draft");
  });
});
