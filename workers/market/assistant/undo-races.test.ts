import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import { createProduct } from "../../testing/factories.ts";
import { addPicture, createStudio, photoRow } from "../photos/testing/photo-bench.ts";
import { createShop, run } from "../testing/catalogue.ts";
import { dice } from "../testing/dice.ts";
import { undoAction } from "./sessions.ts";
import { doneBy } from "./testing/acts.ts";
import { actOutside } from "./testing/outside.ts";
import { rowOf } from "./testing/talk.ts";

type Fields = { price?: number; stock?: number; description?: string };

const FIRST: Required<Fields> = { price: 90_000, stock: 50, description: "Awal" };

async function bench() {
  const { seller, store } = await createShop();
  const product = await createProduct(store, { price: FIRST.price, stock: FIRST.stock });
  await run(
    sql`update market_products set description = ${FIRST.description} where id = ${product.id}`,
  );
  const set = async (changes: Fields) => {
    // A day's budget is for fewer turns than a story has.
    await run(sql`delete from market_assistant_usage where user_id = ${seller.userId}`);
    return await doneBy(seller, ["update_product", { product_id: product.id, ...changes }]);
  };
  const byHand = async (json: Fields) => {
    const path = `/api/seller/products/${product.id}`;
    expect((await api(path, { method: "PUT", token: seller.token, json })).status).toBe(200);
  };
  const sell = (pieces: number) =>
    run(sql`update market_products set stock = stock - ${pieces}::int where id = ${product.id}`);
  const undo = (id: string) => undoAction(testContext(seller), id);
  const row = () => rowOf("market_products", product.id);
  return { set, byHand, sell, undo, row };
}

interface Step {
  fields: Fields;
  /** Null: by hand. */
  act: string | null;
}

/** What a product is where `undone` never happened: the last word of each field, less what was sold since its count. */
function withoutThem(steps: Step[], sold: number[], undone: Set<string>) {
  const left = [{ fields: FIRST }, ...steps].map((step, at) => ({ ...step, at }));
  const stands = left.filter((step) => !("act" in step && step.act && undone.has(step.act)));
  const last = <K extends keyof Fields>(key: K) => stands.findLast(({ fields }) => key in fields);
  const counted = last("stock");
  const since = sold.slice(counted?.at ?? 0).reduce((sum, pieces) => sum + pieces, 0);
  return {
    price: last("price")?.fields.price,
    description: last("description")?.fields.description,
    stock: (counted?.fields.stock ?? 0) - since,
  };
}

async function story(seed: number) {
  const roll = dice(seed);
  const { set, byHand, sell, undo, row } = await bench();
  const steps: Step[] = [];
  const sold = [0];
  for (let n = 1; n <= 6; n += 1) {
    const fields: Fields = {};
    if (roll(3) > 0) fields.price = 60_000 + n * 1_000;
    if (roll(3) > 0) fields.stock = 100 + n * 10;
    if (roll(3) === 0 || Object.keys(fields).length === 0) fields.description = `Kata ${n}`;
    const isHand = roll(4) === 0;
    if (isHand) await byHand(fields);
    steps.push({ fields, act: isHand ? null : await set(fields) });
    const pieces = roll(4);
    if (pieces > 0) await sell(pieces);
    sold.push(pieces);
  }
  const acts = steps.flatMap(({ act }) => (act ? [act] : []));
  const chosen = acts.filter(() => roll(3) > 0).toSorted(() => roll(3) - 1);
  return { steps, sold, chosen, undo, row };
}

describe("undos of what the assistant did to one product", () => {
  it.each([1, 2, 3, 4])(
    "at once leave what would be there without those acts (seed %i)",
    async (seed) => {
      const { steps, sold, chosen, undo, row } = await story(seed * 7_919);
      const answers = await Promise.all(chosen.map((id) => undo(id)));
      expect(answers.map(({ undone }) => undone)).toEqual(chosen.map(() => true));
      expect(await row()).toMatchObject(withoutThem(steps, sold, new Set(chosen)));
    },
  );

  it.each([11, 12, 13, 14])(
    "in any order leave what would be there without those acts (seed %i)",
    async (seed) => {
      const { steps, sold, chosen, undo, row } = await story(seed * 7_919);
      for (const id of chosen) await undo(id);
      expect(await row(), JSON.stringify({ steps, sold, chosen })).toMatchObject(
        withoutThem(steps, sold, new Set(chosen)),
      );
    },
  );
  it("at once take their locks in one order: none loses a race", async () => {
    const lost = vi.spyOn(console, "warn");
    for (let round = 0; round < 5; round += 1) {
      const { set, undo, row } = await bench();
      const acts: string[] = [];
      for (const n of [1, 2, 3, 4]) acts.push(await set({ price: 60_000 + n, stock: 100 + n }));
      await Promise.all(acts.map((id) => undo(id)));
      expect(await row()).toMatchObject({ price: FIRST.price, stock: FIRST.stock });
    }
    expect(lost.mock.calls.flat().join()).not.toContain("lost a race");
    lost.mockRestore();
  });
});

it("undos of photos at once, each shown on the products of all, take their locks in one order", async () => {
  const lost = vi.spyOn(console, "warn");
  const studio = await createStudio();
  const products = [studio.product];
  for (let n = 1; n < 6; n += 1) products.push(await createProduct(studio.store));
  const acts: string[] = [];
  for (const { id: product_id } of products.toReversed()) {
    const input = { product_id, image_url: await addPicture(studio.ctx, studio.seller) };
    acts.push(await actOutside(studio.ctx, studio.seller, ["enhance_product_photo", input]));
  }
  const shownOn = `{${products.map(({ id }) => id).join()}}`;
  await run(
    sql`update market_assistant_actions set target_kind = 'market_product' where user_id = ${studio.seller.userId}`,
  );
  await run(sql`insert into market_product_images (product_id, url, is_primary, sort_order)
    select p, f.result_url, false, 1 from market_photos f, unnest(${shownOn}::uuid[]) p
    where f.store_id = ${studio.store.id}`);
  await Promise.all(acts.map((id) => undoAction(studio.ctx, id)));
  await settleBackground();
  const left = await Promise.all(acts.map(photoRow));
  expect(left.map(({ status }) => status)).toEqual(acts.map(() => "failed"));
  expect(lost.mock.calls.flat().join()).not.toContain("lost a race");
  lost.mockRestore();
});
