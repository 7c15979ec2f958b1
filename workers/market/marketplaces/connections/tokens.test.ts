import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { AppError } from "../../../../shared/http/errors.ts";
import { settleBackground, testContext } from "../../../testing/api.ts";
import { renewTokens } from "../chores.ts";
import { syncProducts } from "../sync.ts";
import { fault } from "../testing/faults.ts";
import {
  change,
  connect,
  connectedMarket,
  connectionOf,
  contextWith,
  letTimePass,
  listable,
  type Market,
  mortal,
  pumpDry,
} from "../testing/market-bench.ts";
import { Shop } from "./shop.ts";
import { listConnections } from "./status.ts";
import { openShop } from "./tokens.ts";

const statusOf = async ({ ctx, fake }: Market) =>
  (await listConnections(ctx)).find(({ platform }) => platform === fake.platform);

const mailsOf = async (connectionId: string) => {
  const query = sql`select dedupe_key, payload->'data' as data from jobs
    where kind = 'mail.send' and dedupe_key like ${`mail/marketplace_%/${connectionId}/%`}`;
  return await testContext().db.run(
    rows(query, z.object({ dedupe_key: z.string(), data: z.record(z.string(), z.unknown()) })),
  );
};

/** The access token is about to end for us, though the platform still takes it. */
const aboutToEnd = (id: string, left = "1 minute") =>
  change(
    sql`update market_connections set access_expires_at = now() + ${left}::interval where id = ${id}`,
  );

describe("tokens", () => {
  it("are renewed before they end, by exactly one of many callers", async () => {
    const market = await connectedMarket();
    const { id } = await connectionOf(market);
    for (let round = 1; round <= 3; round += 1) {
      await aboutToEnd(id);
      const shops = await Promise.all(
        Array.from({ length: 12 }, () => openShop(contextWith(null, market.fake), id)),
      );
      expect(shops.every(({ auth }) => auth.accessToken !== "")).toBe(true);
      expect((await connectionOf(market)).generation).toBe(1 + round);
    }
    expect([...market.fake.refreshUses.values()]).toEqual([1, 1, 1]);
  });

  it("that the platform has ended early are renewed once, however many calls meet that", async () => {
    const market = await connectedMarket();
    const { id } = await connectionOf(market);
    const shops = await Promise.all(
      [1, 2, 3].map(() => Shop.open(contextWith(null, market.fake), id)),
    );
    market.fake.expireAccess();
    await Promise.all(
      shops.flatMap((shop) => [1, 2, 3].map(() => shop.call((auth) => market.fake.getSetup(auth)))),
    );
    expect([...market.fake.refreshUses.values()]).toEqual([1]);
  });

  it("are renewed by cron, also where nobody asks the shop anything", async () => {
    const market = await connectedMarket();
    const { id } = await connectionOf(market);
    await aboutToEnd(id, "20 minutes");
    await renewTokens(contextWith(null, market.fake));
    expect(market.fake.count("refresh")).toBe(1);
    await renewTokens(contextWith(null, market.fake));
    expect(market.fake.count("refresh")).toBe(1);
  });

  it("that cannot be renewed now serve on as long as they live, and are renewed later", async () => {
    const market = await connectedMarket();
    const { id } = await connectionOf(market);
    await aboutToEnd(id);
    market.fake.faults.before = ({ name }) => {
      if (name === "refresh") throw fault("unavailable");
    };
    await openShop(market.ctx, id);
    await openShop(market.ctx, id);
    expect(market.fake.count("refresh")).toBe(1);
    market.fake.faults = {};
    await letTimePass(market);
    await openShop(market.ctx, id);
    expect(await connectionOf(market)).toMatchObject({ generation: 2, status: "connected" });
  });

  it("that were revoked mark the shop with a reason, tell the seller once and fail what waits", async () => {
    const market = await connectedMarket();
    const { id } = await connectionOf(market);
    await listable(market);
    market.fake.revokeAll();
    const done = await syncProducts(market.ctx, { platform: "shopee" });
    expect(done).toMatchObject({ synced: 0, failed: 1, pending: 0 });
    expect(await statusOf(market)).toMatchObject({
      connected: false,
      status: "error",
      reason: "Izin dicabut",
    });
    expect(await mailsOf(id)).toEqual([
      {
        dedupe_key: `mail/marketplace_broken/${id}/1`,
        data: expect.objectContaining({ reason: "Izin dicabut", platform: "shopee" }),
      },
    ]);
    await expect(syncProducts(market.ctx, { platform: "shopee" })).rejects.toMatchObject({
      code: "invalid_input",
      message: "shopee perlu dihubungkan ulang: Izin dicabut",
    });
  });

  it("of a seller who connects again work, and what waited goes on by itself", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    market.fake.revokeAll();
    await syncProducts(market.ctx, { platform: "shopee" });
    await connect(market);
    expect(await statusOf(market)).toMatchObject({ connected: true, reason: null });
    await pumpDry(market);
    expect(market.fake.item(product.id)).toBeDefined();
  });

  it("whose renewal was lost after the platform used the token up end in a clear reason", async () => {
    const market = await connectedMarket();
    const { id } = await connectionOf(market);
    await aboutToEnd(id, "-1 minute");
    market.fake.faults.after = ({ name }) => {
      if (name === "refresh") throw fault("unknown");
    };
    await expect(openShop(market.ctx, id)).rejects.toMatchObject({ fault: "unknown" });
    market.fake.faults = {};
    await letTimePass(market);
    await expect(openShop(market.ctx, id)).rejects.toMatchObject({ name: "ShopClosedError" });
    expect((await statusOf(market))?.reason).toContain("terputus di tengah jalan");
    await connect(market);
    await openShop(market.ctx, id);
  });

  it("that Postgres did not take at once are kept all the same: their refresh token is used up", async () => {
    const market = await connectedMarket();
    const { id } = await connectionOf(market);
    await aboutToEnd(id, "-1 minute");
    const { db } = testContext();
    let lost = 0;
    const run: typeof db.run = async (statement) => {
      if (!statement.sql.includes("market_marketplace_renewed")) return await db.run(statement);
      lost += 1;
      if (lost === 1) throw new AppError("unavailable", "");
      return await db.run(statement);
    };
    const flaky = Object.assign(Object.create(db), { run, beside: () => flaky });
    const away = { ...market.ctx, db: flaky };
    await expect(openShop(away, id)).rejects.toMatchObject({ code: "unavailable" });
    await settleBackground();
    expect(lost).toBe(2);
    await letTimePass(market);
    await openShop(market.ctx, id);
    expect(market.fake.count("refresh")).toBe(1);
  });

  it("are not renewed under a lease that was as long on its way as it lasts", async () => {
    const market = await connectedMarket();
    const { id } = await connectionOf(market);
    await aboutToEnd(id, "-1 minute");
    let asked = 0;
    const now = () => new Date(Date.now() + 61_000 * asked++);
    const late = openShop({ ...market.ctx, now }, id, { waitStepsMs: [] });
    await expect(late).rejects.toMatchObject({ name: "RenewalBusyError" });
    expect(market.fake.count("refresh")).toBe(0);
    await letTimePass(market);
    await openShop(market.ctx, id);
  });

  const deaths = [0, 1, 2].flatMap((at) => [[at, "before"] as const, [at, "after"] as const]);

  it.each(deaths)(
    "are good, or the shop says why not, after a worker died at call %i, %s it acted",
    async (at, kill) => {
      const market = await connectedMarket();
      const { id } = await connectionOf(market);
      await aboutToEnd(id, "-1 minute");
      const dying = mortal(market, at, kill);
      expect(await Promise.race([openShop(dying.ctx, id), dying.killed])).toBe("killed");
      // The lease is its holder's until it has surely died.
      const heldUp = openShop(market.ctx, id, { waitStepsMs: [5] }).catch(
        (error: Error) => error.name,
      );
      if (at > 0 && !(at === 2 && kill === "after")) {
        expect([at, kill, await heldUp]).toEqual([at, kill, "RenewalBusyError"]);
      }
      await heldUp;
      await letTimePass(market);
      const isLost = (at === 1 && kill === "after") || (at === 2 && kill === "before");
      const outcome = await openShop(market.ctx, id).then(
        () => "open",
        (error: Error) => error.name,
      );
      expect(outcome).toBe(isLost ? "ShopClosedError" : "open");
      expect((await connectionOf(market)).status).toBe(isLost ? "error" : "connected");
    },
  );
});

describe("the pace of a shop", () => {
  let market: Market;
  beforeAll(async () => {
    market = await connectedMarket();
  });

  it("is kept by all isolates together", async () => {
    market.fake.limits = { ...market.fake.limits, writesPerSecond: 100, readsPerSecond: 100_000 };
    const { id } = await connectionOf(market);
    const shops = await Promise.all(
      [1, 2, 3, 4].map(() => Shop.open(contextWith(null, market.fake), id)),
    );
    const began = Date.now();
    await Promise.all(
      shops.flatMap((shop) =>
        Array.from({ length: 12 }, () => shop.call((auth) => market.fake.uploadImage(auth))),
      ),
    );
    // 48 calls at 100 a second, of which the first leaves at once.
    expect(Date.now() - began).toBeGreaterThanOrEqual(450);
    expect(market.fake.busiest).toBeLessThanOrEqual(12);
  });
});
