import { describe, expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { createShop } from "../testing/catalogue.ts";
import { actWithYes } from "./testing/acts.ts";
import { actionsOf, rowOf, undo } from "./testing/talk.ts";

type Input = Record<string, unknown>;
const period = { starts_at: "2026-01-01", ends_at: "2090-01-01" };
const MAKERS: [string, string, () => Input][] = [
  ["create_product", "market_products", () => ({ name: "Kopi", price: 9_000, stock: 2 })],
  [
    "create_promo",
    "market_promo_codes",
    () => ({ ...period, code: unique("P").slice(0, 12), type: "percentage", value: 10 }),
  ],
  ["draft_instagram_post", "market_instagram_posts", () => ({ caption: "Panen baru" })],
];

/** Has a tool act with its user's yes; the database goes away as soon as the verb behind it has run. */
async function actAndDie(name: string, input: Input) {
  const { seller } = await createShop();
  const ctx = testContext(seller);
  const done = await actWithYes(ctx, [name, input], () => {
    ctx.db.batch = () => Promise.reject(new Error("the database is away"));
  });
  return { seller, done };
}

describe("what the assistant made just before its Worker died", () => {
  it.each(MAKERS)("is in the log and can be undone: %s", async (name, table, input) => {
    const { seller, done } = await actAndDie(name, input());
    const [action] = await actionsOf(seller);
    expect(action).toMatchObject({ tool: name, target_id: done.made?.id });
    expect(action.undo_until).toEqual(expect.any(String));
    expect((await undo(seller, action.id)).status).toBe(200);
    const left = await rowOf(table, action.target_id).catch(() => null);
    expect(left?.deleted_at ?? "gone").toEqual(expect.any(String));
  });
});
