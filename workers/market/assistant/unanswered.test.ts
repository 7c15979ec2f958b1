import { sql } from "drizzle-orm";
import { expect, it, vi } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { settleBackground, testContext } from "../../testing/api.ts";
import { createProduct, type TestProduct } from "../../testing/factories.ts";
import { freeze } from "../../testing/frost.ts";
import { createShop } from "../testing/catalogue.ts";
import { act, answerCall, prepare } from "./act.ts";
import { chat } from "./chat.ts";
import { openEventStream } from "./sse.ts";
import { halved, priceOf, type Talk, talkOf } from "./testing/proposals.ts";
import { actionsOf, answerOf } from "./testing/talk.ts";
import { beginTurn, Turn } from "./turn.ts";

const PATIENCE_MS = 400;

/** Says yes; Postgres is waited for no longer than a moment. */
async function agree({ seller, sessionId }: Talk): Promise<string> {
  const input = { message: "ya", sessionId, latest: false };
  const { body } = await chat(testContext(seller, PATIENCE_MS), input);
  const headers = { "content-type": "text/event-stream" };
  const { text } = await answerOf(new Response(body, { headers }));
  await settleBackground();
  return text;
}

/** Needed by the change, when its proposal is used up already. */
const entryOf = ({ id }: TestProduct) =>
  sql`select from market_search_entries where product_id = ${id} for update`;
const rowLock = ({ id }: TestProduct) =>
  sql`select from market_products where id = ${id} for update`;

async function cancelWaits(): Promise<void> {
  const query = sql`select count(*)::int as n from pg_stat_activity where datname = current_database()
    and wait_event_type = 'Lock' and query like '%market_assistant_cancel%'`;
  await vi.waitFor(
    async () => {
      const [found] = await testContext().db.run(rows(query, z.object({ n: z.number() })));
      expect(found?.n).toBeGreaterThan(0);
    },
    { interval: 20 },
  );
}

it.each(["while it is cancelled", "later"])(
  "what was agreed to and not answered is not called undone: it is done %s",
  async (when) => {
    const talk = await talkOf((product) => halved(product));
    const frost = await freeze(entryOf(talk.product));
    const agreed = agree(talk);
    if (when === "later") await agreed;
    else await cancelWaits();
    await frost.thaw();
    const text = await agreed;
    expect(text).toMatch(/^❔ Belum pasti: /);
    await vi.waitFor(async () => expect(await priceOf(talk.product)).toBe(1_000));
  },
);

it("what was agreed to and never begun is called undone, and stays so", async () => {
  const talk = await talkOf((product) => halved(product));
  const frost = await freeze(rowLock(talk.product));
  expect(await agree(talk)).toMatch(/^❌ Tidak jadi: /);
  await frost.thaw();
  expect(await priceOf(talk.product)).toBe(50_000);
  expect(await actionsOf(talk.seller)).toEqual([]);
});

async function turnOf(patienceMs?: number) {
  const shop = await createShop();
  const product = await createProduct(shop.store, { price: 50_000 });
  const message = "tolong";
  const ctx = testContext(shop.seller, patienceMs);
  const asked = { message, sessionId: null, latest: false };
  const begun = await beginTurn(ctx, asked, { kind: "none" });
  return { ...shop, product, turn: new Turn(ctx, { ...begun, out: openEventStream(), message }) };
}

it("the model is not told to repeat what may have been done", async () => {
  const { turn, product } = await turnOf(PATIENCE_MS);
  const frost = await freeze(rowLock(product));
  const input = { product_id: product.id, price: 49_000 };
  const call = { type: "tool_use" as const, id: "t1", name: "update_product", input };
  const { result } = await answerCall(turn, call);
  await frost.thaw();
  expect(result).toMatchObject({ is_error: true, content: expect.stringMatching(/belum pasti/) });
  expect(result.content).not.toMatch(/coba lagi/);
});

it.each([
  ["unavailable", 1],
  ["conflict", 0],
] as const)("an act that ends as %s stands in the log %i times", async (code, times) => {
  const { turn, seller } = await turnOf();
  const input = { name: "Kopi", price: 9_000, stock: 2 };
  await answerCall(turn, { type: "tool_use", id: "t1", name: "create_product", input });
  const prepared = prepare(turn, "create_product", input);
  const looksFirst = {
    ...prepared,
    run: async (ctx: typeof turn.ctx) => {
      await ctx.db.run(rows(sql`select 1`, z.unknown()));
      throw new AppError(code, "");
    },
  };
  const [proposal] = turn.proposals;
  await expect(act(turn, looksFirst, proposal?.id ?? "")).rejects.toMatchObject({ code });
  expect(await actionsOf(seller)).toHaveLength(times);
});
