import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows, type Statement } from "../../shared/db/statement.ts";
import { uuidv7 } from "../../shared/db/uuid.ts";
import { gameRow } from "../../shared/providers/testing/vip-reseller.ts";
import { unique } from "../testing/factories.ts";
import { applyFamily, beginRun, writeStock } from "./sync/rows.ts";
import {
  emptyCatalogue,
  newSupplier,
  type Supplier,
  serviceOf,
  syncWith,
  withSupplier,
} from "./testing/supplier.ts";

let supplier: Supplier;
let ctx: Ctx;
beforeEach(async () => {
  supplier = newSupplier();
  ctx = withSupplier(supplier);
  await emptyCatalogue(ctx);
});

const run = (change: ReturnType<typeof sql>): Statement<unknown> => rows(change, z.unknown());

/** Two services of one family: the one with the greater id is first in the table, by its code and in any list. */
async function pair() {
  const [low, high] = [uuidv7(new Date(Date.now() - 1_000)), uuidv7(new Date())];
  const [first, second] = [unique("A"), unique("B")];
  const insert = (id: string, code: string) =>
    run(sql`insert into topup_services (id, family, code, name, target_kind, supplier_price, price, stock, stock_type)
      values (${id}, 'game', ${code}, 'Uji', 'game_id', 100, 200, 5, 'LIMITED')`);
  await ctx.db.batch([insert(high, first), insert(low, second)]);
  return { low, high, codes: [first, second] as const };
}

const lock = (id: string, how: ReturnType<typeof sql>) =>
  run(sql`select from topup_services where id = ${id} for no key update ${how}`);

/** Until somebody waits for this transaction. */
const untilAwaited = run(sql`do $$ begin
  for n in 1..1000 loop
    exit when exists (select from pg_stat_activity a where pg_backend_pid() = any (pg_blocking_pids(a.pid)));
    perform pg_sleep(0.005);
  end loop;
end $$`);

const key = (id: string) => sql`hashtextextended(${id}, 0)`;

/** Until the transaction of `locksBoth` has the first of its rows. */
const untilHeld = (id: string) =>
  run(sql`with recursive tried(n, free) as (
      select 1, true
      union all
      select n + 1, case when pg_sleep(0.005) is null then false
        when pg_try_advisory_lock(${key(id)}) then pg_advisory_unlock(${key(id)}) else false end
      from tried where free and n < 1000)
    select count(*)::int from tried`);

/** As an order that ends with two counted services: it locks them in the order of ids, and must get the second. */
async function locksBoth({ low, high }: { low: string; high: string }) {
  const hold = run(sql`select pg_advisory_xact_lock(${key(low)})`);
  const both = ctx.db.batch([lock(low, sql``), hold, untilAwaited, lock(high, sql`nowait`)]);
  both.catch(() => undefined);
  await ctx.db.run(untilHeld(low));
  return { both };
}

it("a sync beside an order of two services locks them in the same order", async () => {
  const { codes, ...ids } = await pair();
  supplier.lists.game = codes.map((code) => gameRow({ code }));
  const { both } = await locksBoth(ids);
  expect((await syncWith(ctx, "sync-services", true)).families).toMatchObject({
    game: { state: "applied", priced: 2 },
  });
  await both;
});

it("a sync of stocks beside an order of two services locks them in the same order", async () => {
  const { low, high } = await pair();
  const { sync } = await ctx.db.run(
    beginRun({ action: "sync-stock", force: false, requestedBy: null }),
  );
  const { both } = await locksBoth({ low, high });
  const told = [high, low].map((id) => ({ id, stock: 7, askedAt: new Date() }));
  expect(await ctx.db.run(writeStock(sync?.id ?? "", told))).toBe(true);
  await both;
});

it("a list has its turn among all that change many services before it changes one", async () => {
  const { sync } = await ctx.db.run(
    beginRun({ action: "sync-services", force: false, requestedBy: null }),
  );
  const family = { syncId: sync?.id ?? "", family: "game", pieces: 0, unpriced: 0 } as const;
  const rules = { mostDrop: 50, force: false, alertTo: "ops@x.id" };
  const turn = rows(
    sql`select count(*)::int as held from pg_locks l, hashtextextended('topup_services', 0) turn
      where l.pid = pg_backend_pid() and l.locktype = 'advisory' and l.granted
        and (l.classid::bigint << 32 | l.objid::bigint) = turn`,
    z.object({ held: z.number() }),
  );
  const [[before], , [after]] = await ctx.db.batch([
    turn,
    applyFamily({ ...family, ...rules }),
    turn,
  ]);
  expect([before?.held, after?.held]).toEqual([0, 1]);
});

describe("what an order shows while a list is on its way", () => {
  const code = unique("R");
  const listed = () => {
    supplier.lists.game = [gameRow({ code })];
  };
  /** Once, when the list has been asked for. */
  const meanwhile = (change: ReturnType<typeof sql>) => {
    supplier.before = async (asked) => {
      if (!asked.startsWith("game-feature services")) return;
      supplier.before = () => undefined;
      await ctx.db.run(run(change));
    };
  };
  /** As an order does that was charged so much. */
  const charged = (
    amount: number,
  ) => sql`select topup_service_dearer(jsonb_populate_record(null::topup_orders,
    jsonb_build_object('service_id', s.id, 'family', s.family, 'quantity', 1, 'charged_amount', ${amount}::int)))
    from topup_services s where s.family = 'game' and s.code = ${code}`;

  it("a dearer charge stays the price until the next list, so that nothing sells at a loss", async () => {
    listed();
    await syncWith(ctx);
    meanwhile(charged(26_000));
    await syncWith(ctx);
    expect(await serviceOf(ctx, "game", code)).toMatchObject({
      supplier_price: 26_000,
      price: 27_300,
    });
    await syncWith(ctx);
    expect(await serviceOf(ctx, "game", code)).toMatchObject({
      supplier_price: 20_000,
      price: 21_000,
    });
  });

  it("an absurd charge keeps its service off sale until the next list", async () => {
    listed();
    await syncWith(ctx);
    meanwhile(sql`update topup_services set status = 'empty', updated_at = now()
      where family = 'game' and code = ${code}`);
    await syncWith(ctx);
    expect((await serviceOf(ctx, "game", code)).status).toBe("empty");
    await syncWith(ctx);
    expect((await serviceOf(ctx, "game", code)).status).toBe("available");
  });
});
