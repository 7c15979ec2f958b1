import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { jakartaDay } from "../../shared/time/jakarta.ts";
import { standIns, testContext } from "../testing/api.ts";
import { unique } from "../testing/factories.ts";
import { twin } from "../testing/orders.ts";
import { REFUSED_PROVIDER } from "./orders/index.ts";
import { placeGame } from "./orders/place.ts";
import { bench } from "./testing/bench.ts";
import { EVERY_HOUR, EVERY_MINUTE, ringFor } from "./testing/clock.ts";
import { delivered, deliveriesOf, execute } from "./testing/deliveries.ts";
import { lookAt, NOT_BOUGHT, orderCredit, orderGame } from "./testing/doubts.ts";
import { isLookedAfter, purchasesOf, SILENT_LONG, theOrderOf } from "./testing/outcomes.ts";
import { customer, hand, newPhone, SERVICES, shelve, stockShelves } from "./testing/shop.ts";

beforeAll(stockShelves);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const isThere = async (query: ReturnType<typeof sql>): Promise<boolean> =>
  (await testContext().db.run(rows(query, z.unknown()))).length > 0;

/** What a chore takes in portions has its turn behind what other tests left. */
async function ringUntil(
  cron: string,
  isDone: () => Promise<boolean>,
  laterMs = 0,
): Promise<boolean> {
  for (let time = 0; time < 10; time += 1) {
    await ringFor(cron, { laterMs });
    if (await isDone()) return true;
  }
  return false;
}

/** Jobs that a cron made, out of the way of other tests: nobody works on them. */
const setAside = (which: ReturnType<typeof sql>) =>
  execute(sql`update jobs set run_at = '2100-01-01' where state = 'queued' and ${which}`);

describe("every minute", () => {
  it("the supplier's balance is seen", async () => {
    const balance = 900_000_000 + Math.floor(Math.random() * 1_000_000);
    await twin(standIns().vipReseller, "/_account", { balance });
    await execute(sql`update topup_supplier_state set checked_at = now() - interval '1 minute'`);
    await ringFor(EVERY_MINUTE);
    const seen = sql`select 1 from topup_supplier_state
      where balance = ${balance} and checked_at > now() - interval '45 seconds'`;
    expect(await isThere(seen)).toBe(true);
  });

  it("orders that are under way are followed", async () => {
    const { order } = await orderCredit();
    await hand("succeed", order.trxid ?? "");
    await ringFor(EVERY_MINUTE, { laterMs: MINUTE });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success" });
  });

  it("orders that nobody paid in time are cancelled", async () => {
    const { ctx } = bench({ actor: await customer() });
    const gameId = newPhone();
    await placeGame(ctx, { service: SERVICES.diamonds.code, gameId, zone: "2001" });
    await execute(sql`update topup_orders set expires_at = now() where target = ${gameId}`);
    const isOver = async () => (await theOrderOf(gameId)).state === "cancelled";
    expect(await ringUntil(EVERY_MINUTE, isOver)).toBe(true);
  });

  it("orders in doubt that lost their job get another one", async () => {
    const { order } = await orderCredit({ fault: NOT_BOUGHT });
    await execute(sql`delete from jobs where dedupe_key = ${`topup.order/${order.id}`}`);
    const isRevived = () => isLookedAfter(order);
    expect(await ringUntil(EVERY_MINUTE, isRevived, 3 * MINUTE)).toBe(true);
    await setAside(sql`dedupe_key = ${`topup.order/${order.id}`}`);
  });

  it("events that were not told where they happened are told", async () => {
    const { endpoint, deliveries } = await delivered();
    const before = deliveries.map(({ id }) => id);
    await execute(sql`insert into topup_order_events (order_id, state)
      select order_id, 'partial' from topup_deliveries where id = ${before[0]}`);
    const types = async () => (await deliveriesOf(endpoint.id)).map(({ type }) => type);
    const isTold = async () => (await types()).includes("order.partial");
    expect(await ringUntil(EVERY_MINUTE, isTold)).toBe(true);
    await setAside(sql`kind = 'topup.deliver'`);
  });

  it("and in each tenth one, purchases that show after the money went back are found", async () => {
    const { order } = await orderGame(SERVICES.diamonds, { zone: "2001", fault: NOT_BOUGHT });
    expect(await lookAt(order, SILENT_LONG)).toMatchObject({ state: "failed", trxid: null });
    const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
    const { code: service, target } = order;
    await vipReseller.createGameOrder({ service, target, zone: "2001" });
    const [purchase] = await purchasesOf(target);
    const tenth = Math.ceil((Date.now() + 6.3 * HOUR) / (10 * MINUTE)) * 10 * MINUTE;
    await ringFor(EVERY_MINUTE, { laterMs: tenth - Date.now() + 1 });
    expect(await theOrderOf(target)).toMatchObject({ state: "failed", trxid: purchase?.trxid });
  });
});

describe("every hour", () => {
  it("the catalogue's sync begins", async () => {
    await execute(sql`update topup_syncs set state = 'failed', finished_at = now()
      where state = 'running'`);
    await ringFor(EVERY_HOUR);
    const begun = sql`select 1 from topup_syncs s join jobs j on j.id = s.job_id
      where s.state = 'running' and s.action = 'full-sync' and s.requested_by is null and j.state = 'queued'`;
    expect(await isThere(begun)).toBe(true);
    await setAside(sql`id in (select job_id from topup_syncs where state = 'running')`);
    await execute(sql`update topup_syncs set state = 'failed', finished_at = now()
      where state = 'running'`);
  });

  it("yesterday is reconciled if it was not", async () => {
    const day = jakartaDay(new Date(Date.now() - 25 * HOUR));
    const ofDay = sql`kind = 'topup.reconcile' and payload->>'day' = ${day}`;
    await execute(sql`delete from topup_reconciliations where day = ${day}::date`);
    await execute(sql`delete from jobs where ${ofDay}`);
    await ringFor(EVERY_HOUR);
    expect(await isThere(sql`select 1 from jobs where ${ofDay} and state = 'queued'`)).toBe(true);
    await setAside(sql`kind = 'topup.reconcile'`);
  });

  it("what runs low is told", async () => {
    const low = { ...SERVICES.credit, code: unique("LOW"), name: unique("Hampir habis ") };
    await shelve(low, { stock: 0 });
    await ringFor(EVERY_HOUR);
    const told = sql`select 1 from topup_stock_alerts a join topup_services s on s.id = a.service_id
      where s.code = ${low.code}`;
    expect(await isThere(told)).toBe(true);
    await execute(sql`update topup_services set status = 'gone', gone_at = now()
      where code = ${low.code}`);
  });

  it("purchases that were made past us are noted", async () => {
    const target = newPhone();
    const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
    await vipReseller.createPrepaidOrder({ service: SERVICES.credit.code, target });
    const [purchase] = await purchasesOf(target);
    const noted = sql`select 1 from topup_supplier_sightings where trxid = ${purchase?.trxid}`;
    expect(await isThere(noted)).toBe(false);
    await ringFor(EVERY_HOUR);
    expect(await isThere(noted)).toBe(true);
  });

  it("callbacks of more than ninety days ago are forgotten", async () => {
    const [old, young] = [unique("VP"), unique("VP")];
    for (const [key, days] of [
      [old, 91],
      [young, 89],
    ] as const)
      await execute(sql`insert into inbox_events (provider, event_key, body, state, received_at, created_at)
        values ('vip-reseller', ${key}, '{}', 'parked', now(), now() - make_interval(days => ${days}))`);
    await ringFor(EVERY_HOUR);
    const kept = (key: string) => isThere(sql`select 1 from inbox_events where event_key = ${key}`);
    expect([await kept(old), await kept(young)]).toEqual([false, true]);
    await execute(sql`delete from inbox_events where event_key = ${young}`);
  });

  it("a flood of refused callbacks is told", async () => {
    const address = unique("2001:db8::");
    const mails = sql`dedupe_key like ${`mail/alert/topup-refused/${REFUSED_PROVIDER}/%`}`;
    await execute(sql`update jobs set dedupe_key = 'before/' || id where ${mails}`);
    const body = JSON.stringify({ count: 5_000, from: [{ address, count: 1_000_000 }] });
    await execute(sql`insert into inbox_events (provider, event_key, body, state, received_at)
      values (${REFUSED_PROVIDER}, ${address}, ${body}, 'applied', now())`);
    await ringFor(EVERY_HOUR);
    const told = sql`select 1 from jobs where ${mails} and payload->'data'->'facts' ? ${address}`;
    expect(await isThere(told)).toBe(true);
    await execute(sql`delete from inbox_events where event_key = ${address}`);
  });

  it("deliveries that ended a month ago are forgotten", async () => {
    const { endpoint, deliveries } = await delivered();
    expect(deliveries.length).toBeGreaterThan(1);
    const [old, ...young] = deliveries.map(({ id }) => id);
    await setAside(sql`kind = 'topup.deliver'`);
    await execute(sql`update topup_deliveries set state = 'delivered',
        created_at = now() - case when id = ${old}::uuid then interval '31 days' else interval '29 days' end
      where endpoint_id = ${endpoint.id}`);
    await ringFor(EVERY_HOUR);
    expect((await deliveriesOf(endpoint.id)).map(({ id }) => id)).toEqual(young);
  });
});
