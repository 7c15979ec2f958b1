import { beforeAll, describe, expect, it } from "vitest";
import { follow, ofUser, only, type Twist, tell } from "../testing/answers.ts";
import { bench } from "../testing/bench.ts";
import { BOUGHT, FUNDS, NOT_BOUGHT, orderCredit, orderGame } from "../testing/doubts.ts";
import {
  alertsOf,
  booksOf,
  purchasesOf,
  runOrderJob,
  SILENT_LONG,
  theOrderOf,
} from "../testing/outcomes.ts";
import {
  customer,
  dial,
  hand,
  newPhone,
  SERVICES,
  shownName,
  stockShelves,
} from "../testing/shop.ts";
import { settleByHand } from "./by-hand.ts";
import type { Order } from "./order.ts";
import { placeGame, placePrepaid } from "./place.ts";
import { processOrder } from "./process.ts";

beforeAll(stockShelves);

const { credit, diamonds, fire } = SERVICES;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Credit that is bought, where the supplier's words of it read so. */
async function buyAs(twist: (target: string) => Twist) {
  const user = await customer(FUNDS);
  const target = newPhone();
  await dial(target, { stay: true });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000, twist: twist(target) });
  await placePrepaid(ctx, { service: credit.code, phoneNumber: target });
  await settle();
  return { user, target, order: await theOrderOf(target) };
}

describe("two buyers' orders of which the supplier answers one with the purchase of the other", () => {
  /** As one that reads its account's latest row. */
  const answering = (trxid: string, target: string) => () => (text: string) => {
    const answer = JSON.parse(text);
    return JSON.stringify({ ...answer, data: { ...answer.data, trxid, data: target } });
  };

  /** Looks until silence is believed, beside one more sale. */
  async function lookAtBoth(...targets: string[]): Promise<Order[]> {
    await orderCredit({ laterMs: 2 * MINUTE });
    for (const laterMs of [80_000, 3 * MINUTE, 9 * MINUTE]) {
      for (const target of targets)
        await runOrderJob(await theOrderOf(target), { laterMs, timeoutMs: 3_000 });
      await follow(laterMs);
    }
    return await Promise.all(targets.map(theOrderOf));
  }

  it.each(["lost", "late"])("have their own, where the other's answer is %s", async (end) => {
    const { user, order } = await orderCredit({ fault: BOUGHT });
    const trxid = await only(order.target);
    const other = await buyAs(answering(trxid, order.target));
    const own = await only(other.target);
    expect(other.order).toMatchObject({ state: "unknown", trxid: null });
    if (end === "late") await tell(order, trxid, { target: order.target, code: credit.code });
    for (const id of [trxid, own]) await hand("succeed", id);
    expect(await lookAtBoth(other.target, order.target)).toMatchObject([
      { state: "success", trxid: own },
      { state: "success", trxid },
    ]);
    for (const who of [user, other.user])
      expect(await booksOf(who)).toEqual({ wallet: FUNDS - credit.price, escrow: 0 });
    for (const one of [order, other.order]) expect(await alertsOf(one)).toEqual([]);
  });

  it("have one his purchase and one his money, where what was answered so was not bought", async () => {
    const { order } = await orderCredit({ fault: BOUGHT });
    const trxid = await only(order.target);
    const lost = await orderCredit({ fault: NOT_BOUGHT });
    await tell(lost.order, trxid, { target: order.target, code: credit.code });
    expect(await lookAtBoth(lost.order.target, order.target)).toMatchObject([
      { state: "failed", trxid: null },
      { state: "processing", trxid },
    ]);
    expect(await booksOf(lost.user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it.each([
    ["the history", false],
    ["an answer that comes late", true],
  ])("for one player, whose names differ: %s gives it to whose it is", async (_, isLate) => {
    const target = newPhone();
    const { user, order } = await orderGame(fire, { target, fault: BOUGHT });
    const trxid = await only(target);
    const { order: lost } = await orderGame(diamonds, { target, zone: "2001", fault: NOT_BOUGHT });
    await tell(lost, trxid, { target, service: shownName(fire) });
    expect(await ofUser(lost)).toMatchObject({ state: "review", trxid });
    if (isLate) await tell(order, trxid, { target, service: shownName(fire) });
    else await runOrderJob(order, { laterMs: 80_000, timeoutMs: 3_000 });
    expect(await ofUser(order)).toMatchObject({ state: "processing", trxid });
    expect(await ofUser(lost)).toMatchObject({ state: "unknown", trxid: null, reviewReason: null });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - fire.price, escrow: fire.price });
  });
});

describe("what an order was told of in an answer, and is another service's for the same player", () => {
  /** It waits for a person with it. */
  async function lender() {
    const target = newPhone();
    const { order: owner } = await orderGame(fire, { target, fault: BOUGHT });
    const trxid = await only(target);
    const { order } = await orderGame(diamonds, { target, zone: "2001", fault: NOT_BOUGHT });
    await tell(order, trxid, { target, service: shownName(fire) });
    expect(await ofUser(order)).toMatchObject({ state: "review", trxid });
    return { target, owner, trxid, order };
  }

  it.each([
    ["in the history", NOT_BOUGHT, "failed"],
    ["by an answer with its id", BOUGHT, "processing"],
  ])("is no order's that was tried later: %s", async (_, fault, state) => {
    const { target, owner, trxid, order } = await lender();
    await settleByHand(bench().ctx, { orderId: owner.id, as: "refunded", reason: "uji" });
    const later = await orderGame(fire, { target, fault, laterMs: HOUR });
    if (fault === BOUGHT) await tell(later.order, trxid, { target, service: shownName(fire) });
    for (const ms of SILENT_LONG)
      await runOrderJob(later.order, { laterMs: HOUR + ms, timeoutMs: 3_000 });
    const own = (await purchasesOf(target)).map((purchase) => purchase.trxid).at(-1);
    expect(await ofUser(later.order)).toMatchObject({
      state,
      trxid: state === "failed" ? null : own,
    });
    expect(own === trxid).toBe(fault === NOT_BOUGHT);
    expect(await ofUser(order)).toMatchObject({ state: "review", trxid });
  });

  it("is its owner's also where a person has paid that order back before anybody looked", async () => {
    const { owner, trxid, order } = await lender();
    await settleByHand(bench().ctx, { orderId: order.id, as: "failed", reason: "uji" });
    await runOrderJob(owner, { laterMs: 80_000, timeoutMs: 3_000 });
    expect(await ofUser(owner)).toMatchObject({ state: "processing", trxid });
    expect(await ofUser(order)).toMatchObject({ state: "failed", trxid: null });
  });
});

describe("an order whose purchase is another target's in each word of the supplier's", () => {
  /** As it was answered, and as a list reads then. */
  async function misread() {
    const others = newPhone();
    const wrongly = (target: string) => (text: string) => text.replaceAll(target, others);
    const one = await buyAs(wrongly);
    expect(one.order).toMatchObject({ state: "unknown", trxid: null });
    const twist = wrongly(one.target);
    for (const laterMs of SILENT_LONG) await runOrderJob(one.order, { laterMs, twist });
    return { ...one, trxid: await only(one.target), twist };
  }

  it("waits for a person with its money, once nothing in the history is its own", async () => {
    const { user, target, trxid, twist } = await misread();
    const order = await theOrderOf(target);
    expect(order).toMatchObject({ state: "review", trxid });
    expect(order.reviewReason).toContain("for another target");
    expect(await alertsOf(order)).toEqual(["Pesanan perlu diperiksa"]);
    await hand("succeed", trxid, { note: "1111-2222-3333-4444-5555" });
    await follow(8 * HOUR, twist);
    expect(await theOrderOf(target)).toMatchObject({ state: "review", sealedSerial: null });
    expect(await booksOf(user)).toMatchObject({ escrow: credit.price });
  });

  it("has its money back once the supplier gives it back", async () => {
    const { user, target, trxid, twist } = await misread();
    await dial(target, { lose: true });
    await hand("fail", trxid);
    await follow(8 * HOUR, twist);
    expect(await theOrderOf(target)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("goes on by itself once they are of what was ordered", async () => {
    const { user, target, trxid } = await misread();
    await hand("succeed", trxid);
    await follow(8 * HOUR);
    expect(await theOrderOf(target)).toMatchObject({ state: "success", trxid, reviewReason: null });
    expect(await booksOf(user)).toMatchObject({ escrow: 0 });
  });

  it("is refunded where that purchase had failed by then", async () => {
    const others = newPhone();
    const { user, target, order } = await buyAs((own) => (text) => text.replaceAll(own, others));
    await dial(target, { lose: true });
    await hand("fail", await only(target));
    const twist = (text: string) => text.replaceAll(target, others);
    for (const laterMs of SILENT_LONG) await runOrderJob(order, { laterMs, twist });
    expect(await theOrderOf(target)).toMatchObject({ state: "failed", trxid: null });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });
});

it.each([
  ["zone", `"zone":"os_usa"`],
  ["service", `"zone":"os_asia","code":"FF9999"`],
])(
  "a player's order whose purchase is of another %s in each word is a person's",
  async (_, shown) => {
    const target = newPhone();
    const user = await customer(FUNDS);
    await dial(target, { stay: true });
    const wish = { service: fire.code, gameId: target, zone: "os_asia" };
    const { number: orderNumber } = await placeGame(bench({ actor: user }).ctx, wish);
    const twist = (text: string) => text.replaceAll(`"zone":"os_asia"`, shown);
    const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000, twist });
    await processOrder(ctx, { orderNumber });
    await settle();
    const order = await theOrderOf(target);
    for (const laterMs of SILENT_LONG) await runOrderJob(order, { laterMs, twist });
    expect(await theOrderOf(target)).toMatchObject({ state: "review", trxid: await only(target) });
    expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
  },
);
