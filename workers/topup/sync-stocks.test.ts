import { sql } from "drizzle-orm";
import { beforeEach, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { gameRow } from "../../shared/providers/testing/vip-reseller.ts";
import { unique } from "../testing/factories.ts";
import { openSupplier, type Supplier, syncWith } from "./testing/supplier.ts";

let supplier: Supplier;
let ctx: Ctx;

beforeEach(async () => {
  ({ supplier, ctx } = await openSupplier());
});

/** So many games on sale, of each of which the supplier has seven, in the order of their codes. */
async function games(count: number): Promise<string[]> {
  const prefix = unique("G");
  const codes = Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(4, "0")}`);
  supplier.lists.game = codes.map((code) => gameRow({ code }));
  for (const code of codes) supplier.stocks[code] = 7;
  await syncWith(ctx, "sync-services", true);
  return codes;
}

async function counted(): Promise<number> {
  const query = sql`select count(*)::int as n from topup_services
    where family = 'game' and status <> 'gone' and stock_type = 'LIMITED' and stock = 7`;
  const [found] = await ctx.db.run(rows(query, z.object({ n: z.number() })));
  return found?.n ?? -1;
}

it("all are counted after some runs, though one asks about few, and counted ones are asked about again meanwhile", async () => {
  const codes = await games(90);
  await syncWith(ctx);
  expect(await counted()).toBe(40);
  supplier.asked.length = 0;
  await syncWith(ctx);
  expect(await counted()).toBe(60);
  expect(supplier.asked).toContain(`game-feature service-stock ${codes[0]}`);
  await syncWith(ctx);
  await syncWith(ctx);
  expect(await counted()).toBe(90);
});

it("those that the supplier never tells of hold up no others", async () => {
  const codes = await games(6);
  const said = { result: false, data: null, message: "Sesuatu yang lain" };
  supplier.answer = (asked) =>
    codes.slice(0, 3).some((code) => asked.endsWith(` ${code}`)) ? Response.json(said) : null;
  expect(await syncWith(ctx, "sync-stock")).toMatchObject({ state: "failed" });
  expect(await syncWith(ctx, "sync-stock")).toMatchObject({ state: "partial" });
  expect(await counted()).toBe(3);
});
