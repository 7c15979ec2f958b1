import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { runJob } from "../../shared/jobs/jobs.ts";
import { gameRow, prepaidRow, socialRow } from "../../shared/providers/testing/vip-reseller.ts";
import { unique } from "../testing/factories.ts";
import { beginRun, type SyncAction } from "./sync/rows.ts";
import { listLowStock, runSync, startHourlySync, syncJob } from "./sync.ts";
import {
  openSupplier,
  type Supplier,
  serviceOf,
  stockShelves,
  syncWith,
} from "./testing/supplier.ts";

let supplier: Supplier;
let ctx: Ctx;

beforeEach(async () => {
  ({ supplier, ctx } = await openSupplier());
});

const run = (change: ReturnType<typeof sql>) => ctx.db.run(rows(change, z.unknown()));

const sync = (action: SyncAction = "full-sync") => syncWith(ctx, action);
const threeLists = () => stockShelves(supplier);

describe("a full sync", () => {
  it("takes all three families, at the prices of the account's level with our margin on top", async () => {
    const code = threeLists();
    expect(await sync()).toMatchObject({
      state: "success",
      level: "special",
      counts: { servicesAdded: 3, productsAdded: 3, servicesUpdated: 0, productsUpdated: 0 },
    });
    expect(await serviceOf(ctx, "game", code)).toMatchObject({
      supplier_price: 20_000,
      price: 21_000,
      target_kind: "game_id",
      needs_zone: true,
      status: "available",
      active: true,
    });
    expect(await serviceOf(ctx, "prepaid", code)).toMatchObject({
      supplier_price: 25_400,
      price: 26_670,
      target_kind: "phone",
    });
    expect(await serviceOf(ctx, "social", code)).toMatchObject({
      supplier_price: 28_000,
      price: 29_400,
      target_kind: "link",
      min_quantity: 50,
      max_quantity: 20_000,
    });
  });

  it("changes nothing the second time", async () => {
    threeLists();
    await sync();
    const counts = { servicesAdded: 0, servicesUpdated: 0, productsAdded: 0, productsUpdated: 0 };
    expect(await sync()).toMatchObject({ state: "success", counts });
  });

  it("prices anew what the supplier prices anew, and keeps the history", async () => {
    const code = threeLists();
    await sync();
    supplier.lists.game = [
      gameRow({ code, price: { basic: 31_000, premium: 30_500, special: 30_000 } }),
    ];
    expect(await sync()).toMatchObject({ counts: { productsUpdated: 1, servicesUpdated: 0 } });
    const { id, price } = await serviceOf(ctx, "game", code);
    expect(price).toBe(31_500);
    const history = sql`select old_supplier_price::int, supplier_price::int, old_price::int, price::int
      from topup_price_history where service_id = ${id}`;
    expect(await run(history)).toEqual([
      { old_supplier_price: 20_000, supplier_price: 30_000, old_price: 21_000, price: 31_500 },
    ]);
  });

  it("marks what vanished as gone, and puts it back on sale when it returns", async () => {
    const code = threeLists();
    const other = unique("S");
    supplier.lists.game = [gameRow({ code }), gameRow({ code: other })];
    await sync();
    supplier.lists.game = [gameRow({ code: other })];
    expect(await sync()).toMatchObject({ state: "success", counts: { servicesUpdated: 1 } });
    expect((await serviceOf(ctx, "game", code)).status).toBe("gone");
    expect((await serviceOf(ctx, "prepaid", code)).status).toBe("available");
    supplier.lists.game = [gameRow({ code }), gameRow({ code: other })];
    await sync();
    expect((await serviceOf(ctx, "game", code)).status).toBe("available");
  });

  it("leaves the operator's switch, the stock and what orders reserved alone", async () => {
    const code = threeLists();
    await sync();
    await run(sql`update topup_services set active = false, stock = 9, stock_type = 'LIMITED', reserved = 2
      where family = 'prepaid' and code = ${code}`);
    supplier.lists.prepaid = [prepaidRow({ code, name: "Nama baru" })];
    await sync();
    expect(await serviceOf(ctx, "prepaid", code)).toMatchObject({
      name: "Nama baru",
      active: false,
      stock: 9,
      stock_type: "LIMITED",
      reserved: 2,
    });
  });

  it.each([
    ["prepaid", { name: "Tagihan Telkomsel Halo" }],
    ["game", { name: "Joki Rank Mythic" }],
  ] as const)(
    "takes a %s service off sale while its list calls it %j: we know no price of it",
    async (family, other) => {
      const code = threeLists();
      await sync();
      const rowOf = { prepaid: prepaidRow, game: gameRow }[family];
      const named = async (changes: object) => {
        supplier.lists[family] = [rowOf({ code, ...changes })];
        await sync();
        return await serviceOf(ctx, family, code);
      };
      expect(await named(other)).toMatchObject({ ...other, status: "empty", active: true });
      expect(await named({})).toMatchObject({ status: "available", active: true });
    },
  );

  it("brings in what our forms cannot order switched off, and leaves out what makes no sense", async () => {
    const [joki, wide, dear] = [unique("J"), unique("W"), unique("D")];
    supplier.lists.game = [
      gameRow({ code: joki, game: "Mobile Legends Joki" }),
      gameRow({ code: dear, price: { special: 2_000_000_000 } }),
    ];
    supplier.lists.social = [
      socialRow({ id: wide, min: null, max: null }),
      socialRow({ id: unique("X"), min: 100, max: 10 }),
    ];
    await sync();
    expect((await serviceOf(ctx, "game", joki)).active).toBe(false);
    expect(await serviceOf(ctx, "social", wide)).toMatchObject({
      min_quantity: 1,
      max_quantity: 10_000,
    });
    await expect(serviceOf(ctx, "game", dear)).rejects.toThrow("no service");
  });

  it.each([
    [21_000, 20_000],
    [20_000, 21_000],
  ])(
    "takes the dearer row of a code that is listed twice (%i and %i), so that no order of it is a loss",
    async (...prices) => {
      const code = unique("S");
      supplier.lists.game = prices.map((special) => gameRow({ code, price: { special } }));
      expect(await sync()).toMatchObject({ counts: { servicesAdded: 1 } });
      expect((await serviceOf(ctx, "game", code)).supplier_price).toBe(21_000);
    },
  );
});

describe("runs", () => {
  it("are one at a time, also when many begin at once", async () => {
    const begin = () =>
      ctx.db.run(beginRun({ action: "full-sync", force: false, requestedBy: null }));
    const begun = await Promise.all(Array.from({ length: 8 }, begin));
    expect(begun.filter((one) => one.begun)).toHaveLength(1);
    expect(new Set(begun.map((one) => one.sync?.id)).size).toBe(1);
    const second = await runSync(ctx, { action: "full-sync", force: false });
    expect(second).toMatchObject({
      success: false,
      error: "sync_in_progress",
      job: { state: "running" },
    });
  });

  it("that nobody works on any more make room, and what still comes of them changes nothing", async () => {
    const code = threeLists();
    const old = await ctx.db.run(
      beginRun({ action: "full-sync", force: false, requestedBy: null }),
    );
    await run(
      sql`update topup_syncs set beat_at = now() - interval '16 minutes' where id = ${old.sync?.id}`,
    );
    await startHourlySync(ctx);
    expect(await runJob(ctx, old.sync?.jobId ?? "", [syncJob])).toBe("success");
    expect(supplier.asked).not.toContain("game-feature services");
    await expect(serviceOf(ctx, "game", code)).rejects.toThrow("no service");
    const running = sql`select action, state from topup_syncs where state = 'running'`;
    expect(await run(running)).toEqual([{ action: "full-sync", state: "running" }]);
  });

  it("that last longer than an answer are told as under way", async () => {
    const waits: number[] = [];
    const answer = await runSync(ctx, { action: "sync-services", force: false }, async (ms) => {
      waits.push(ms);
    });
    expect(answer).toMatchObject({
      success: true,
      data: { servicesAdded: 0 },
      job: { state: "running" },
    });
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBe(5_000);
  });

  it("that end in time are told with their counts; a failed one with success false", async () => {
    const work = async () => {
      const [job] = await ctx.db.run(
        rows(
          sql`select job_id as id from topup_syncs where state = 'running'`,
          z.object({ id: z.string() }),
        ),
      );
      if (job) await runJob(ctx, job.id, [syncJob]);
    };
    threeLists();
    const good = await runSync(ctx, { action: "full-sync", force: false }, work);
    expect(good).toMatchObject({ success: true, data: { servicesAdded: 3, stockUpdated: 0 } });
    expect(good.error).toBeUndefined();
    const down = new TypeError("fetch failed");
    supplier.lists = { prepaid: down, game: down, social: down };
    expect(await runSync(ctx, { action: "full-sync", force: false }, work)).toMatchObject({
      success: false,
      message: "Sync failed",
      error: "game: unavailable; social: unavailable; prepaid: unavailable",
    });
  });
});

describe("stock", () => {
  it("is asked service by service, the longest unasked first, and leaves a history", async () => {
    const [a, b, c] = [unique("A"), unique("B"), unique("C")];
    supplier.lists.game = [a, b, c].map((code) => gameRow({ code }));
    supplier.lists.prepaid = [prepaidRow({ code: a })];
    supplier.stocks = { [a]: 7, [b]: 0 };
    expect(await sync()).toMatchObject({ counts: { stockUpdated: 2 } });
    expect(await serviceOf(ctx, "game", a)).toMatchObject({ stock: 7, stock_type: "LIMITED" });
    expect(await serviceOf(ctx, "game", b)).toMatchObject({ stock: 0, stock_type: "LIMITED" });
    expect(await serviceOf(ctx, "game", c)).toMatchObject({ stock: null, stock_type: "UNLIMITED" });
    expect(await serviceOf(ctx, "prepaid", a)).toMatchObject({ stock: null });
    supplier.stocks = { [a]: 4, [b]: 0 };
    supplier.asked.length = 0;
    expect(await sync("sync-stock")).toMatchObject({
      state: "success",
      counts: { stockUpdated: 1 },
    });
    expect(supplier.asked.some((asked) => asked.endsWith(" services"))).toBe(false);
    const { id } = await serviceOf(ctx, "game", a);
    const history = sql`select type, old_stock, new_stock, quantity::int from topup_stock_history
      where service_id = ${id} order by created_at`;
    expect(await run(history)).toEqual([
      { type: "SYNC_UPDATE", old_stock: null, new_stock: 7, quantity: 7 },
      { type: "SYNC_UPDATE", old_stock: 7, new_stock: 4, quantity: -3 },
    ]);
  });

  it("that is low is listed, the emptiest first, and only what is counted and on sale", async () => {
    const codes = ["a", "b", "c", "d", "e"].map((letter) => unique(letter));
    supplier.lists.game = codes.map((code) => gameRow({ code, name: code }));
    await sync("sync-services");
    const set = (i: number, change: ReturnType<typeof sql>) =>
      run(sql`update topup_services set ${change} where code = ${codes[i] ?? ""}`);
    await set(0, sql`stock = 5, stock_type = 'LIMITED', min_stock = 5`);
    await set(1, sql`stock = 0, stock_type = 'LIMITED', min_stock = 5`);
    await set(2, sql`stock = 6, stock_type = 'LIMITED', min_stock = 5`);
    await set(3, sql`stock = 1, stock_type = 'LIMITED', active = false`);
    await set(4, sql`stock = 1, stock_type = 'UNLIMITED'`);
    const low = (await listLowStock(ctx)).filter(({ name }) => codes.includes(name));
    expect(low).toEqual([
      { id: expect.any(String), name: codes[1], stock: 0, minStock: 5 },
      { id: expect.any(String), name: codes[0], stock: 5, minStock: 5 },
    ]);
  });
});
