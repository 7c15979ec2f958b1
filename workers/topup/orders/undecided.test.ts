import { sql } from "drizzle-orm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { bench, dieAtEveryCall } from "../testing/bench.ts";
import { ORDERS, post, reason } from "../testing/desk.ts";
import { BOUGHT, FUNDS, lookAt, NOT_BOUGHT, orderCredit } from "../testing/doubts.ts";
import {
  alertsOf,
  booksOf,
  isLookedAfter,
  movesOf,
  purchasesOf,
  runOrderJob,
  theOrderOf,
} from "../testing/outcomes.ts";
import { vipTwin } from "../testing/reseller.ts";
import { newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { watchForLatePurchases } from "./foreign.ts";
import type { Order } from "./order.ts";

beforeAll(stockShelves);
afterEach(() => lists({}));

const { credit } = SERVICES;
const HOUR = 3_600_000;
/** Never as much as three hours apart, for more than a day. */
const DAY_OF_LOOKS = Array.from({ length: 10 }, (_, n) => (2.7 * n + 0.03) * HOUR);
const AFTER_A_DAY = 25 * HOUR;
const DOWN = () => "<html>down</html>";
const NOTHING = () => JSON.stringify({ result: true, data: [], message: "" });

/** What the supplier does with lists of phone credit. */
const lists = (dials: Record<string, unknown>) =>
  vipTwin("/_dials", { path: "/api/prepaid", ...dials }, "PUT");

/** Lists show the latest three, whatever is asked for: none reaches back to the order any more. */
async function hide(): Promise<void> {
  for (let later = 0; later < 4; later += 1) await orderCredit({ laterMs: 80_000 + later });
  await lists({ mostListed: 3 });
}

const run = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

const listed = async (admin: { token: string }, { number }: Order) => {
  const { body } = await api(`${ORDERS}?state=review&search=${number}`, { token: admin.token });
  return body.data.orders;
};

/** The supplier was away, and after that its lists do not reach back to the order for more than a day. */
async function neverReached(fault: Record<string, unknown>) {
  const { user, order } = await orderCredit({ fault });
  await lookAt(order, [80_000, 0.5 * HOUR], DOWN);
  await hide();
  await lookAt(order, DAY_OF_LOOKS);
  const trxid = (await purchasesOf(order.target))[0]?.trxid ?? null;
  return { user, order: await theOrderOf(order.target), trxid };
}

describe("an order to which no list of the supplier reaches back", () => {
  it.each([
    ["was bought", BOUGHT],
    ["was not bought", NOT_BOUGHT],
  ])(
    "and which %s is a person's after a day, with that reason, and no money moves",
    async (_, fault) => {
      const { user, order } = await neverReached(fault);
      expect(order).toMatchObject({
        state: "unknown",
        wireState: "PROCESSING",
        trxid: null,
        reviewReason: expect.stringContaining("no list of the supplier goes back to the attempt"),
      });
      expect(await listed(await createUser(["admin"]), order)).toMatchObject([{ id: order.id }]);
      expect((await alertsOf(order)).sort()).toEqual([
        "Riwayat penyedia diam selama 1 hari",
        "Riwayat penyedia diam selama sejam",
      ]);
      expect(await isLookedAfter(order)).toBe(true);
      expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
      expect(Object.keys(await movesOf(order))).toEqual(["topup-paid"]);
    },
  );

  it("is asked of nobody any more once a list shows its purchase", async () => {
    const { order, trxid } = await neverReached(BOUGHT);
    await lists({});
    const found = await lookAt(order, [28 * HOUR]);
    expect(found).toMatchObject({ state: "processing", trxid, reviewReason: null });
    expect(await listed(await createUser(["admin"]), order)).toEqual([]);
  });

  it("is refunded by itself once lists that do say nothing of it", async () => {
    const { user, order } = await neverReached(NOT_BOUGHT);
    await lists({});
    const ended = await lookAt(order, [28 * HOUR, 28.1 * HOUR]);
    expect(ended).toMatchObject({ state: "failed", reviewReason: null });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("is told of once a day, however often its reason changes", async () => {
    const { order } = await orderCredit({ fault: BOUGHT });
    await hide();
    await lookAt(order, [AFTER_A_DAY]);
    const short = await lookAt(order, [AFTER_A_DAY + HOUR], DOWN);
    expect(short.reviewReason).toContain("no list of the supplier goes back");
    await lookAt(order, [AFTER_A_DAY + 2 * HOUR], NOTHING);
    const again = await lookAt(order, [AFTER_A_DAY + 3 * HOUR]);
    expect(again.reviewReason).toContain("no list of the supplier goes back");
    expect(await alertsOf(order)).toEqual(["Riwayat penyedia diam selama 1 hari"]);
    await lookAt(order, [AFTER_A_DAY + 24 * HOUR]);
    expect(await alertsOf(order)).toContain("Riwayat penyedia diam selama 2 hari");
  });

  it("is ended once by a person, whoever looks at that moment; what shows later moves nothing", async () => {
    const { user, order, trxid } = await neverReached(BOUGHT);
    const admin = await createUser(["admin"]);
    const word = { as: "refunded", reason };
    const looks = [1, 2, 3].map(() => runOrderJob(order, { laterMs: 28 * HOUR }));
    const [said] = await Promise.all([post(admin, `${ORDERS}/${order.id}/settle`, word), ...looks]);
    expect(said).toMatchObject({ status: 200 });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "refunded", trxid: null });

    await lists({});
    const hours = Math.ceil(Date.now() / HOUR) + 30;
    const onTheHour = new Date(hours * HOUR);
    await run(
      sql`update topup_orders set finished_at = ${onTheHour.toISOString()} where id = ${order.id}`,
    );
    const { ctx } = bench({ timeoutMs: 3_000 });
    await watchForLatePurchases({ ...ctx, now: () => onTheHour });
    const late = { state: "refunded", trxid, reviewReason: `bought after all: ${trxid}` };
    expect(await theOrderOf(order.target)).toMatchObject(late);
    expect(await alertsOf(order)).toContain("Pembelian muncul setelah dana dikembalikan");
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
    expect(Object.keys(await movesOf(order)).sort()).toEqual(["topup-paid", "topup-refund"]);
  });

  it("is a person's though each process that looks dies at another call", async () => {
    const { user, order } = await orderCredit({ fault: BOUGHT });
    await hide();
    await lookAt(order, [80_000]);
    const calls = await dieAtEveryCall(async ({ killAt, kill }) => {
      const died = await runOrderJob(order, { laterMs: AFTER_A_DAY, killAt, kill });
      return died === "killed";
    });
    expect(calls).toBeGreaterThan(4);
    expect(await theOrderOf(order.target)).toMatchObject({
      state: "unknown",
      reviewReason: expect.stringContaining("goes back"),
    });
    expect(await alertsOf(order)).toEqual(["Riwayat penyedia diam selama 1 hari"]);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
  });
});

it("what the supplier's balance hints at is told with the reason", async () => {
  const { order } = await orderCredit({ fault: BOUGHT });
  const lacking = -order.supplierAmount;
  await run(sql`insert into topup_reconciliations (day, orders, matched, missing_there, missing_here, price_differences,
      state_differences, expected_balance, balance, balance_at, clean)
    values ('1999-01-01', 0, 0, '[]', '[]', '[]', '[]', 5000000, ${5_000_000 + lacking},
      ${order.attemptUntil?.toISOString()}::timestamptz + interval '1 ms', false)`);
  const asked = await lookAt(order, [AFTER_A_DAY], DOWN);
  await run(sql`delete from topup_reconciliations where day = '1999-01-01'`);
  const hint = `1999-01-01 finds the supplier's balance ${-lacking} below the books, this order costs ${-lacking}`;
  expect(asked.reviewReason).toContain(hint);
});

describe("an order in doubt is a person's after a day", () => {
  it.each([
    ["in which the supplier did not answer", BOUGHT, DOWN, "has not answered"],
    [
      "of lists that show nothing that is known",
      BOUGHT,
      NOTHING,
      "show nothing of what was bought",
    ],
    [
      "of lists of which a row cannot be read",
      NOT_BOUGHT,
      (text: string) => text.replace(/"trxid":"\w+"/, '"trxid":null'),
      "cannot be read",
    ],
  ])("%s, and not before", async (_, fault, twist, words) => {
    const { order } = await orderCredit({ fault });
    for (let known = 0; known < 2; known += 1) await orderCredit({ laterMs: 80_000 + known });
    const waiting = await lookAt(order, [80_000, 23.9 * HOUR], twist);
    expect(waiting).toMatchObject({ state: "unknown", reviewReason: null });
    const asked = await lookAt(order, [AFTER_A_DAY], twist);
    expect(asked).toMatchObject({
      state: "unknown",
      reviewReason: expect.stringContaining(words),
    });
  });
});

it("an order that has been in doubt for a day is no rival of a new one for the same target", async () => {
  const target = newPhone();
  const { order: stuck } = await orderCredit({ target, fault: NOT_BOUGHT });
  await hide();
  for (const laterMs of DAY_OF_LOOKS) await runOrderJob(stuck, { laterMs });
  const later = await orderCredit({ target, fault: BOUGHT, laterMs: 26 * HOUR });
  await lists({});
  await runOrderJob(later.order, { laterMs: 26 * HOUR + 80_000 });
  const bought = (await purchasesOf(target)).at(-1);
  const found = await run(sql`select state, trxid from topup_orders where id = ${later.order.id}`);
  expect(found).toEqual([{ state: "processing", trxid: bought?.trxid }]);
  await run(sql`update topup_orders set bought_at = null where id = ${later.order.id}`);
});
