import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { consumeNotices, replayEvent } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { callbackOf, type Form, received } from "../testing/callbacks.ts";
import { FUNDS, lookAt, NOT_BOUGHT, orderCredit } from "../testing/doubts.ts";
import { booksOf, theOrderOf } from "../testing/outcomes.ts";
import { dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { callbackApplier, receiveCallback } from "./callbacks.ts";

const run = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

/** What other tests left unexplained would be a flood of callbacks here. */
beforeAll(async () => {
  await stockShelves();
  await run(sql`update inbox_events set retry_at = null where provider = 'vip-reseller'`);
});

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** When a callback that nothing explains is tried again for the first time after an hour. */
const TRIED_AT = 85 * MINUTE;

/** A customer number of a monthly bill, which nobody here ordered for. */
const newBill = () => `52${newPhone().slice(2)}77`;

const Event = z.object({ id: z.string(), state: z.string(), note: z.string().nullable() });

/** A callback comes, signed; answers with its event. */
async function called(trxid: string, target: string, form: Form = "provider") {
  const one = await callbackOf(trxid, "success", form, "LUNAS", target);
  const { ctx, sent } = contextWithQueues();
  await receiveCallback(ctx, new Headers(one.headers), received(one.body));
  const { batch } = deliver(
    "topup-callbacks",
    sent.map(({ body }) => body),
  );
  await consumeNotices(ctx, batch, [callbackApplier]);
  return await eventOf(trxid);
}

async function eventOf(trxid: string) {
  const found = await testContext().db.run(
    rows(sql`select id, state, note from inbox_events where event_key like ${`${trxid}/%`}`, Event),
  );
  const [event] = found;
  if (!event || found.length > 1) throw new Error(`${found.length} events of ${trxid}`);
  return event;
}

/** The event is tried again so much later; answers with how it stands then, and how often the supplier was asked. */
async function tried(trxid: string, laterMs: number, twist?: (text: string) => string) {
  let asked = 0;
  const counted = (text: string) => {
    asked += 1;
    return twist ? twist(text) : text;
  };
  const { ctx } = bench({ laterMs, timeoutMs: 3_000, twist: counted });
  await replayEvent(ctx, (await eventOf(trxid)).id, [callbackApplier]);
  return { state: (await eventOf(trxid)).state, asked };
}

const OTHERS = "VPOTHER";

/** So many others come; answers with their purchases. */
async function others(many: number): Promise<string[]> {
  const trxids = Array.from({ length: many }, () => `${OTHERS}${newTrxid()}`);
  await run(sql`insert into inbox_events (provider, event_key, body, state, received_at, retry_at)
    select 'vip-reseller', t || '/success', '{"test":"nobodys"}', 'parked', now(), now() + interval '1 day'
    from unnest(${`{${trxids.join(",")}}`}::text[]) t`);
  return trxids;
}

const newTrxid = () => unique("VPX").replace(/[^A-Za-z0-9]/g, "");

describe("a signed callback of a purchase that is none of ours", () => {
  it("holds back what is in doubt until the supplier denies it in each family, and no longer", async () => {
    const { user, order } = await orderCredit({ fault: NOT_BOUGHT });
    await orderCredit({ laterMs: 80 * SECOND });
    const trxid = newTrxid();
    expect(await called(trxid, newBill())).toMatchObject({ state: "parked" });
    const held = [90 * SECOND, 400 * SECOND, HOUR];
    expect(await lookAt(order, held)).toMatchObject({ state: "unknown" });
    expect(await tried(trxid, TRIED_AT)).toEqual({ state: "applied", asked: 3 });
    expect((await eventOf(trxid)).note).toContain("no purchase of a family that is sold here");
    const later = [TRIED_AT + MINUTE, TRIED_AT + 7 * MINUTE];
    expect(await lookAt(order, later)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("is asked about after an hour at the earliest, and waits on while the supplier does not say", async () => {
    const trxid = newTrxid();
    await called(trxid, newBill());
    expect(await tried(trxid, 55 * MINUTE)).toEqual({ state: "parked", asked: 0 });
    for (const answer of [
      "<html>maintenance</html>",
      '{"result":false,"data":null,"message":"Ada pemeliharaan sistem API, coba lagi nanti."}',
    ]) {
      for (const after of [TRIED_AT, 23 * HOUR]) {
        expect(await tried(trxid, after, () => answer)).toMatchObject({ state: "parked" });
      }
    }
    expect(await tried(trxid, TRIED_AT)).toMatchObject({ state: "applied" });
  });

  it.each(["provider", "list"] as const)(
    "waits while the supplier knows it in a family, whatever its lists show (%s)",
    async (form) => {
      const target = newPhone();
      await dial(target, { stay: true, lagMs: 10 * HOUR });
      const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
      const bought = await vipReseller.createPrepaidOrder({
        service: SERVICES.credit.code,
        target,
      });
      if (bought.state !== "accepted") throw new Error("not bought");
      const { trxid } = bought.order;
      await called(trxid, target, form);
      for (const after of [TRIED_AT, 23 * HOUR]) {
        expect(await tried(trxid, after)).toMatchObject({ state: "parked" });
      }
    },
  );

  it("is asked about among a month's bills, not among very many, which somebody may have made up", async () => {
    const trxid = newTrxid();
    await called(trxid, newBill());
    await others(95);
    expect(await tried(trxid, 55 * MINUTE)).toEqual({ state: "parked", asked: 0 });
    await others(6);
    expect(await tried(trxid, TRIED_AT)).toEqual({ state: "parked", asked: 0 });
    await run(sql`update inbox_events set retry_at = null where event_key like ${`${OTHERS}%`}`);
    await others(95);
    expect(await tried(trxid, TRIED_AT)).toEqual({ state: "applied", asked: 3 });
    await run(sql`update inbox_events set retry_at = null where event_key like ${`${OTHERS}%`}`);
  });
});

describe("a signed callback among others that may wait for a day", () => {
  const MANY = 110;

  it("is asked about, where the supplier's lists explain those", async () => {
    const trxid = newTrxid();
    await called(trxid, newBill());
    const bought = await others(MANY);
    await run(sql`insert into topup_supplier_sightings (trxid, family, seen_at)
      select t, 'prepaid', now() from unnest(${`{${bought.join(",")}}`}::text[]) t`);
    expect(await tried(trxid, TRIED_AT)).toEqual({ state: "applied", asked: 3 });
  });

  it("is asked about, where those say one thing again and again", async () => {
    const [trxid, again] = [newTrxid(), newTrxid()];
    await called(trxid, newBill());
    await called(again, newBill());
    await run(sql`insert into inbox_events (provider, event_key, body, state, received_at, retry_at)
      select provider, event_key || n, body, state, received_at, retry_at
      from inbox_events, generate_series(1, ${MANY}) n where event_key like ${`${again}/%`}`);
    expect(await tried(trxid, TRIED_AT)).toEqual({ state: "applied", asked: 3 });
  });
});

describe("a signed callback that may name the purchase of an order in doubt", () => {
  it.each([
    ["as it was ordered", (target: string) => target],
    ["in another spelling", (target: string) => `+62 ${target.slice(1, 5)}-${target.slice(5)}`],
    ["with a name behind it", (target: string) => `${target} / BUDI`],
    ["blacked out", (target: string) => `********${target.slice(-4)}`],
    ["not at all", () => ""],
  ])(
    "holds it back, though the supplier denies it: its target stands there %s",
    async (_, said) => {
      const { order } = await orderCredit({ fault: NOT_BOUGHT });
      await orderCredit({ laterMs: 80 * SECOND });
      const trxid = newTrxid();
      await called(trxid, said(order.target));
      for (const after of [TRIED_AT, 20 * HOUR]) {
        expect(await tried(trxid, after)).toEqual({ state: "parked", asked: 0 });
      }
      await lookAt(order, [90 * SECOND, 20 * HOUR, 20.2 * HOUR]);
      expect(await theOrderOf(order.target)).toMatchObject({ state: "unknown" });
      expect(await tried(trxid, 22.5 * HOUR)).toEqual({ state: "applied", asked: 3 });
      await lookAt(order, [22.6 * HOUR, 22.8 * HOUR]);
      expect(await theOrderOf(order.target)).toMatchObject({ state: "failed" });
    },
  );

  it("holds it back, though another one with the same id is for somebody else", async () => {
    const { order } = await orderCredit({ fault: NOT_BOUGHT });
    await orderCredit({ laterMs: 80 * SECOND });
    const trxid = newTrxid();
    await called(trxid, order.target);
    const { id } = await eventOf(trxid);
    await run(sql`update inbox_events set event_key = ${`${trxid}/z`} where id = ${id}`);
    const forged = await callbackOf(trxid, "success", "provider", "LUNAS", newBill());
    const { ctx, sent } = contextWithQueues();
    await receiveCallback(ctx, new Headers(forged.headers), received(forged.body));
    const bodies = sent.map(({ body }) => body);
    await consumeNotices(
      bench({ laterMs: TRIED_AT, timeoutMs: 3_000 }).ctx,
      deliver("topup-callbacks", bodies).batch,
      [callbackApplier],
    );
    await lookAt(order, [90 * SECOND, 20 * HOUR, 20.2 * HOUR]);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "unknown" });
  });
});
