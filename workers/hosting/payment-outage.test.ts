import { type SQL, sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { replayParked } from "../../shared/inbox/inbox.ts";
import { ipaymuNoticeApplier, reconcileCharges } from "../../shared/payments/index.ts";
import type { Fetch } from "../../shared/providers/http.ts";
import { createIpaymu } from "../../shared/providers/ipaymu.ts";
import { settleBackground } from "../testing/api.ts";
import { createUser } from "../testing/factories.ts";
import { createPayment, payOrder } from "./payment.ts";
import { runRenewals } from "./renewals.ts";
import { CreatePayment } from "./schemas/orders.ts";
import { hostingSettlement } from "./settlement.ts";
import {
  booksOf,
  callbackOf,
  createPlan,
  ipaymu,
  mailsTo,
  openRenewal,
  ordersOf,
  pay,
  query,
  quietContext,
  readOrder,
  run,
  type Sale,
  sell,
  slotsTaken,
  subscriptionOf,
  takeIn,
} from "./testing/sales.ts";

afterEach(settleBackground);

const SETTLEMENTS = [hostingSettlement];

/** What it looks like from here. */
const WAYS: Fetch[] = [
  async () => await Promise.reject(new TypeError("fetch failed")),
  async () => new Response("<html>", { status: 503 }),
  async () => await Promise.reject(new DOMException("The operation timed out", "TimeoutError")),
];

/** iPaymu's API through a network that can be taken away; its pages and its callbacks work all the time. */
class Outage {
  isAway = true;
  readonly users: number[] = [];
  #calls = 0;

  readonly #fetch: Fetch = async (url, init) => {
    this.#calls += 1;
    const away = this.isAway ? WAYS[this.#calls % WAYS.length] : null;
    return await (away ?? fetch)(url, init);
  };

  ctx(): Ctx {
    const base = quietContext();
    const { IPAYMU_VA, IPAYMU_API_KEY, IPAYMU_URL } = base.config;
    const client = createIpaymu({
      va: IPAYMU_VA,
      apiKey: IPAYMU_API_KEY,
      baseUrl: IPAYMU_URL,
      timeoutMs: 5_000,
      fetch: this.#fetch,
      sleep: async () => undefined,
    });
    return { ...base, providers: { ...base.providers, ipaymu: client } };
  }

  /** So many minutes go by for these customers' payments, with a run of the minute cron after every five. */
  async minutes(count: number): Promise<void> {
    for (let gone = 0; gone < count; gone += 5) {
      const by = sql`interval '5 minutes'`;
      const mine = sql`(select id from payments_intents where user_id = any(string_to_array(${this.users.join(",")}, ',')::bigint[]))`;
      await run(sql`update payments_charges set expires_at = expires_at - ${by}, check_at = check_at - ${by}
        where intent_id in ${mine}`);
      await run(sql`update payments_intents set created_at = created_at - ${by}, expires_at = expires_at - ${by}
        where id in ${mine}`);
      await run(sql`update inbox_events set retry_at = retry_at - ${by}, created_at = created_at - ${by}
        where provider = 'ipaymu' and state <> 'applied'`);
      await run(
        sql`update payments_histories set read_until = read_until - ${by}, began_at = began_at - ${by}`,
      );
      await cron(this.ctx());
    }
  }
}

/** What the minute cron does for payments. */
async function cron(ctx: Ctx): Promise<void> {
  await reconcileCharges(ctx, SETTLEMENTS);
  await replayParked(ctx, [ipaymuNoticeApplier(SETTLEMENTS)]);
  await settleBackground();
}

/** Other tests' payments are not asked about here, and their clocks, which may have run ahead, do not count. */
async function othersAside(): Promise<void> {
  await run(
    sql`update payments_charges set check_at = now() + interval '1 day' where check_at is not null`,
  );
  await run(
    sql`update payments_histories set read_until = null, began_at = null, page = 1, top = null`,
  );
}

const countOf = async (text: SQL) => (await query(text, z.object({ n: z.number() })))[0]?.n;

describe("iPaymu that is away for an hour", () => {
  it("charges nobody twice, loses nothing, and nobody is told what is not so", async () => {
    await othersAside();
    const outage = new Outage();
    const [told, untold, unpaid] = [await sell(), await sell(), await sell()];
    const renewed = await sell();
    await pay(renewed);
    const renewal = await openRenewal((await subscriptionOf(renewed.orderId)).id);
    const [buyer, plan] = [await createUser(), await createPlan({ slots: 1 })];
    const sales: Sale[] = [told, untold, unpaid, renewed];
    outage.users.push(...sales.map(({ user }) => user.userId), buyer.userId);

    // One callback comes, is repeated in both forms, and cannot be borne out; another never comes.
    for (const sale of [told, untold]) await ipaymu(`/_pay/${sale.ref}`, { notify: false });
    const callback = await callbackOf(told);
    const byOrder = {
      trx_id: callback.trx_id,
      reference_id: told.orderId,
      status: 1,
      status_code: 1,
    };
    for (const one of [callback, byOrder]) {
      expect(await takeIn(one, outage.ctx())).toEqual(expect.any(Number));
    }
    // One wants to buy, one to renew.
    const wish = CreatePayment.parse({
      planName: plan.name,
      planType: "hosting",
      price: plan.price,
    });
    const wanted = () => createPayment({ ...outage.ctx(), actor: buyer }, wish);
    await expect(wanted()).rejects.toMatchObject({ status: 503 });
    const renew = () => payOrder(outage.ctx(), renewal, { userId: renewed.user.userId });
    await expect(renew()).rejects.toMatchObject({ status: 503 });
    // The time of one is over within the hour.
    await run(
      sql`update payments_intents set expires_at = now() + interval '20 minutes' where user_id = ${unpaid.user.userId}`,
    );
    await run(
      sql`update payments_charges set expires_at = now() + interval '20 minutes' where provider_ref = ${unpaid.ref}`,
    );

    await outage.minutes(60);
    await runRenewals(outage.ctx());
    const [first, ...more] = await ordersOf(buyer.userId);
    expect(more).toEqual([]);
    for (const id of [told.orderId, untold.orderId, unpaid.orderId, renewal, first?.id ?? ""]) {
      expect(await readOrder(id)).toMatchObject({ status: "PENDING", intent_state: "pending" });
    }
    expect(await takeIn(callback, outage.ctx())).toEqual(expect.any(Number));
    expect(await slotsTaken(plan)).toBe(1);

    outage.isAway = false;
    // What was over for 40 minutes is asked about again within as many.
    await outage.minutes(45);
    for (const sale of [told, untold]) {
      expect(await readOrder(sale.orderId)).toMatchObject({ status: "COMPLETED" });
      expect((await booksOf(sale.ref)).map(({ what }) => what)).toEqual(["hosting"]);
      expect(await mailsTo(sale.user, "hosting_payment_success")).toHaveLength(1);
    }
    expect(await readOrder(unpaid.orderId)).toMatchObject({
      status: "EXPIRED",
      holds_slot: false,
    });
    expect(await takeIn(callback)).toBe("acked");
    expect((await booksOf(told.ref)).map(({ what }) => what)).toEqual(["hosting"]);
    // The pages that could not be opened are there, and clicks find them.
    const bought = await wanted();
    expect(bought.order.id).toBe(first?.id);
    const page = await readOrder(bought.order.id);
    expect(page.url).toBe(bought.paymentUrl);
    await pay({ ref: page.ref ?? "" });
    const again = await renew();
    await settleBackground();
    expect((await readOrder(renewal)).url).toBe(again.paymentUrl);
    await pay({ ref: (await readOrder(renewal)).ref ?? "" });
    for (const id of [bought.order.id, renewal]) {
      expect(await readOrder(id)).toMatchObject({ status: "COMPLETED" });
    }
    const users = sql`(${sql.join(
      outage.users.map((id) => sql`${id}`),
      sql`, `,
    )})`;
    expect(
      await countOf(sql`select count(*)::int as n from hosting_invoices where user_id in ${users}`),
    ).toBe(5);
    expect(
      await countOf(sql`select count(*)::int as n from payments_refunds r join payments_charges c on c.id = r.charge_id
        join payments_intents i on i.id = c.intent_id where i.user_id in ${users}`),
    ).toBe(0);
  });
});
