import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { dayOf } from "../../../shared/http/day.ts";
import { enqueue, runJob } from "../../../shared/jobs/jobs.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import type { SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { jakartaDay } from "../../../shared/time/jakarta.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { type TestUser, unique } from "../../testing/factories.ts";
import { type Desk, openDesk, orderOf, REPORTS, reconcileDay, theirs } from "../testing/days.ts";
import {
  askAbout,
  createReseller,
  fund,
  instagram,
  ordersOf,
  panel,
  stockService,
  vipTwin,
} from "../testing/reseller.ts";
import { reconcileJob } from "./reconcile.ts";
import { reconcileOwed } from "./reports.ts";

let desk: Desk;
let admin: TestUser;
let buyer: TestUser;
let day: string;
let turn = 0;

beforeAll(async () => {
  desk = await openDesk();
  ({ admin, buyer } = desk);
});
beforeEach(() => {
  // A day of its own for each test, in a past that no other test writes to; ids are made to fit it.
  turn += 1;
  day = `2001-02-${String(turn).padStart(2, "0")}`;
});

type Order = Parameters<typeof orderOf>[2];
const ours = (order: Order = {}) => orderOf(desk, day, order);
type Options = Parameters<typeof reconcileDay>[3] & { ofDay?: string };
const reconcile = (listed: SupplierOrder[], { ofDay = day, ...options }: Options = {}) =>
  reconcileDay(desk, ofDay, listed, options);

const mailsOf = async (ofDay: string) =>
  await testContext().db.run(
    rows(
      sql`select payload->'data'->>'what' as what from jobs
        where dedupe_key = ${`mail/alert/alert/topup-reconcile/${ofDay}`}
          or dedupe_key = ${`mail/alert/topup-reconcile/${ofDay}`}`,
      z.object({ what: z.string() }),
    ),
  );

/** The days that cron makes jobs for at that moment, as often as it comes; nobody works on them. */
async function owedAt(moment: string, runs = 1): Promise<string[]> {
  const { ctx, sent } = contextWithQueues();
  const now = () => new Date(moment);
  for (let run = 0; run < runs; run += 1) await reconcileOwed({ ...ctx, now });
  const ids = sent.map(({ body }) => z.object({ id: z.uuid() }).parse(body).id);
  const made = await ctx.db.run(
    rows(
      sql`update jobs set run_at = '2100-01-01' where id = any (${`{${ids.join(",")}}`}::uuid[])
        returning payload->>'day' as day`,
      z.object({ day: z.string() }),
    ),
  );
  return made.map(({ day: owed }) => owed).sort();
}

describe("a day's report", () => {
  it("of orders that agree has no difference and no mail", async () => {
    const all = [await ours(), await ours({ hour: 0 }), await ours({ state: "failed", hour: 23 })];
    const [a, b, c] = all.map(({ trxid }) => trxid);
    const report = await reconcile([
      theirs(a ?? ""),
      theirs(b ?? ""),
      theirs(c ?? "", { status: "error", statusText: "error" }),
    ]);
    expect(report).toMatchObject({
      day,
      orders: 3,
      matched: 3,
      missingThere: [],
      missingHere: [],
      priceDifferences: [],
      stateDifferences: [],
      balance: 1_000_000,
      clean: true,
    });
    expect(await mailsOf(day)).toEqual([]);
  });

  it("of an order whose service was renamed since has no difference", async () => {
    const { trxid } = await ours();
    const report = await reconcile([theirs(trxid, { service: unique("Nama baru ") })]);
    expect(report).toMatchObject({
      ...{ orders: 1, matched: 1, missingThere: [], missingHere: [] },
      ...{ priceDifferences: [], stateDifferences: [] },
    });
  });

  it("names what is missing on either side, other prices and other states, and mails once", async () => {
    const lost = await ours();
    const dear = await ours();
    const raised = await ours({ quoted: 1_900, charged: 2_100 });
    const late = await ours({ state: "processing" });
    const reversed = await ours();
    const doubt = await ours({ state: "unknown", trxid: null });
    const stray = unique("VP");
    const listed = [
      theirs(stray),
      theirs(dear.trxid, { priceIdr: 2_500 }),
      theirs(raised.trxid, { priceIdr: 2_100 }),
      theirs(late.trxid),
      theirs(reversed.trxid, { status: "error", statusText: "error" }),
    ];
    const report = await reconcile(listed);
    expect(report).toMatchObject({ orders: 6, matched: 4, clean: false });
    expect(report.missingThere).toEqual([
      { number: lost.number, trxid: lost.trxid, ours: "success" },
    ]);
    expect(report.missingHere).toEqual([
      { trxid: stray, family: "social", service: "Layanan", status: "success", price: 2_000 },
    ]);
    const byOurs = (a: { ours: number }, b: { ours: number }) => a.ours - b.ours;
    expect(report.priceDifferences.toSorted(byOurs)).toEqual([
      { number: dear.number, trxid: dear.trxid, quoted: 2_000, ours: 2_000, theirs: 2_500 },
      { number: raised.number, trxid: raised.trxid, quoted: 1_900, ours: 2_100, theirs: 2_100 },
    ]);
    expect(report.stateDifferences).toHaveLength(3);
    expect(report.stateDifferences).toContainEqual({
      number: doubt.number,
      trxid: null,
      ours: "unknown",
      theirs: null,
    });
    expect(JSON.stringify(report)).not.toContain("RAHASIA");
    expect(await mailsOf(day)).toHaveLength(1);
    await reconcile(listed);
    expect(await mailsOf(day)).toHaveLength(1);
  });

  it("asks singly for what a list does not show, and tells of a stray purchase once", async () => {
    const { trxid } = await ours();
    const stray = unique("VP");
    const first = await reconcile([theirs(stray)], { asked: [theirs(trxid)] });
    expect(first).toMatchObject({ matched: 1, missingThere: [] });
    expect(first.missingHere).toHaveLength(1);
    const next = `2001-03-${String(turn).padStart(2, "0")}`;
    expect((await reconcile([theirs(stray)], { ofDay: next })).missingHere).toEqual([]);
  });

  it("calls no purchase a stray that may be of an order whose answer is still awaited", async () => {
    const doubt = await ours({ state: "unknown", trxid: null, hour: 23 });
    const stray = unique("VP");
    const listed = [theirs(stray), theirs(unique("VP"), { target: "@lain" })];
    const report = await reconcile(listed);
    expect(report.missingHere).toMatchObject([{ trxid: listed[1]?.trxid }]);
    await testContext().db.run(
      rows(
        sql`update topup_orders set state = 'failed', finished_at = now() where number = ${doubt.number}`,
        z.unknown(),
      ),
    );
    const next = `2001-04-${String(turn).padStart(2, "0")}`;
    expect((await reconcile(listed, { ofDay: next })).missingHere).toMatchObject([
      { trxid: stray },
    ]);
  });

  it("asks first about what is under way here and over there: a word not heard yet is no difference", async () => {
    const { number, trxid } = await ours({ state: "processing" });
    await fund(buyer.userId, 3_000, { kind: "escrow", owner: `topup:${buyer.userId}` });
    const told = [theirs(trxid)];
    const report = await reconcile(told, { asked: told, balance: 998_000 });
    expect(report).toMatchObject({ matched: 1, clean: true });
    const order = (await ordersOf(buyer.userId)).find((one) => one.number === number);
    expect(order?.state).toBe("success");
  });

  it("does not take another target's purchase for ours", async () => {
    const { trxid } = await ours();
    const report = await reconcile([theirs(trxid, { target: "@lain" })]);
    expect(report).toMatchObject({ matched: 0, clean: false });
  });

  it("is asked for by cron once a day, and again by an admin", async () => {
    expect(await owedAt("2009-05-10T18:20:00Z", 3)).toEqual(["2009-05-10"]);
    const again = (path: string) =>
      api(`${REPORTS}/${path}`, { method: "POST", token: admin.token });
    expect(await again("2001-01-01")).toMatchObject({
      status: 200,
      body: { data: { jobId: expect.any(String) } },
    });
    for (const bad of ["2001-02-30", "x", "2999-01-01"]) {
      expect(await again(bad)).toMatchObject({ status: 400, body: failureBody("topup", 400) });
    }
    const none = await api(`${REPORTS}/1999-01-01`, { token: admin.token });
    expect(none).toMatchObject({
      status: 404,
      body: failureBody("topup", 404, "Report not found"),
    });
    expect((await api(REPORTS, { token: admin.token })).body.data.length).toBeGreaterThan(0);
  });

  it("is caught up with by cron when its job failed for good, as long as there is none", async () => {
    const end = (state: string) =>
      testContext().db.run(
        rows(
          sql`update jobs set state = ${state}, finished_at = now()
            where kind = 'topup.reconcile' and state = 'queued' and payload->>'day' like '2011-03-%'`,
          z.unknown(),
        ),
      );
    const { trxid } = await orderOf(desk, "2011-03-10", {});
    const moment = "2011-03-12T18:20:00Z";
    const answers = await Promise.all(Array.from({ length: 5 }, () => owedAt(moment)));
    expect(answers.flat().sort()).toEqual(["2011-03-10", "2011-03-12"]);
    await end("failed");
    expect(await owedAt(moment, 2)).toEqual(["2011-03-10", "2011-03-12"]);
    await reconcile([theirs(trxid)], { ofDay: "2011-03-10" });
    await end("failed");
    expect(await owedAt(moment)).toEqual(["2011-03-12"]);
    await end("cancelled");
    // A month later nobody is bothered with it any more but by an admin.
    await testContext().db.run(
      rows(sql`delete from topup_reconciliations where day = '2011-03-10'`, z.unknown()),
    );
    expect(await owedAt("2011-04-20T18:20:00Z")).toEqual(["2011-04-20"]);
  });

  it("that an admin had made before the day was over is made again by cron, and tells its differences then", async () => {
    const ofDay = "2012-06-10";
    const { trxid } = await orderOf(desk, ofDay, { hour: 9 });
    const noon = new Date(`${ofDay}T12:00:00+07:00`);
    const early = await reconcileDay(desk, ofDay, [], { asked: [], now: noon });
    expect(early).toMatchObject({ clean: false, missingThere: [{ trxid }] });
    expect(await mailsOf(ofDay)).toHaveLength(0);
    const late = await orderOf(desk, ofDay, { hour: 20 });
    expect(await owedAt("2012-06-10T18:20:00Z")).toEqual([ofDay]);
    const whole = await reconcileDay(desk, ofDay, [theirs(trxid)]);
    expect(whole).toMatchObject({ orders: 2, missingThere: [{ trxid: late.trxid }] });
    expect(await mailsOf(ofDay)).toHaveLength(1);
  });

  it.each(["1000-01-01", "1969-12-31", "1999-12-31"])("may be asked for of %s", async (old) => {
    const { start, end } = dayOf(old);
    const page = { start: start.toISOString(), end: end.toISOString(), after: null, limit: 10 };
    const found = await testContext().db.run(call("topup_reconcile_orders", page, z.unknown()));
    expect(found).toMatchObject({ orders: [] });
  });

  it("finds a bought order in the supplier's own list, at its price", async () => {
    const reseller = await createReseller();
    const { number: service } = await stockService("social");
    await panel(reseller.key, { action: "add", service, link: instagram(), quantity: 100 });
    const row = async () => (await ordersOf(reseller.user.userId))[0];
    await expect.poll(async () => (await row())?.trxid).toEqual(expect.any(String));
    const { trxid, number } = (await row()) ?? {};
    await vipTwin(`/_succeed/${trxid}`).catch(() => undefined);
    await askAbout(reseller.user, trxid ?? "");
    expect((await row())?.state).toBe("success");

    const { ctx } = contextWithQueues();
    // The day on which it was paid: midnight may lie between.
    const [paid] = await ctx.db.run(
      rows(
        sql`select paid_at as at from topup_orders where number = ${number}`,
        z.object({ at: z.coerce.date() }),
      ),
    );
    const today = jakartaDay(paid?.at ?? ctx.now());
    const payload = { day: today };
    const job = { kind: "topup.reconcile", queue: "topup", dedupeKey: null, payload } as const;
    const made = await ctx.db.run(enqueue(job));
    // What other tests bought today may come to several portions.
    const portion = (before: string) =>
      rows(
        sql`select id from jobs where dedupe_key = ${`topup.reconcile/${today}/${before}`}`,
        z.object({ id: z.uuid() }),
      );
    let id = made?.id ?? "";
    while (id !== "") {
      expect(await runJob(ctx, id, [reconcileJob])).toBe("success");
      const next: { id: string }[] = await ctx.db.run(portion(id));
      id = next[0]?.id ?? "";
    }
    const report = (await api(`${REPORTS}/${today}`, { token: admin.token })).body.data;
    expect(report.matched).toBeGreaterThan(0);
    expect(JSON.stringify([report.missingThere, report.stateDifferences])).not.toContain(number);
    expect(report.missingHere.map((stray: { trxid: string }) => stray.trxid)).not.toContain(trxid);
    expect(JSON.stringify(report.priceDifferences)).not.toContain(number);
  });
});
