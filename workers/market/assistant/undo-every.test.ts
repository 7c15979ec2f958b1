import { sql } from "drizzle-orm";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { settleBackground, testContext } from "../../testing/api.ts";
import {
  createProduct,
  createStore,
  createUser,
  type TestProduct,
  type TestStore,
  type TestUser,
  unique,
} from "../../testing/factories.ts";
import { connectAtTwin } from "../marketplaces/testing/at-twin.ts";
import { addPicture } from "../photos/testing/photo-bench.ts";
import { calling, done } from "./testing/proposals.ts";
import { actionsOf, ask, script, undo } from "./testing/talk.ts";
import { toolsFor } from "./tools/index.ts";

interface Bench {
  seller: TestUser;
  store: TestStore;
  product: TestProduct;
}
type Input = Record<string, unknown>;

/** What to have each tool do that does something: one that is not here has no proof of its undo. */
const CALLS: Record<string, (bench: Bench) => Input | Promise<Input>> = {
  create_product: () => ({ name: "Kopi", price: 9_000, stock: 2 }),
  update_product: ({ product }) => ({ product_id: product.id, price: 40_000 }),
  delete_product: ({ product }) => ({ product_id: product.id }),
  update_store_info: () => ({ description: "Toko ramah" }),
  set_store_location: () => ({ lat: -8.0954, lng: 112.1609 }),
  create_promo: () => ({
    ...{ code: unique("P").slice(0, 12).toUpperCase(), type: "percentage", value: 10 },
    ...{ starts_at: "2026-01-01", ends_at: "2090-01-01" },
  }),
  draft_instagram_post: () => ({ caption: "Panen baru" }),
  feature_store: ({ store }) => ({ store_id: store.id, featured: true }),
  feature_product: ({ product }) => ({ product_id: product.id, featured: true }),
  sync_to_marketplace: async ({ seller, product }) => {
    await connectAtTwin("shopee", seller);
    return { platform: "shopee", product_ids: [product.id] };
  },
  enhance_product_photo: async ({ seller, product }) => ({
    product_id: product.id,
    image_url: await addPicture(testContext(), seller),
  }),
};
/** The ten of the specification, and those that were added. */
const SPECIFIED = [
  ...["create_product", "update_store_info", "set_store_location", "sync_to_marketplace"],
  ...["create_promo", "draft_instagram_post", "get_order_summary", "enhance_product_photo"],
  ...["feature_store", "feature_product"],
];

const tools = toolsFor(["seller", "admin"]);
const writing = tools.filter(({ writes }) => writes).map(({ definition }) => definition.name);

const tracesOf = async ({ userId }: TestUser) => {
  const query = sql`select action from audit_entries where actor_id = ${userId} and outcome = 'done'
    and action like 'market.assistant.%' order by id`;
  const found = await testContext().db.run(rows(query, z.object({ action: z.string() })));
  return found.map(({ action }) => action);
};

afterAll(settleBackground);

describe("everything that the assistant can do", () => {
  it("is known here, the ten tools of the specification among it", () => {
    expect(Object.keys(CALLS).toSorted()).toEqual(writing.toSorted());
    const names = tools.map(({ definition }) => definition.name);
    expect(names).toEqual(expect.arrayContaining(SPECIFIED));
  });

  it.each(writing)(
    "leaves a trace and can be undone, once, which leaves one too: %s",
    async (name) => {
      const seller = await createUser(["buyer", "seller", "admin"]);
      const store = await createStore(seller);
      const product = await createProduct(store, { price: 50_000 });
      const input = await CALLS[name]?.({ seller, store, product });
      const match = await script([calling(name, input), done]);
      const { sessionId } = await ask(seller, match);
      expect(await actionsOf(seller)).toEqual([]);
      await ask(seller, "ya", sessionId);
      const [action] = await actionsOf(seller);
      expect(action).toMatchObject({ tool: name, undo_until: expect.any(String) });
      expect(await tracesOf(seller)).toEqual([`market.assistant.${name}`]);
      const undone = await undo(seller, action.id);
      expect([undone.status, undone.body.error]).toEqual([200, null]);
      expect(await tracesOf(seller)).toEqual([`market.assistant.${name}`, "market.assistant.undo"]);
      expect((await actionsOf(seller))[0]).toMatchObject({
        undo_until: null,
        undone_at: expect.any(String),
      });
      const again = await undo(seller, action.id);
      expect([again.status, again.body.error]).toEqual([409, "Tindakan ini sudah dibatalkan"]);
    },
  );

  it("and found done already leaves nothing to undo: a photo that was asked for before", async () => {
    const seller = await createUser(["buyer", "seller"]);
    const store = await createStore(seller);
    const product = await createProduct(store);
    const input = await CALLS.enhance_product_photo?.({ seller, store, product });
    for (let time = 0; time < 2; time += 1) {
      const { sessionId } = await ask(
        seller,
        await script([calling("enhance_product_photo", input), done]),
      );
      await ask(seller, "ya", sessionId);
    }
    const [again, first] = await actionsOf(seller);
    expect([again.undo_until, first.undo_until]).toEqual([null, expect.any(String)]);
    expect((await undo(seller, again.id)).body.data.message).toMatch(/tidak mengubah apa pun/);
    expect((await undo(seller, first.id)).status).toBe(200);
  });

  it("and only reads does nothing that could be undone", async () => {
    const seller = await createUser(["buyer", "seller", "admin"]);
    await createStore(seller);
    for (const { definition } of tools.filter(({ writes }) => !writes)) {
      await ask(seller, await script([calling(definition.name, {}), done]));
    }
    expect([await actionsOf(seller), await tracesOf(seller)]).toEqual([[], []]);
  });
});
