import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { dyingContext } from "../market/testing/sales.ts";
import { settleBackground } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createUser } from "../testing/factories.ts";
import { createPayment } from "./payment.ts";
import { CreatePayment } from "./schemas/orders.ts";
import {
  buy,
  createPlan,
  cron,
  ipaymu,
  one,
  ordersOf,
  pay,
  quietContext,
  readOrder,
  slotsTaken,
} from "./testing/sales.ts";

afterEach(settleBackground);

const failure = (status: number, words: unknown = expect.any(String)) => ({
  status,
  body: failureBody("hosting", status, words),
});

describe("a request that dies", () => {
  const deaths = [0, 1].flatMap((at) => [[at, "before"] as const, [at, "after"] as const]);

  it.each(deaths)(
    "at its call %i of the database, %s it runs, leaves one order that can be paid",
    async (at, kill) => {
      const user = await createUser();
      const plan = await createPlan({ slots: 5 });
      const input = CreatePayment.parse({
        planName: plan.name,
        planType: "hosting",
        price: 30_000,
      });
      const ctx = { ...quietContext(), actor: user };
      const dying = dyingContext(ctx, at, kill);
      await createPayment(dying.ctx, input).catch(() => undefined);
      await settleBackground();
      expect(dying.calls()).toBeGreaterThan(at);
      const now = () => new Date(Date.now() + 31_000);
      const started = await createPayment({ ...ctx, now }, input);
      await settleBackground();
      expect(await ordersOf(user.userId)).toEqual([{ id: started.order.id }]);
      expect(await slotsTaken(plan)).toBe(1);
      const sale = await readOrder(started.order.id);
      expect(sale.url).toBe(started.paymentUrl);
      await pay({ ref: sale.ref ?? "" });
      expect(await readOrder(started.order.id)).toMatchObject({ status: "COMPLETED" });
    },
  );
});

describe("a provider that", () => {
  const dial = (match: string, dials: object) => ipaymu("/_dials", { match, ...dials }, "PUT");

  it("refuses makes the order fail in the contract's words, frees its slot and tells the buyer once", async () => {
    const plan = await createPlan({ slots: 1 });
    await dial(plan.name.toUpperCase(), { invalidDomain: true });
    const user = await createUser();
    expect(await buy(user, plan)).toMatchObject(failure(500, "Gagal membuat pembayaran"));
    const [order] = await ordersOf(user.userId);
    expect(await readOrder(order?.id ?? "")).toMatchObject({ status: "FAILED", holds_slot: false });
    expect(await slotsTaken(plan)).toBe(0);
    await dial(plan.name.toUpperCase(), {});
    const again = await buy(user, plan);
    expect(again.status).toBe(200);
    expect(again.body.order.id).not.toBe(order?.id);
    const { mails } = await one(
      sql`select count(*)::int as mails from jobs
        where dedupe_key = ${`mail/hosting_payment_failed/${order?.id}`}`,
      z.object({ mails: z.number() }),
    );
    expect(mails).toBe(1);
  });

  it("answers nothing leaves the order unpaid and its slot held, until it is known", async () => {
    const plan = await createPlan({ slots: 1 });
    await dial(plan.name.toUpperCase(), { refuse: 502 });
    const user = await createUser();
    expect(await buy(user, plan)).toMatchObject(failure(503));
    const [order] = await ordersOf(user.userId);
    expect(await readOrder(order?.id ?? "")).toMatchObject({ status: "PENDING", holds_slot: true });
    await dial(plan.name.toUpperCase(), {});
    // The page of an order in doubt is asked for by the cron; a later click finds it.
    await cron(await readOrder(order?.id ?? ""), 2);
    const { url } = await readOrder(order?.id ?? "");
    expect(url).toContain("/payment/");
    const again = await buy(user, plan);
    expect([again.body.order.id, again.body.paymentUrl]).toEqual([order?.id, url]);
  });
});
