import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { runJob } from "../../shared/jobs/jobs.ts";
import { age, readJob } from "../../shared/jobs/test-jobs.ts";
import { gameRow } from "../../shared/providers/testing/vip-reseller.ts";
import { unique } from "../testing/factories.ts";
import { beginRun, type SyncAction } from "./sync/rows.ts";
import { listSyncs, syncJob } from "./sync.ts";
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
const sync = (action: SyncAction = "full-sync", force = false) => syncWith(ctx, action, force);
const threeLists = () => stockShelves(supplier);

describe("a sync that goes wrong", () => {
  it("leaves the family whose list could not be read, and says partial", async () => {
    const code = threeLists();
    await sync();
    supplier.lists.prepaid = new Response("<html>", { status: 502 });
    supplier.lists.game = [gameRow({ code, name: "Baru" })];
    expect(await sync()).toMatchObject({
      state: "partial",
      families: { prepaid: { state: "failed", reason: "unavailable" }, game: { state: "applied" } },
    });
    expect((await serviceOf(ctx, "prepaid", code)).status).toBe("available");
    expect((await serviceOf(ctx, "game", code)).name).toBe("Baru");
  });

  it.each([
    ["no connection", () => new TypeError("fetch failed")],
    ["a web page", () => new Response("<html>")],
    [
      "a refusal",
      () => Response.json({ result: false, data: null, message: "IP 1.2.3.4 is not permitted" }),
    ],
    ["an empty list", () => []],
    ["half a list", () => new Response(`{"result":true,"data":[${JSON.stringify(gameRow())},{"co`)],
    [
      "a verdict behind the rows",
      () =>
        Response.json({ data: [gameRow()], result: false, message: "API Signature not valid." }),
    ],
  ])("from all three (%s) fails, and leaves the old catalogue as it was", async (_, say) => {
    const code = threeLists();
    await sync();
    supplier.lists = { prepaid: say(), game: say(), social: say() };
    expect(await sync()).toMatchObject({ state: "failed", counts: { servicesUpdated: 0 } });
    for (const family of ["prepaid", "game", "social"] as const) {
      expect((await serviceOf(ctx, family, code)).status).toBe("available");
    }
    expect(await run(sql`select 1 from topup_sync_pieces`)).toEqual([]);
  });

  it("of which a piece is missing changes nothing", async () => {
    const code = threeLists();
    await sync();
    const { sync: begun } = await ctx.db.run(
      beginRun({ action: "full-sync", force: true, requestedBy: null }),
    );
    const piece = { sync_id: begun?.id, family: "game" };
    await ctx.db.run(
      call("topup_sync_stage", { ...piece, piece: 0, rows: [{ code: unique("S") }] }, z.unknown()),
    );
    const whole = { ...piece, pieces: 2, force: true, most_drop: 50, alert_to: "ops@x.id" };
    expect(await ctx.db.run(call("topup_sync_apply", whole, z.unknown()))).toMatchObject({
      ...{ state: "refused", reason: "incomplete" },
    });
    expect((await serviceOf(ctx, "game", code)).status).toBe("available");
  });

  it("has names and labels whose end is half an emoji: none of them holds up the list", async () => {
    const code = unique("E");
    const long = (length: number) => `${"x".repeat(length - 1)}😀`;
    supplier.lists.game = [gameRow({ code, name: long(300), game: long(200) })];
    await sync();
    expect((await serviceOf(ctx, "game", code)).name).toBe(`${"x".repeat(299)}\ufffd`);
  });

  it("is not believed when more than half has vanished, unless an operator insists", async () => {
    const codes = Array.from({ length: 12 }, () => unique("S"));
    const list = (some: string[]) => some.map((code) => gameRow({ code }));
    supplier.lists.game = list(codes);
    await sync();
    supplier.lists.game = list(codes.slice(0, 5));
    expect(await sync()).toMatchObject({
      families: { game: { state: "refused", reason: "shrunken", known: 12, kept: 5 } },
    });
    expect((await serviceOf(ctx, "game", codes[11] ?? "")).status).toBe("available");
    // A list of other codes is as suspicious as a short one.
    supplier.lists.game = list([
      ...codes.slice(0, 5),
      ...codes.slice(0, 7).map((code) => `${code}x`),
    ]);
    expect(await sync()).toMatchObject({ families: { game: { reason: "shrunken" } } });
    supplier.lists.game = list(codes.slice(0, 5));
    expect(await sync("full-sync", true)).toMatchObject({
      families: { game: { state: "applied" } },
    });
    expect((await serviceOf(ctx, "game", codes[11] ?? "")).status).toBe("gone");
  });

  it("keeps the last known price level while the account cannot be read", async () => {
    const code = threeLists();
    await sync();
    supplier.before = (asked) => {
      if (asked === "profile") throw new TypeError("fetch failed");
    };
    expect(await sync()).toMatchObject({ state: "success", level: "special" });
    expect((await serviceOf(ctx, "game", code)).supplier_price).toBe(20_000);
  });

  it("reckons with the dearest price while the account's level is a word that is none of the three", async () => {
    const code = threeLists();
    await sync();
    supplier.level = "Reguler";
    const dearest = Math.max(...Object.values(gameRow().price));
    expect(await sync()).toMatchObject({ state: "success", level: null });
    expect((await serviceOf(ctx, "game", code)).supplier_price).toBe(dearest);
    // What it was before that word is not what it is.
    supplier.before = (asked) => {
      if (asked === "profile") throw new TypeError("fetch failed");
    };
    expect(await sync()).toMatchObject({ state: "success", level: null });
  });
});

describe("stocks that cannot be read", () => {
  const away = () =>
    Response.json({ result: false, data: null, message: "IP 1.2.3.4 is not permitted" });
  const reason = "stock: unauthorised not_permitted_address";

  /** Five counted services, the last `refused` of which the supplier says nothing of. */
  async function shelves(refused: number): Promise<void> {
    const codes = Array.from({ length: 5 }, (_, i) => unique(`S${i}`));
    supplier.lists.game = codes.map((code) => gameRow({ code }));
    await sync("sync-services", true);
    for (const code of codes) supplier.stocks[code] = 7;
    supplier.answer = (asked) =>
      codes.slice(5 - refused).some((code) => asked.endsWith(` ${code}`)) ? away() : null;
  }

  it("fail a sync that was for them alone", async () => {
    await shelves(5);
    expect(await sync("sync-stock")).toMatchObject({ state: "failed", error: reason });
  });

  it("make it partial where others were read, and so they do one whose lists are in force", async () => {
    await shelves(2);
    expect(await sync("sync-stock")).toMatchObject({
      state: "partial",
      error: reason,
      counts: { stockUpdated: 3 },
    });
    threeLists();
    supplier.answer = (asked) => (asked.includes("service-stock") ? away() : null);
    expect(await sync("full-sync", true)).toMatchObject({ state: "partial", error: reason });
  });

  it("in time are left to the next run, and meanwhile nobody else begins this one", async () => {
    await shelves(0);
    const leases: unknown[] = [];
    supplier.before = async (asked) => {
      if (!asked.includes("service-stock")) return;
      leases.push(
        ...(await ctx.db.run(
          rows(
            sql`update jobs set lease_until = now() + interval '1 second'
              where kind = 'topup.sync' and state = 'running'
              returning extract(epoch from old.lease_until - now())::float8 as seconds`,
            z.object({ seconds: z.number() }).transform(({ seconds }) => seconds > 200),
          ),
        )),
      );
    };
    // Each question takes more than a minute.
    let clock = Date.now();
    vi.spyOn(Date, "now").mockImplementation(() => (clock += 40_000));
    onTestFinished(() => void vi.restoreAllMocks());
    expect(await sync("sync-stock")).toMatchObject({ state: "success", error: null });
    expect(leases.length).toBeGreaterThan(1);
    expect(leases.length).toBeLessThan(5);
    expect(new Set(leases)).toEqual(new Set([true]));
  });
});

describe("a sync whose worker died", () => {
  it.each([
    [
      "gave no sign for 15 minutes",
      sql`beat_at = now() - interval '16 minutes'`,
      sql`attempts = 1`,
    ],
    ["whose job was given up", sql`beat_at = now()`, sql`state = 'failed', finished_at = now()`],
  ])(
    "and that %s is told as failed, before and after the next one ends it",
    async (_, sign, job) => {
      threeLists();
      const input = { action: "full-sync", force: false, requestedBy: null } as const;
      const { sync: dead } = await ctx.db.run(beginRun(input));
      const told = async () =>
        (await listSyncs(ctx, { job: dead?.jobId ?? "", limit: 1 })).runs.map(
          ({ state, error, finishedAt }) => ({ state, error, finishedAt }),
        );
      expect(await told()).toEqual([{ state: "running", error: null, finishedAt: null }]);
      await run(sql`update topup_syncs set ${sign} where id = ${dead?.id}`);
      await run(sql`update jobs set ${job} where id = ${dead?.jobId}`);
      const over = { state: "failed", error: "abandoned", finishedAt: expect.any(String) };
      expect(await told()).toEqual([over]);
      expect(await sync()).toMatchObject({ state: "success" });
      expect(await told()).toEqual([over]);
    },
  );
});

describe("a sync that is cut off", () => {
  it("is ended by nobody whose lease is somebody else's now: the others' families would be missing", async () => {
    const code = threeLists();
    const begun = await ctx.db.run(
      beginRun({ action: "full-sync", force: false, requestedBy: null }),
    );
    const jobId = begun.sync?.jobId ?? "";
    const lost = sql`update jobs set lease_id = gen_random_uuid() where id = ${jobId}`;
    supplier.before = async (asked) => {
      if (asked === "prepaid services") await run(lost);
    };
    expect(await runJob(ctx, jobId, [syncJob])).toBe("lease_lost");
    supplier.before = () => undefined;
    await run(sql`update jobs set lease_until = now() - interval '1 second' where id = ${jobId}`);
    expect(await runJob(ctx, jobId, [syncJob])).toBe("success");
    expect((await readJob(ctx, jobId)).result).toMatchObject({
      state: "success",
      servicesAdded: 3,
    });
    expect((await serviceOf(ctx, "social", code)).status).toBe("available");
  });

  it("goes on with the families that are missing, and swaps each once", async () => {
    const code = threeLists();
    const begun = await ctx.db.run(
      beginRun({ action: "full-sync", force: false, requestedBy: null }),
    );
    const jobId = begun.sync?.jobId ?? "";
    supplier.before = (asked) => {
      if (asked === "game-feature services") throw new Error("the isolate is gone");
    };
    expect(await runJob(ctx, jobId, [syncJob])).toBe("unknown");
    expect((await serviceOf(ctx, "prepaid", code)).status).toBe("available");
    supplier.before = () => undefined;
    supplier.asked.length = 0;
    await age(ctx, jobId);
    expect(await runJob(ctx, jobId, [syncJob])).toBe("success");
    expect(supplier.asked).not.toContain("prepaid services");
    expect((await readJob(ctx, jobId)).result).toMatchObject({
      state: "success",
      servicesAdded: 3,
    });
  });

  it("between its pieces leaves the old catalogue, and starts the list afresh", async () => {
    const code = unique("S");
    const many = Array.from({ length: 4_500 }, (_, i) => gameRow({ code: `${code}-${i}` }));
    supplier.lists.game = many;
    const begun = await ctx.db.run(
      beginRun({ action: "sync-products", force: false, requestedBy: null }),
    );
    const jobId = begun.sync?.jobId ?? "";
    const cut = { ...ctx, db: cutAfter(ctx, "topup_sync_stage", 1) };
    expect(await runJob(cut, jobId, [syncJob])).toBe("unknown");
    const pieces = sql`select count(*)::int as n from topup_sync_pieces where sync_id = ${begun.sync?.id}`;
    expect(await run(pieces)).toEqual([{ n: 1 }]);
    await expect(serviceOf(ctx, "game", `${code}-0`)).rejects.toThrow("no service");
    await age(ctx, jobId);
    expect(await runJob(ctx, jobId, [syncJob])).toBe("success");
    expect((await serviceOf(ctx, "game", `${code}-4499`)).status).toBe("available");
    expect(await run(pieces)).toEqual([{ n: 0 }]);
  });
});

/** The context's database, away after `allowed` calls of one function. */
function cutAfter(of: Ctx, name: string, allowed: number): Ctx["db"] {
  let calls = 0;
  return new Proxy(of.db, {
    get(target, key) {
      if (key !== "run") return Reflect.get(target, key, target);
      return async (query: { sql: string }, ...rest: []) => {
        if (query.sql.includes(name)) calls += 1;
        if (query.sql.includes(name) && calls > allowed) throw new Error("the database is away");
        return await target.run(query as never, ...rest);
      };
    },
  });
}
