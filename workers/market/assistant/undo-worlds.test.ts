import { sql } from "drizzle-orm";
import { afterAll, describe, expect, it } from "vitest";
import { settleBackground } from "../../testing/api.ts";
import { FEATURE_NAMES } from "../admin/features.ts";
import { run } from "../testing/catalogue.ts";
import { undoAction } from "./sessions.ts";
import { STAGES, type Stage } from "./testing/stages.ts";
import { toolsFor } from "./tools/index.ts";

/** What may have happened to the shop since; what of it does not concern an act changes nothing about its undo. */
const WORLDS: Record<string, (stage: Stage) => Promise<unknown>> = {
  "somebody changed the same thing by hand": ({ byHand }) => byHand(),
  "the product was deleted, the store renamed, and all its features switched off": async (
    stage,
  ) => {
    await run(sql`update market_products set deleted_at = coalesce(deleted_at, now())
      where id = ${stage.product.id}`);
    await run(sql`update market_stores set name = 'Nama Lain' where id = ${stage.store.id}`);
    await run(sql`insert into market_feature_flags (store_id, flag, is_on, updated_by)
      select ${stage.store.id}, f, false, ${stage.seller.userId} from unnest(${`{${FEATURE_NAMES}}`}::text[]) f`);
  },
  "the product is sold out, the store closed, and its shops and accounts elsewhere broke": async ({
    store,
    product,
  }) => {
    await run(sql`update market_products set stock = 3, reserved = 3 where id = ${product.id}`);
    await run(sql`update market_stores set status = 'suspended' where id = ${store.id}`);
    await run(sql`update market_connections set status = 'error', status_reason = 'putus'
      where store_id = ${store.id}`);
  },
  "the store was deleted": ({ store }) => run(sql`select market_store_end(${store.id})`),
};

afterAll(settleBackground);

describe("an act of the assistant", () => {
  it("is on a stage here for each tool that writes", () => {
    const writing = toolsFor(["seller", "admin"]).filter(({ writes }) => writes);
    const names = writing.map(({ definition }) => definition.name);
    expect(Object.keys(STAGES).toSorted()).toEqual(names.toSorted());
  });

  describe.each(Object.entries(WORLDS))("where %s", (_, change) => {
    it.each(Object.entries(STAGES))("is undone, in words: %s", async (_name, make) => {
      const stage = await make();
      expect(await stage.stands()).toBe(true);
      await change(stage);
      const undone = await undoAction(stage.ctx, stage.actionId);
      expect(undone).toEqual({
        id: stage.actionId,
        undone: true,
        message: expect.stringMatching(/\.$/),
      });
      expect(await stage.stands()).toBe(false);
      await expect(undoAction(stage.ctx, stage.actionId)).rejects.toMatchObject({
        code: "conflict",
        message: "Tindakan ini sudah dibatalkan",
      });
    });
  });
});
