import { beforeAll, describe, expect, it } from "vitest";
import { createUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { ORDERS, post, reason } from "../testing/desk.ts";
import { BOUGHT, FUNDS, lookAt, NOT_BOUGHT, orderCredit } from "../testing/doubts.ts";
import {
  alertsOf,
  booksOf,
  isLookedAfter,
  movesOf,
  ordersOf,
  purchasesOf,
  runOrderJob,
  theOrderOf,
} from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { settleByHand } from "./by-hand.ts";
import { followOrders } from "./follow.ts";
import type { Order } from "./order.ts";
import { placePrepaid } from "./place.ts";

beforeAll(stockShelves);

const HOUR = 3_600_000;
const LOOKS = [80_000, 6.1 * HOUR, 8.5 * HOUR];
const LATER = 10 * HOUR;
const { credit } = SERVICES;

/** A purchase past us, of what these orders are for. */
async function buyPastUs(target: string): Promise<void> {
  const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
  await vipReseller.createPrepaidOrder({ service: credit.code, target });
}

async function lookAtAll(target: string, moments: readonly number[]): Promise<Order[]> {
  for (const laterMs of moments)
    for (const order of await ordersOf(target)) await runOrderJob(order, { laterMs });
  return await ordersOf(target);
}

/** An order that waits for a person: of two purchases that fit it, one was delivered and one failed. */
async function tiedByRows() {
  const { user, order } = await orderCredit({ fault: BOUGHT });
  await buyPastUs(order.target);
  const [first = "", second = ""] = (await purchasesOf(order.target)).map(({ trxid }) => trxid);
  await hand("succeed", first);
  await hand("fail", second);
  expect(await lookAt(order, LOOKS)).toMatchObject({ state: "review" });
  return { user, order, first, second };
}

/** Two buyers' orders that wait for a person: there is one purchase for them. */
async function tiedByOrders() {
  const target = newPhone();
  const [one, other] = [
    await orderCredit({ target, fault: BOUGHT }),
    await orderCredit({ target, fault: NOT_BOUGHT }),
  ];
  const tied = await lookAtAll(target, LOOKS);
  expect(tied.map(({ state }) => state)).toEqual(["review", "review"]);
  return { target, one, other };
}

describe("a tie that waits for a person", () => {
  it("names the purchases, and is asked about as before", async () => {
    const { order, first, second } = await tiedByRows();
    const { reviewReason } = await theOrderOf(order.target);
    for (const trxid of [first, second]) expect(reviewReason).toContain(trxid);
    expect(await isLookedAfter(order)).toBe(true);
    expect(await runOrderJob(order, { laterMs: LATER })).toMatchObject({ state: "unknown" });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "review", reviewReason });
    expect(await alertsOf(order)).toEqual(["Pesanan perlu diperiksa"]);
  });

  it("is none any more once its purchases end alike", async () => {
    const { order, first, second } = await tiedByRows();
    await hand("succeed", second, { force: true });
    const found = await lookAt(order, [LATER]);
    expect(found).toMatchObject({ state: "processing", reviewReason: null });
    expect([first, second]).toContain(found.trxid);
  });

  it("stays one while a list lacks one of its purchases", async () => {
    const { user, order, first } = await tiedByRows();
    const withoutIt = (text: string) => {
      const answer = JSON.parse(text);
      if (!Array.isArray(answer.data)) return text;
      const data = answer.data.filter((row: { trxid: string }) => row.trxid !== first);
      return JSON.stringify({ ...answer, data });
    };
    const looks = [LATER, LATER + HOUR, LATER + 8 * HOUR];
    expect(await lookAt(order, looks, withoutIt)).toMatchObject({ state: "review" });
    expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
  });

  it("stays one while lists do not go back to it, are empty, or are not told", async () => {
    const { order, second } = await tiedByRows();
    await hand("succeed", second, { force: true });
    const empty = () => JSON.stringify({ result: true, data: [], message: "" });
    for (const twist of [empty, () => "<html>down</html>"])
      expect(await lookAt(order, [LATER, LATER + 8 * HOUR], twist)).toMatchObject({
        state: "review",
      });
  });

  it("of two orders for one purchase ends when the missing one shows: each has its own", async () => {
    const { target } = await tiedByOrders();
    await buyPastUs(target);
    const found = await lookAtAll(target, [LATER]);
    expect(found.map(({ state }) => state)).toEqual(["processing", "processing"]);
    const bought = (await purchasesOf(target)).map(({ trxid }) => trxid);
    expect(found.map(({ trxid }) => trxid).sort()).toEqual(bought.sort());
  });

  it("of two orders for one purchase ends when that one fails: both buyers have their money", async () => {
    const { target, one, other } = await tiedByOrders();
    await hand("fail", (await purchasesOf(target))[0]?.trxid ?? "");
    await lookAtAll(target, [LATER]);
    const { ctx, settle } = bench({ laterMs: LATER + HOUR, timeoutMs: 3_000 });
    await followOrders(ctx);
    await settle();
    for (const { user } of [one, other])
      expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it.each([
    ["refunded", {}, "processing"],
    ["success", { named: true }, "failed"],
  ])(
    "is settled for the one order by a person's word %s about the other",
    async (as, more, state) => {
      const { target, one, other } = await tiedByOrders();
      const trxid = (await purchasesOf(target))[0]?.trxid;
      const admin = await createUser(["admin"]);
      const word = { as, reason, ...("named" in more ? { trxid } : {}) };
      const said = await post(admin, `${ORDERS}/${one.order.id}/settle`, word);
      expect(said).toMatchObject({ status: 200 });
      const found = (await lookAtAll(target, [LATER])).find(({ id }) => id === other.order.id);
      expect(found).toMatchObject({ state, trxid: state === "failed" ? null : trxid });
      const moves = Object.keys(await movesOf(other.order)).sort();
      expect(moves).toEqual(state === "failed" ? ["topup-paid", "topup-refund"] : ["topup-paid"]);
    },
  );

  it("ends once, whoever looks and whatever a person says at that moment", async () => {
    const { user, order, first, second } = await tiedByRows();
    await hand("succeed", second, { force: true });
    const admin = await createUser(["admin"]);
    const looks = [1, 2, 3, 4].map(() => runOrderJob(order, { laterMs: LATER }));
    const word = { as: "refunded", reason };
    const [said] = await Promise.all([post(admin, `${ORDERS}/${order.id}/settle`, word), ...looks]);
    const { state, trxid } = await theOrderOf(order.target);
    const moves = Object.keys(await movesOf(order)).sort();
    if (said.status === 200) {
      expect(said.body.data).toMatchObject({ state: "done", outcome: "refunded" });
      expect(state).toBe("refunded");
      expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
      expect(moves).toEqual(["topup-paid", "topup-refund"]);
    } else {
      // A look came between his question and its answer: what it found is not paid back unseen.
      expect(said).toMatchObject({
        status: 409,
        body: { message: expect.stringContaining(`${trxid}`) },
      });
      expect([first, second]).toContain(trxid);
      expect(state).toBe("processing");
      expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: order.amount });
      expect(moves).toEqual(["topup-paid"]);
    }
  });
});

describe("other goods than were ordered, about which a person is asked", () => {
  async function otherGoods() {
    const { user, order } = await orderCredit();
    expect(order.state).toBe("processing");
    const { ctx, settle } = bench({
      laterMs: 60_000,
      timeoutMs: 3_000,
      twist: (text) => text.replaceAll(order.target, "081200000000"),
    });
    await followOrders(ctx);
    await settle();
    expect(await theOrderOf(order.target)).toMatchObject({ state: "review" });
    return { user, order, trxid: order.trxid ?? "" };
  }
  const wrong = (order: Order) => (text: string) => text.replaceAll(order.target, "081200000000");

  it("are paid back once the supplier pays them back", async () => {
    const { user, order, trxid } = await otherGoods();
    await dial(order.target, { lose: true });
    await hand("fail", trxid);
    const { ctx, settle } = bench({
      laterMs: 2 * HOUR,
      timeoutMs: 3_000,
      twist: wrong(order),
    });
    await Promise.all([followOrders(ctx), followOrders(ctx)]);
    await settle();
    expect(await theOrderOf(order.target)).toMatchObject({ state: "failed", reviewReason: null });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("show their buyer no token where the answer named them, and go by the purchase that the person names", async () => {
    const [target, others] = [newPhone(), newPhone()];
    for (const number of [target, others]) await dial(number, { stay: true, lose: true });
    await buyPastUs(others);
    const trxid = (await purchasesOf(others))[0]?.trxid ?? "";
    const user = await customer(FUNDS);
    // What is its own no list shows.
    const twist = (text: string) => {
      const answer = JSON.parse(text.replaceAll(target, others));
      const data = Array.isArray(answer.data)
        ? answer.data.filter(
            (row: { trxid: string; data: string }) => row.data !== others || row.trxid === trxid,
          )
        : { ...answer.data, trxid };
      return JSON.stringify({ ...answer, data });
    };
    const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000, twist });
    await placePrepaid(ctx, { service: credit.code, phoneNumber: target });
    await settle();
    await lookAt(await theOrderOf(target), LOOKS, twist);
    await hand("succeed", trxid, { note: "1111-2222-3333-4444-5555" });
    const later = bench({ laterMs: LATER, timeoutMs: 3_000, twist });
    await followOrders(later.ctx);
    await later.settle();
    const order = await theOrderOf(target);
    expect(order).toMatchObject({ state: "review", sealedSerial: null, trxid });
    const [own] = await purchasesOf(target);
    const word = { orderId: order.id, as: "success", reason: "kata penyedia" } as const;
    const settled = await settleByHand(bench().ctx, { ...word, trxid: own?.trxid });
    expect(settled).toMatchObject({ state: "success", sealedSerial: null, trxid: own?.trxid });
  });

  it("stay a person's while they are not, with their reason", async () => {
    const { user, order, trxid } = await otherGoods();
    const { reviewReason } = await theOrderOf(order.target);
    await hand("succeed", trxid);
    for (const hours of [2, 30]) {
      const laterMs = hours * HOUR;
      const { ctx, settle } = bench({ laterMs, timeoutMs: 3_000, twist: wrong(order) });
      await followOrders(ctx);
      await settle();
    }
    expect(await theOrderOf(order.target)).toMatchObject({ state: "review", reviewReason });
    expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
    expect(await alertsOf(order)).toEqual(["Pesanan perlu diperiksa"]);
  });
});
