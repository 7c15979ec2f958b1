import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { call } from "../../../../shared/db/statement.ts";
import {
  change,
  connectedMarket,
  connectionOf,
  contextWith,
  type Market,
} from "../testing/market-bench.ts";
import { Pace } from "./pace.ts";

const Turns = z.object({
  blocked: z.boolean(),
  wait_ms: z.number(),
  step_ms: z.number(),
  turns: z.number(),
});

/** Ten turns a second apart, for a caller who waits five seconds at most. */
async function askTurns(market: Market) {
  const { id } = await connectionOf(market);
  const input = { connection_id: id, kind: "read", wanted: 10, step_ms: 1_000 };
  const wish = { ...input, longest_wait_ms: 5_000 };
  return await contextWith(null).db.run(call("market_marketplace_turns", wish, Turns));
}

async function complain(market: Market): Promise<void> {
  const { id } = await connectionOf(market);
  const input = { connection_id: id, wait_ms: 0 };
  await contextWith(null).db.run(call("market_marketplace_slow_down", input, z.boolean()));
}

describe("the turns of a shop", () => {
  it("that isolates have kept do not leave all at once later", async () => {
    const market = await connectedMarket();
    const { id } = await connectionOf(market);
    const limits = { readsPerSecond: 40, writesPerSecond: 40 };
    let laterMs = 0;
    const ctx = { ...contextWith(null), now: () => new Date(Date.now() + laterMs) };
    const isolates = Array.from({ length: 4 }, () => new Pace(ctx, id, limits));
    await Promise.all(isolates.map((isolate) => isolate.turn("read")));
    // As if all of them had rested for a minute: what they were given has passed.
    laterMs = 60_000;
    await change(sql`update market_connections set read_next_at = null where id = ${id}`);
    const began = Date.now();
    await Promise.all(
      isolates.map(async (isolate) => {
        for (let n = 0; n < 10; n += 1) await isolate.turn("read");
      }),
    );
    // Forty turns are a second, less the first of each grant.
    expect(Date.now() - began).toBeGreaterThan(700);
  });

  it("are not handed out to one who would not wait for them, so that asking again pushes nobody further back", async () => {
    const market = await connectedMarket();
    expect(await askTurns(market)).toMatchObject({ blocked: false, turns: 10 });
    const first = await askTurns(market);
    for (let again = 0; again < 5; again += 1) await askTurns(market);
    const last = await askTurns(market);
    expect(first).toMatchObject({ blocked: true, turns: 0 });
    expect(last.wait_ms).toBeLessThanOrEqual(first.wait_ms);
  });

  it("are void once the shop complains, and fewer at the slower pace afterwards", async () => {
    const market = await connectedMarket();
    await askTurns(market);
    await complain(market);
    const after = await askTurns(market);
    expect(after).toMatchObject({ blocked: false, turns: 5, step_ms: 2_000 });
    expect(after.wait_ms).toBeLessThan(1_000);
  });
});
