import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { consumeNotices, replayParked } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import type { TestUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { callbackOf, type Form, md5, received, supplierAccount } from "../testing/callbacks.ts";
import { booksOf, movesOf, purchasesOf, runOrderJob, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { callbackApplier, receiveCallback } from "./callbacks.ts";
import { followOrders } from "./follow.ts";
import type { Order } from "./order.ts";
import { placePrepaid } from "./place.ts";
import { refusedCallbackApplier } from "./refused-archive.ts";

beforeAll(stockShelves);

const FUNDS = 100_000;
const PATH = "/api/webhooks/vip-reseller";
const appliers = [callbackApplier, refusedCallbackApplier];

/** Posts it; what went on the queue is applied by the consumer, as often as told. */
async function take(
  one: { body: string; headers: Record<string, string> },
  { times = 1, laterMs = 0 } = {},
): Promise<unknown[]> {
  const { ctx, sent } = contextWithQueues();
  await receiveCallback(ctx, new Headers(one.headers), received(one.body));
  const consumer = { ...ctx, now: () => new Date(Date.now() + laterMs) };
  const fates: unknown[] = [];
  for (let time = 0; time < times; time += 1) {
    const { batch, fates: told } = deliver(
      "topup-callbacks",
      sent.map(({ body }) => body),
    );
    await consumeNotices(consumer, batch, appliers);
    fates.push(...told);
  }
  return fates;
}

async function bought(user: TestUser): Promise<Order> {
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const { ctx, settle } = bench({ actor: user });
  await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber });
  await settle();
  return await theOrderOf(phoneNumber);
}

const Event = z.object({ state: z.string(), body: z.string(), note: z.string().nullable() });
const eventsOf = (trxid: string) =>
  testContext().db.run(
    rows(
      sql`select state, body, note from inbox_events
        where provider = 'vip-reseller' and event_key like ${`${trxid}/%`} order by created_at`,
      Event,
    ),
  );

/** Leaves cron nothing to ask about but these. */
const restOthers = (orders: Order[]) =>
  testContext().db.run(
    rows(
      sql`update topup_orders set ask_at = '2100-01-01' where state in ('processing', 'success', 'partial')
        and not id::text = any (${`{${orders.map(({ id }) => id).join(",")}}`}::text[])`,
      z.unknown(),
    ),
  );

describe("a callback", () => {
  it.each<Form>(["provider", "list", "specification"])(
    "in the form %s settles its order once the supplier says the same",
    async (form) => {
      const user = await customer(FUNDS);
      const order = await bought(user);
      await hand("succeed", order.trxid ?? "", { note: "SN: 123456" });
      await take(await callbackOf(order.trxid ?? "", "success", form, "SN: 123456"), { times: 3 });
      expect(await theOrderOf(order.target)).toMatchObject({ state: "success" });
      expect(await movesOf(order)).toMatchObject({ "topup-cost": order.chargedAmount });
      const events = await eventsOf(order.trxid ?? "");
      expect(events.map(({ state }) => state)).toEqual(["applied"]);
      expect(events[0]?.body).not.toContain("123456");
    },
  );

  it("moves nothing by itself: what the supplier does not bear out is kept and tried again", async () => {
    const user = await customer(FUNDS);
    const order = await bought(user);
    for (const claim of ["success", "error", "refunded", "partial"]) {
      expect(await take(await callbackOf(order.trxid ?? "", claim))).toEqual(["acked"]);
    }
    expect(await theOrderOf(order.target)).toMatchObject({ state: "processing" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: order.amount });
    const events = await eventsOf(order.trxid ?? "");
    expect(events.map(({ state }) => state)).toEqual(["parked", "parked", "parked", "parked"]);
  });

  it.each([
    ["success, failed, success", "succeed", ["success", "error", "success"], "success"],
    ["failed, success, failed", "fail", ["error", "success", "error"], "failed"],
  ] as const)("says %s and the order ends once", async (_, really, claims, state) => {
    const user = await customer(FUNDS);
    const order = await bought(user);
    await hand(really, order.trxid ?? "");
    for (const claim of claims)
      await take(await callbackOf(order.trxid ?? "", claim), { times: 2 });
    expect(await theOrderOf(order.target)).toMatchObject({ state });
    const wallet = state === "failed" ? FUNDS : FUNDS - order.amount;
    expect(await booksOf(user)).toEqual({ wallet, escrow: 0 });
  });

  it.each(["waiting", "processing"])(
    "that says only %s spends no call on asking",
    async (claim) => {
      const user = await customer(FUNDS);
      const order = await bought(user);
      await hand("succeed", order.trxid ?? "");
      expect(await take(await callbackOf(order.trxid ?? "", claim))).toEqual(["acked"]);
      expect(await theOrderOf(order.target)).toMatchObject({ state: "processing" });
      expect((await eventsOf(order.trxid ?? "")).map(({ state }) => state)).toEqual(["applied"]);
    },
  );

  it("that comes before the answer to its order waits for it", async () => {
    const user = await customer(FUNDS);
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    const lost = bench({ actor: user, killAt: 1, kill: "after" });
    const input = { service: SERVICES.credit.code, phoneNumber };
    await Promise.race([placePrepaid(lost.ctx, input), lost.killed]);
    const [{ trxid } = { trxid: "" }] = await purchasesOf(phoneNumber);
    await hand("succeed", trxid);
    await take(await callbackOf(trxid, "success"));
    expect(await eventsOf(trxid)).toMatchObject([{ state: "parked" }]);

    const order = await theOrderOf(phoneNumber);

    await runOrderJob(order, { laterMs: 80_000 });
    expect(await theOrderOf(phoneNumber)).toMatchObject({ state: "processing", trxid });
    await testContext().db.run(
      rows(
        sql`update inbox_events set retry_at = '2000-01-01' where event_key like ${`${trxid}/success/%`}`,
        z.unknown(),
      ),
    );
    await replayParked(bench().ctx, appliers);
    expect(await theOrderOf(phoneNumber)).toMatchObject({ state: "success" });
    expect(await eventsOf(trxid)).toMatchObject([{ state: "applied" }]);
  });

  it("that is lost costs a minute: cron asks about many orders with one call", async () => {
    const user = await customer(FUNDS);
    const orders = [await bought(user), await bought(user), await bought(user)];
    for (const { trxid } of orders) await hand("succeed", trxid ?? "");
    await restOthers(orders);
    const { ctx, steps } = bench({ laterMs: 60_000 });
    await followOrders(ctx);
    const states = await Promise.all(
      orders.map(async ({ target }) => (await theOrderOf(target)).state),
    );
    expect(states).toEqual(["success", "success", "success"]);
    // Which families, one list of the supplier, what of it is not ours, which orders, what became of them; and a list that
    // goes further back, where another test's order was refunded.
    expect(steps()).toBeLessThanOrEqual(6);
  });

  it("of a purchase that is not ours is kept and moves nothing", async () => {
    const fates = await take(await callbackOf(`VPX${newPhone()}`, "success"));
    expect(fates).toEqual(["acked"]);
  });
});

describe("POST /api/webhooks/vip-reseller", () => {
  const post = (body: string, headers: Record<string, string>) =>
    api(PATH, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });

  it("answers as the contract says, for a known and an unknown purchase", async () => {
    const trxid = `VPY${newPhone()}`;
    for (const form of ["provider", "list", "specification"] as const) {
      const { body, headers } = await callbackOf(trxid, "waiting", form);
      const answer = await post(body, headers);
      expect([answer.status, answer.body]).toEqual([
        200,
        { success: true, message: "Callback processed successfully", trx_id: trxid },
      ]);
    }
  });

  it("is the same with a slash at its end, however long the body is", async () => {
    const { body, headers } = await callbackOf(`VPS${newPhone()}`, "waiting");
    for (const [text, status] of [
      [body, 200],
      ["x".repeat(300_000), 413],
    ] as const) {
      const { status: told } = await api(`${PATH}/`, { method: "POST", body: text, headers });
      expect(told).toBe(status);
    }
  });

  it("refuses what nobody signed, in both forms", async () => {
    const { id, key } = supplierAccount();
    const provider = await callbackOf("VPZ1", "success");
    const specification = await callbackOf("VPZ1", "success", "specification");
    const otherStatus = await callbackOf("VPZ1", "error", "specification");
    const forgeries: [string, Record<string, string>][] = [
      [provider.body, {}],
      [provider.body, { "x-client-signature": "" }],
      [provider.body, { "x-client-signature": await md5(`${key}${id}`) }],
      [provider.body, { "x-client-signature": await md5("") }],
      [provider.body, { "x-client-signature": `${provider.headers["x-client-signature"]}0` }],
      [specification.body, otherStatus.headers],
      [specification.body, { signature: await md5("VPZ1success") }],
      [provider.body, specification.headers],
    ];
    for (const [body, headers] of forgeries) {
      const answer = await post(body, headers);
      const expected = [401, failureBody("topup", 401, "Invalid signature")];
      expect([answer.status, answer.body]).toEqual(expected);
    }
  });

  it.each([
    ...["", "{", "[]", "null", '"x"', "{}", '{"data":{}}', "a=b", '{"data":[]}'],
    '{"data":{"trxid":"","status":"success"}}',
    '{"trx_id":"","status":"success"}',
    '{"trx_id":"VPZ2","note":"status?"}',
  ])("refuses %j, which is no callback", async (body) => {
    const { headers } = await callbackOf("VPZ2", "success");
    const answer = await post(body, headers);
    const expected = [400, failureBody("topup", 400, "Invalid callback data")];
    expect([answer.status, answer.body]).toEqual(expected);
  });

  it("reads no further than a callback can go", async () => {
    const { headers } = await callbackOf("VPZ3", "success");
    for (const length of [33_000, 300_000]) {
      const answer = await post(`{"data":"${"x".repeat(length)}"}`, headers);
      const expected = [413, failureBody("topup", 413, "Callback is too large")];
      expect([answer.status, answer.body]).toEqual(expected);
    }
  });

  it("tells its status to everybody", async () => {
    const { status, body } = await api(PATH);
    expect([status, body]).toEqual([
      200,
      {
        service: "VIP-Reseller Webhook",
        status: "active",
        timestamp: expect.stringMatching(/Z$/),
        supported_callbacks: [
          "Game Feature orders",
          "Prepaid orders (pulsa, PPOB)",
          "Social Media orders",
        ],
      },
    ]);
  });
});
