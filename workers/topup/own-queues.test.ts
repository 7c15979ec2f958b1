import { sql } from "drizzle-orm";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../shared/jobs/jobs.ts";
import { age } from "../../shared/jobs/test-jobs.ts";
import { api, standIns, testContext } from "../testing/api.ts";
import { unique } from "../testing/factories.ts";
import { deliverTo, midtransNotice, twin } from "../testing/orders.ts";
import { placePrepaid } from "./orders/place.ts";
import { bench } from "./testing/bench.ts";
import { callbackOf } from "./testing/callbacks.ts";
import { delivered, execute, HOOK } from "./testing/deliveries.ts";
import { theOrderOf } from "./testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "./testing/shop.ts";

beforeAll(stockShelves);

const HELD = 12;

const many = async (query: ReturnType<typeof sql>) => {
  const [found] = await testContext().db.run(
    rows(sql`select count(*)::int as many from (${query}) x`, z.object({ many: z.number() })),
  );
  return found?.many;
};

/** An order that the supplier has, and about which it does not answer from now on. */
async function silent(): Promise<string> {
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const { ctx, settle } = bench({ actor: await customer(), timeoutMs: 5_000 });
  await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber });
  await settle();
  const { trxid } = await theOrderOf(phoneNumber);
  await dial(phoneNumber, { timeOut: true });
  return trxid ?? "";
}

it("a supplier that hangs while its callbacks come holds up no payment notice", async () => {
  const trxids: string[] = [];
  for (let n = 0; n < HELD; n += 1) trxids.push(await silent());
  const list = `{${trxids.join(",")}}`;
  const open = sql`select from inbox_events where provider = 'vip-reseller' and state = 'received'
    and split_part(event_key, '/', 1) = any (${list}::text[])`;
  for (const trxid of trxids) {
    const { body, headers } = await callbackOf(trxid, "success");
    const path = "/api/webhooks/vip-reseller";
    expect((await api(path, { method: "POST", body, headers })).status).toBe(200);
  }
  await expect.poll(() => many(open)).toBeGreaterThan(0);

  const orderRef = unique("ORDER-");
  const body = await midtransNotice({ orderRef, amount: 15_000 });
  const headers = { "content-type": "application/json" };
  const path = "/api/webhooks/midtrans";
  expect((await api(path, { method: "POST", body, headers })).status).toBe(200);
  const applied = sql`select from inbox_events where provider = 'midtrans' and state <> 'received'
    and body like ${`%${orderRef}%`}`;
  await expect.poll(() => many(applied)).toBe(1);
  expect(await many(open)).toBeGreaterThan(0);
  await twin(standIns().vipReseller, "/_dials", {}, "DELETE");
});

/** An order that was paid and never sent: its job is due. Answers with that. */
async function waitingOrder(): Promise<string> {
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const dying = bench({ actor: await customer(), timeoutMs: 5_000, killAt: 0, kill: "after" });
  const placed = placePrepaid(dying.ctx, { service: SERVICES.credit.code, phoneNumber });
  await Promise.race([placed, dying.killed]);
  const order = await theOrderOf(phoneNumber);
  const [found] = await testContext().db.run(
    rows(
      sql`select id from jobs where dedupe_key = ${`topup.order/${order.id}`}`,
      z.object({ id: z.string() }),
    ),
  );
  await age(testContext(), found?.id ?? "");
  return found?.id ?? "";
}

/** As the minute cron wakes it; the Worker's own consumers run what comes. */
async function wakeUp(id: string): Promise<void> {
  const [found] = await testContext().db.run(
    rows(
      sql`select jobs_wakes(jobs_wake(j)) as wakes from jobs j where id = ${id}`,
      z.object({ wakes: wakeSchema }),
    ),
  );
  wake(testContext(), found?.wakes ?? []);
}

it("a reseller's receiver that hangs holds up no order's job", async () => {
  const { endpoint, deliveries } = await delivered();
  const silence = { timeOut: { path: "/hook", match: endpoint.id } };
  await execute(
    sql`update topup_webhook_endpoints set url = ${`${HOOK}/${endpoint.id}`} where id = ${endpoint.id}`,
  );
  await twin(standIns().vipReseller, "/_dials", silence, "PUT");
  const order = await waitingOrder();
  const [{ job } = { job: "" }] = deliveries;
  await wakeUp(job);
  const held = sql`select from jobs where id = ${job} and state = 'running'`;
  await expect.poll(() => many(held)).toBe(1);
  await wakeUp(order);
  await expect
    .poll(() =>
      many(sql`select from jobs where id = ${order} and state <> 'running' and attempts > 0`),
    )
    .toBe(1);
  expect(await many(held)).toBe(1);
  // The release before reads the row, and knows no other name.
  expect(await many(sql`select from jobs where id = ${job} and queue = 'topup'`)).toBe(1);
  await twin(standIns().vipReseller, "/_dials", {}, "DELETE");
});

it("what lies on the queues of the release before is done: callbacks among all notices, deliveries among orders", async () => {
  const { deliveries } = await delivered();
  const [{ job } = { job: "" }] = deliveries;
  const done = await deliverTo("topup", { v: 1, type: "job", id: job });
  expect(done.explicitAcks).toHaveLength(1);
  expect(await many(sql`select from jobs where id = ${job} and attempts = 1`)).toBe(1);
});
