import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { testContext } from "../../testing/api.ts";
import { type BenchOptions, bench } from "../testing/bench.ts";
import { alertsOf, booksOf, purchasesOf, runOrderJob, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import type { Order } from "./order.ts";
import { placePrepaid } from "./place.ts";
import { orderJob, reviveOrders } from "./recover.ts";

beforeAll(stockShelves);

const FUNDS = 1_000_000;
const { credit } = SERVICES;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function buy(dials: Record<string, unknown>, options: BenchOptions = {}) {
  const user = await customer(FUNDS);
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true, ...dials });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000, ...options });
  await placePrepaid(ctx, { service: credit.code, phoneNumber });
  await settle();
  return { user, order: await theOrderOf(phoneNumber) };
}

const keyOf = (order: Order) => `topup.order/${order.id}`;

/** The order's job is due now, after so many attempts. */
async function jobOf(order: Order, attempts: number): Promise<string> {
  const [job] = await testContext().db.run(
    rows(
      sql`update jobs set run_at = least(run_at, now()), attempts = ${attempts}
        where dedupe_key = ${keyOf(order)} returning id`,
      z.object({ id: z.string() }),
    ),
  );
  return job?.id ?? "";
}

/** Its job has ended, as one that crashed or was given up. */
async function endJob(order: Order): Promise<void> {
  await testContext().db.run(
    rows(
      sql`update jobs set state = 'failed', finished_at = now() - interval '1 hour' where dedupe_key = ${keyOf(order)}`,
      z.unknown(),
    ),
  );
}

async function jobsOf(order: Order): Promise<string[]> {
  const found = await testContext().db.run(
    rows(
      sql`select state from jobs where kind = 'topup.order' and payload->>'order_id' = ${order.id}
        order by created_at, id`,
      z.object({ state: z.string() }),
    ),
  );
  return found.map(({ state }) => state);
}

async function revive(laterMs: number) {
  const { ctx, settle } = bench({ laterMs });
  await reviveOrders(ctx);
  await settle();
}

async function run(order: Order, options: BenchOptions) {
  const { ctx, settle } = bench({ timeoutMs: 3_000, ...options });
  const ran = await runJob(ctx, await jobOf(order, 0), [orderJob]);
  await settle();
  return ran;
}

const busy = async () => {
  const nothing = { kind: "unavailable", retryable: true, outcome: "not_done" } as const;
  throw new ProviderError("vip-reseller", { ...nothing, code: "busy" }, "no turn");
};

describe("an order that waits for its turn", () => {
  it.each([
    ["the supplier throttles us", "Transaksi dibatasi, coba lagi dalam 6 detik.", undefined],
    ["our own gate is busy", null, busy],
  ])(
    "because %s is tried until its patience is over, then its money goes back",
    async (_, words, pace) => {
      const dials = words ? { say: { value: words, count: 1_000 } } : {};
      const options = pace ? { pace } : {};
      const { user, order } = await buy(dials, options);
      expect(order.state).toBe("queued");
      // It has been its turn every ten seconds for minutes.
      const { ctx, settle } = bench({ laterMs: 11 * MINUTE_MS, timeoutMs: 3_000, ...options });
      expect(await runJob(ctx, await jobOf(order, 500), [orderJob])).toBe("queued");
      await settle();
      expect(await run(order, { laterMs: 16 * MINUTE_MS, ...options })).toBe("success");
      expect(await theOrderOf(order.target)).toMatchObject({ state: "failed" });
      expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
      expect(await purchasesOf(order.target)).toEqual([]);
    },
  );
});

describe("an order that is not over and whose job has ended", () => {
  it("gets another job, once, whoever looks", async () => {
    const { user, order } = await buy({}, { pace: busy });
    await endJob(order);
    await Promise.all([1, 2, 3].map(() => revive(HOUR_MS)));
    expect(await jobsOf(order)).toEqual(["failed", "queued"]);
    expect(await run(order, { laterMs: HOUR_MS })).toBe("success");
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
    await revive(2 * HOUR_MS);
    expect(await jobsOf(order)).toEqual(["failed", "success"]);
  });

  it("gets another job when its own is not there any more", async () => {
    const { order } = await buy({ timeOut: { value: true, count: 1 } }, { timeoutMs: 150 });
    expect(order.state).toBe("unknown");
    await testContext().db.run(
      rows(sql`delete from jobs where dedupe_key = ${keyOf(order)}`, z.unknown()),
    );
    await revive(HOUR_MS);
    expect(await run(order, { laterMs: HOUR_MS })).toBe("success");
    expect(await theOrderOf(order.target)).toMatchObject({ state: "processing" });
  });
});

describe("an order in doubt whose supplier tells no history", () => {
  const mute = { timeoutMs: 3_000, twist: () => "<html>down</html>" };

  it("is asked about for as long as it takes", async () => {
    const { order } = await buy({ timeOut: { value: true, count: 1 } }, { timeoutMs: 150 });
    const { ctx, settle } = bench({ laterMs: 20 * HOUR_MS, ...mute });
    expect(await runJob(ctx, await jobOf(order, 500), [orderJob])).toBe("unknown");
    await settle();
    expect(await run(order, { laterMs: 21 * HOUR_MS })).toBe("success");
    expect(await theOrderOf(order.target)).toMatchObject({ state: "processing" });
  });

  it("is told to a person after an hour, once, and settled by itself when the supplier is back", async () => {
    const { user, order } = await buy({ timeOut: { value: true, count: 1 } }, { timeoutMs: 150 });
    for (const hours of [1.1, 2]) await runOrderJob(order, { laterMs: hours * HOUR_MS, ...mute });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "unknown", reviewReason: null });
    expect(await alertsOf(order)).toEqual(["Riwayat penyedia diam selama sejam"]);
    expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
    await runOrderJob(order, { laterMs: 3 * HOUR_MS, timeoutMs: 3_000 });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "processing" });
  });
});

describe("an attempt whose turn comes late", () => {
  it("is not sent: by then the order may have been given up", async () => {
    const user = await customer(FUNDS);
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    let laterMs = 0;
    const { ctx, settle } = bench({
      actor: user,
      timeoutMs: 3_000,
      // The gate's answer takes as long as leaves no time for the call.
      pace: async () => {
        laterMs = 45_000;
      },
    });
    const slow = { ...ctx, now: () => new Date(Date.now() + laterMs) };
    await placePrepaid(slow, { service: credit.code, phoneNumber });
    await settle();
    expect(await purchasesOf(phoneNumber)).toEqual([]);
    expect(await theOrderOf(phoneNumber)).toMatchObject({ state: "queued" });
  });
});
