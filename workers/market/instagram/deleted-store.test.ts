import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { editPost, getPost, listPosts } from "./posts.ts";
import { connectedDesk, type Desk, duePost, fault, run, turn } from "./testing/post-bench.ts";

const deleteStore = ({ store }: Desk) => run(sql`select market_store_end(${store.id})`);

const MAYBE = "Toko dihapus. Mungkin sudah terbit: periksa akun Instagram Anda.";

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
});
