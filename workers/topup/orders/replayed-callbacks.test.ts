import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { consumeNotices, replayEvent } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { callbackOf, received } from "../testing/callbacks.ts";
import { theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { callbackApplier, receiveCallback } from "./callbacks.ts";
import { followOrders } from "./follow.ts";
import { placePrepaid } from "./place.ts";

const run = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

/** What other tests left unexplained would be a flood of callbacks here, and what is due would be asked about as well. */
beforeAll(async () => {
  await stockShelves();
  await run(sql`update inbox_events set retry_at = null where provider = 'vip-reseller'`);
  await run(
    sql`update topup_orders set ask_at = '2100-01-01' where state in ('processing', 'review')`,
  );
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MANY = 500;
const OUT =
  '{"result":false,"data":null,"message":"Ada pemeliharaan sistem API, coba lagi nanti."}';

const same = (text: string) => text;

/** A context so much later, which counts what the supplier is asked. */
function counting(laterMs = 0, twist = same) {
  const asked = { times: 0 };
  const { ctx, settle } = bench({
    laterMs,
    timeoutMs: 3_000,
    twist: (text) => {
      asked.times += 1;
      return twist(text);
    },
  });
  return { ctx, asked, settle };
}

/** The queue's messages for so many replays of one signed callback, each with other words where they differ. */
async function replays(trxid: string, many: number, { target = "0812", differ = false } = {}) {
  const { ctx, sent } = contextWithQueues();
  for (let n = 0; n < many; n += 1) {
    const words = differ ? `LUNAS ${n}` : "LUNAS";
    const one = await callbackOf(trxid, "success", "provider", words, target);
    await receiveCallback(ctx, new Headers(one.headers), received(one.body));
  }
  return sent.map(({ body }) => body);
}

const States = z.object({ state: z.string(), events: z.number() });
const statesOf = (trxid: string) =>
  testContext().db.run(
    rows(
      sql`select state, count(*)::int as events from inbox_events where provider = 'vip-reseller'
        and event_key like ${`${trxid}/%`} group by state order by state`,
      States,
    ),
  );
const idsOf = (trxid: string) =>
  testContext().db.run(
    rows(
      sql`select id from inbox_events where event_key like ${`${trxid}/%`} order by id`,
      z.object({ id: z.uuid() }),
    ),
  );

const newTrxid = () => unique("VPR").replace(/[^A-Za-z0-9]/g, "");
const newBill = () => `52${newPhone().slice(2)}77`;

describe("a captured callback of a purchase that is none of ours, sent five hundred times", () => {
  const parked = async (differ = false, many = MANY) => {
    const trxid = newTrxid();
    const bodies = await replays(trxid, many, { target: newBill(), differ });
    const { ctx, asked } = counting();
    await consumeNotices(ctx, deliver("topup-callbacks", bodies).batch, [callbackApplier]);
    expect(await statesOf(trxid)).toEqual([{ state: "parked", events: many }]);
    expect(asked.times).toBe(0);
    return trxid;
  };

  it("is asked about once in each family, and all of them are ended by that", async () => {
    const trxid = await parked();
    const { ctx, asked } = counting(85 * MINUTE);
    const [{ id } = { id: "" }] = await idsOf(trxid);
    await replayEvent(ctx, id, [callbackApplier]);
    expect(await statesOf(trxid)).toEqual([{ state: "applied", events: MANY }]);
    expect(asked.times).toBe(3);
  });

  it("costs no more where each time another word stands in it", async () => {
    const trxid = await parked(true, 40);
    const { ctx, asked } = counting(85 * MINUTE);
    for (const { id } of await idsOf(trxid)) await replayEvent(ctx, id, [callbackApplier]);
    expect(await statesOf(trxid)).toEqual([{ state: "applied", events: 40 }]);
    expect(asked.times).toBe(3);
  });

  it("costs no more where they are tried at one moment", async () => {
    const trxid = await parked(true, 40);
    const { ctx, asked } = counting(85 * MINUTE);
    const all = (await idsOf(trxid)).map(({ id }) => replayEvent(ctx, id, [callbackApplier]));
    await Promise.all(all);
    expect(asked.times).toBe(3);
  });

  it("is not asked about again for a minute where the supplier does not say, whoever comes", async () => {
    const trxid = await parked(false, 40);
    const ids = await idsOf(trxid);
    const out = counting(85 * MINUTE, () => OUT);
    const [first, ...others] = ids;
    await replayEvent(out.ctx, first?.id ?? "", [callbackApplier]);
    const once = out.asked.times;
    expect(once).toBeGreaterThan(0);
    for (const { id } of others) await replayEvent(out.ctx, id, [callbackApplier]);
    expect(out.asked.times).toBe(once);
    const later = counting(87 * MINUTE);
    await replayEvent(later.ctx, ids.at(-1)?.id ?? "", [callbackApplier]);
    expect(later.asked.times).toBe(3);
    expect(await statesOf(trxid)).toEqual([{ state: "applied", events: 40 }]);
  });

  it("is not believed to be nobody's by what the supplier said before it came", async () => {
    const trxid = await parked(false, 2);
    const [first, second] = await idsOf(trxid);
    await run(sql`update inbox_events set event_key = ${`${trxid}/late`},
      body = (body::jsonb || jsonb_build_object('receivedAt', now() + interval '80 minutes'))::text
      where id = ${second?.id}`);
    await replayEvent(counting(85 * MINUTE).ctx, first?.id ?? "", [callbackApplier]);
    const early = counting(130 * MINUTE);
    expect(await replayEvent(early.ctx, second?.id ?? "", [callbackApplier])).toBe("parked");
    const late = counting(145 * MINUTE);
    expect(await replayEvent(late.ctx, second?.id ?? "", [callbackApplier])).toBe("applied");
    expect([early.asked.times, late.asked.times]).toEqual([0, 3]);
  });
});

describe("a captured callback of an order under way, sent five hundred times", () => {
  const bought = async () => {
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    const { ctx, settle } = bench({ actor: await customer(), timeoutMs: 3_000 });
    await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber });
    await settle();
    const order = await theOrderOf(phoneNumber);
    await run(sql`update topup_orders set ask_at = '2100-01-01' where id = ${order.id}`);
    return { ...order, trxid: order.trxid ?? "" };
  };
  const consume = async (bodies: unknown[], laterMs = 0, twist?: (text: string) => string) => {
    const { ctx, asked } = counting(laterMs, twist);
    const { batch, fates } = deliver("topup-callbacks", bodies);
    await consumeNotices(ctx, batch, [callbackApplier]);
    return { asked: asked.times, fates: new Set(fates) };
  };

  it("is confirmed once, and again after a while where that did not bear it out", async () => {
    const { trxid } = await bought();
    const bodies = await replays(trxid, MANY);
    expect(await consume(bodies, MINUTE)).toEqual({ asked: 1, fates: new Set(["acked"]) });
    expect((await consume(bodies, MINUTE + 30_000)).asked).toBe(0);
    expect((await consume(bodies, 2 * MINUTE)).asked).toBe(1);
    expect(await statesOf(trxid)).toEqual([{ state: "parked", events: MANY }]);
  });

  it("costs one ask where the supplier does not answer", async () => {
    const { trxid } = await bought();
    const bodies = await replays(trxid, 100);
    const alone = await consume(bodies.slice(0, 1), MINUTE, () => OUT);
    const rest = await consume(bodies.slice(1), MINUTE, () => OUT);
    expect([alone.asked > 0, rest.asked]).toEqual([true, 0]);
  });

  it("keeps none from being confirmed that comes after the others were asked about", async () => {
    const order = await bought();
    await consume(await replays(order.trxid, 20));
    await hand("succeed", order.trxid, { note: "SN: 5" });
    expect(await consume(await replays(order.trxid, 1))).toMatchObject({ asked: 0 });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "processing" });
    const next = counting(5_000);
    await followOrders(next.ctx);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success" });
  });

  /** Asks about the order so much later; while the supplier answers, `meanwhile` comes to pass, and a callback of it. */
  async function meet(
    trxid: string,
    laterMs: number,
    meanwhile: () => Promise<unknown> = async () => {},
    twist = same,
  ) {
    // Of others none is due: a list for them would show this one.
    await run(
      sql`update topup_orders set ask_at = '2100-01-01' where trxid <> ${trxid} and ask_at is not null`,
    );
    const { ctx } = bench({ timeoutMs: 3_000, laterMs, twist });
    const { vipReseller } = ctx.providers;
    const getOrderStatus: typeof vipReseller.getOrderStatus = async (...query) => {
      const before = await vipReseller.getOrderStatus(...query);
      await meanwhile();
      expect(await consume(await replays(trxid, 1), laterMs + 100)).toMatchObject({ asked: 0 });
      return before;
    };
    ctx.providers = { ...ctx.providers, vipReseller: { ...vipReseller, getOrderStatus } };
    const { batch } = deliver("topup-callbacks", await replays(trxid, 1));
    await consumeNotices(ctx, batch, [callbackApplier]);
  }

  it("delays none that comes while it is asked about, and what was before is told: the next minute's look has it", async () => {
    const order = await bought();
    await run(sql`update topup_orders set paid_at = now() - interval '1 day', ask_at = now()
        where id = ${order.id}`);
    await meet(order.trxid, 100, () => hand("succeed", order.trxid, { note: "SN: 5" }));
    expect(await theOrderOf(order.target)).toMatchObject({ state: "processing" });
    await followOrders(counting(MINUTE).ctx);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success" });
  });

  it("is asked about anew ten seconds later for what came since", async () => {
    const order = await bought();
    await consume(await replays(order.trxid, 20));
    await hand("succeed", order.trxid, { note: "SN: 5" });
    const later = await replays(order.trxid, 20);
    expect((await consume(later, 11_000)).asked).toBe(1);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success" });
  });

  const noNote = (text: string) => text.replace(/"note":"[^"]*"/g, '"note":""');
  /** Delivered, and its serial number is not told yet. */
  async function unnumbered() {
    const order = await bought();
    await hand("succeed", order.trxid, { note: "SN: 7" });
    await run(sql`update topup_orders set ask_at = now() where id = ${order.id}`);
    const first = counting(MINUTE, noNote);
    await followOrders(first.ctx);
    await first.settle();
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success", sealedSerial: null });
    return order;
  }

  it("lacking its serial number is looked at in the next minute, though the callback meets an ask", async () => {
    const order = await unnumbered();
    await run(
      sql`update topup_orders set ask_at = now() + interval '2 hours' where id = ${order.id}`,
    );
    await meet(order.trxid, 2 * HOUR, undefined, noNote);
    expect((await theOrderOf(order.target)).sealedSerial).toBeNull();
    await followOrders(counting(2 * HOUR + MINUTE).ctx);
    expect((await theOrderOf(order.target)).sealedSerial).not.toBeNull();
  });

  it("lacking its serial number costs one ask as well", async () => {
    const order = await unnumbered();
    const bodies = await replays(order.trxid, 100);
    expect((await consume(bodies, 5 * MINUTE, noNote)).asked).toBe(1);
    expect((await consume(await replays(order.trxid, 1), HOUR)).asked).toBe(1);
    expect((await theOrderOf(order.target)).sealedSerial).not.toBeNull();
  });
});
