import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { buyAs, follow, ofUser, only, tell, withId } from "../testing/answers.ts";
import { bench } from "../testing/bench.ts";
import { BOUGHT, FUNDS, NOT_BOUGHT, orderCredit, orderGame } from "../testing/doubts.ts";
import { alertsOf, booksOf, runOrderJob, SILENT_LONG, theOrderOf } from "../testing/outcomes.ts";
import {
  customer,
  dial,
  hand,
  newPhone,
  SERVICES,
  shelve,
  shownName,
  stockShelves,
} from "../testing/shop.ts";
import { settleByHand } from "./by-hand.ts";
import type { Order } from "./order.ts";
import { placeGame } from "./place.ts";
import { processOrder } from "./process.ts";

beforeAll(stockShelves);
afterEach(() => shelve(credit).then(() => undefined));

const { credit, diamonds, fire, token } = SERVICES;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("a number of prepaid goods is its order's, however the supplier writes it", () => {
  const spelled = (target: string, as: string) => (text: string) =>
    text.replaceAll(JSON.stringify(target), as);

  it.each([
    ["with the country code", (number: string) => JSON.stringify(`62${number.slice(1)}`)],
    ["without its zero", (number: string) => JSON.stringify(number.slice(1))],
    ["as a number", (number: string) => String(Number(number))],
  ])("%s, of goods that are for numbers of any kind", async (_, written) => {
    await shelve({ ...credit, targetKind: "customer_number", brand: "DANA" });
    const target = newPhone();
    const twist = spelled(target, written(target));
    const { user } = await buyAs(credit, target, twist);
    expect(await theOrderOf(target)).toMatchObject({ state: "processing" });
    await hand("succeed", await only(target), { note: "SN-1" });
    await follow(MINUTE, twist);
    expect(await theOrderOf(target)).toMatchObject({ state: "success", reviewReason: null });
    expect(await booksOf(user)).toMatchObject({ escrow: 0 });
  });

  it("as a number, of a meter whose first digit is 0", async () => {
    const target = `0${newPhone().slice(2)}`;
    const twist = spelled(target, String(Number(target)));
    await buyAs(token, target, twist);
    expect(await theOrderOf(target)).toMatchObject({ state: "processing" });
  });
});

describe("an answer in the order's own words with the purchase of another", () => {
  async function mixed() {
    const { user, order } = await orderCredit({ fault: BOUGHT });
    const trxid = await only(order.target);
    const other = await buyAs(credit, newPhone(), withId(trxid));
    expect(other.order).toMatchObject({ state: "processing", trxid });
    return { user, order, trxid, other };
  }
  async function lookLong(order: Order): Promise<void> {
    await orderCredit({ laterMs: 2 * MINUTE });
    for (const laterMs of [80_000, 3 * MINUTE, 9 * MINUTE, 15 * MINUTE]) {
      await runOrderJob(order, { laterMs, timeoutMs: 3_000 });
      await follow(laterMs);
    }
  }

  it.each(["is lost", "comes late"])(
    "is a person's, where that one's answer %s: none is paid back",
    async (end) => {
      const { user, order, trxid, other } = await mixed();
      if (end === "comes late")
        await tell(order, trxid, { target: order.target, code: credit.code });
      await hand("succeed", trxid, { note: "SN-1" });
      await lookLong(order);
      expect(await theOrderOf(order.target)).toMatchObject({
        state: "review",
        trxid: null,
        reviewReason: `what may be its purchase was told to another order: ${trxid}`,
      });
      expect(await theOrderOf(other.target)).toMatchObject({ state: "review", sealedSerial: null });
      for (const who of [user, other.user])
        expect(await booksOf(who)).toMatchObject({ escrow: order.amount });
      expect(await alertsOf(order)).toContain("Pesanan perlu diperiksa");
      // He sees whose it is: the other one's own is found by itself.
      const word = { orderId: order.id, as: "success", reason: "dicek", trxid } as const;
      await settleByHand(bench().ctx, word);
      expect(await theOrderOf(other.target)).toMatchObject({ state: "unknown", trxid: null });
      await runOrderJob(other.order, { laterMs: 20 * MINUTE, timeoutMs: 3_000 });
      const own = await only(other.target);
      expect(await theOrderOf(other.target)).toMatchObject({ state: "processing", trxid: own });
    },
  );

  it.each(["refunded", "failed"] as const)(
    "that one has it by itself, where a person ends the other first: %s",
    async (as) => {
      const { order, trxid, other } = await mixed();
      await follow(MINUTE);
      await settleByHand(bench().ctx, {
        orderId: other.order.id,
        as,
        reason: "dicek",
        knownTrxid: trxid,
      });
      expect(await theOrderOf(other.target)).toMatchObject({ state: as, trxid: null });
      await lookLong(order);
      expect(await theOrderOf(order.target)).toMatchObject({ state: "processing", trxid });
      // The other's own was bought as well: the operator hears of it.
      const own = await only(other.target);
      expect(await theOrderOf(other.target)).toMatchObject({
        reviewReason: `bought after all: ${own}`,
      });
    },
  );

  it.each(["a person", "the supplier"])(
    "may be its own until a person ends it, too, though by %s the other one was delivered",
    async (by) => {
      const { order, user } = await orderCredit({ fault: NOT_BOUGHT });
      const { order: other } = await orderCredit();
      const twist = (text: string) => text.replaceAll(other.target, order.target);
      await follow(MINUTE, twist);
      for (const laterMs of SILENT_LONG)
        await runOrderJob(order, { laterMs, timeoutMs: 3_000, twist });
      const word = { as: "success", reason: "dicek" } as const;
      if (by === "a person") await settleByHand(bench().ctx, { orderId: other.id, ...word });
      else {
        await hand("succeed", await only(other.target));
        await follow(7 * HOUR);
      }
      expect(await theOrderOf(other.target)).toMatchObject({ state: "success" });
      await runOrderJob(order, { laterMs: 8 * HOUR, timeoutMs: 3_000, twist });
      expect(await theOrderOf(order.target)).toMatchObject({ state: "review" });
      expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
    },
  );

  it("is not taken from who was tried later by a person's wrong id for who is paid back", async () => {
    const { order } = await orderCredit();
    await follow(MINUTE, (text) => text.replaceAll(order.target, newPhone()));
    expect(await theOrderOf(order.target)).toMatchObject({ state: "review" });
    const laterMs = 3 * MINUTE;
    const { order: late } = await orderCredit({ laterMs, fault: BOUGHT });
    const trxid = await only(late.target);
    const word = { orderId: order.id, as: "refunded", reason: "dicek", trxid } as const;
    await settleByHand(bench({ laterMs: laterMs + MINUTE }).ctx, word);
    await runOrderJob(late, { laterMs: laterMs + 3 * MINUTE, timeoutMs: 3_000 });
    expect(await theOrderOf(late.target)).toMatchObject({ state: "processing", trxid });
  });

  it("two that were told of each other's have their own by a person's word", async () => {
    const { order, trxid, other } = await mixed();
    const own = await only(other.target);
    await tell(order, own, { target: order.target, code: credit.code });
    await follow(MINUTE);
    for (const one of [order, other.order])
      expect(await theOrderOf(one.target)).toMatchObject({ state: "review" });
    const word = { orderId: order.id, as: "success", reason: "dicek", trxid } as const;
    await settleByHand(bench().ctx, word);
    await runOrderJob(other.order, { laterMs: 20 * MINUTE, timeoutMs: 3_000 });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success", trxid });
    expect(await theOrderOf(other.target)).toMatchObject({ state: "processing", trxid: own });
  });

  it.each([
    ["succeed", "review"],
    ["fail", "failed"],
  ] as const)("is a person's where targets are blacked out: %s", async (act, state) => {
    // As many digits are shown as keep other tests' numbers apart (`masked`).
    const blackedOut = (text: string) =>
      text.replaceAll(/"data":"(\d{4})\d{2}(\d{6})"/g, '"data":"$1**$2"');
    const { user, order } = await orderCredit({ fault: BOUGHT });
    const trxid = await only(order.target);
    const withBoth = (text: string) => blackedOut(withId(trxid)(text));
    const other = await buyAs(credit, newPhone(), withBoth);
    expect(other.order).toMatchObject({ state: "processing", trxid });
    await hand(act, trxid);
    await orderCredit({ laterMs: 2 * MINUTE });
    for (const laterMs of [80_000, 3 * MINUTE, 9 * MINUTE, 15 * MINUTE, 6.5 * HOUR]) {
      await follow(laterMs, blackedOut);
      await runOrderJob(order, { laterMs, timeoutMs: 3_000, twist: blackedOut });
    }
    expect(await theOrderOf(order.target)).toMatchObject({ state });
    expect(await theOrderOf(other.target)).toMatchObject({ state: "review", refundedAmount: 0 });
    expect((await booksOf(user)).escrow).toBe(state === "failed" ? 0 : order.amount);
  });

  it("is not paid back by that one's failure, but that one is", async () => {
    const { user, order, trxid, other } = await mixed();
    await hand("fail", trxid);
    await follow(MINUTE);
    expect(await theOrderOf(other.target)).toMatchObject({ state: "review", refundedAmount: 0 });
    await lookLong(order);
    expect(await theOrderOf(other.target)).toMatchObject({ state: "review", refundedAmount: 0 });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });
});

describe("what an answer told of in other words", () => {
  it.each([
    ["target", 10_000],
    ["target", MINUTE],
    ["target", 130_000],
  ])("is nobody's who was tried after that: by its %s, %d ms later", async (_, laterMs) => {
    const other = newPhone();
    const target = newPhone();
    const twist = (text: string) => text.replaceAll(target, other);
    const { user, order } = await buyAs(credit, target, twist);
    const trxid = await only(target);
    expect(order).toMatchObject({ state: "unknown" });
    const late = await orderCredit({ target: other, laterMs, fault: NOT_BOUGHT });
    for (const look of [140_000, ...SILENT_LONG.map((ms) => ms + laterMs)])
      for (const one of [late.order, order])
        await runOrderJob(one, { laterMs: look, timeoutMs: 3_000, twist });
    expect(await theOrderOf(other)).toMatchObject({ state: "failed", trxid: null });
    expect(await booksOf(late.user)).toEqual({ wallet: FUNDS, escrow: 0 });
    expect(await theOrderOf(target)).toMatchObject({ state: "review", trxid });
    expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
  });

  it("is known in a person's letters before any list has it", async () => {
    const target = newPhone();
    const { order } = await buyAs(credit, target, (text) => text.replaceAll(target, newPhone()));
    const trxid = await only(target);
    const word = { orderId: order.id, as: "success", reason: "dicek" } as const;
    const typed = { ...word, trxid: trxid.toLowerCase() };
    await settleByHand(bench({ laterMs: 3 * MINUTE }).ctx, typed);
    expect(await theOrderOf(target)).toMatchObject({ state: "success", trxid });
  });

  it("is a tie of the two that were told of it", async () => {
    const target = newPhone();
    const twist = (text: string) => text.replaceAll('"zone":"os_asia"', '"zone":"os_usa"');
    const user = await customer(FUNDS);
    await dial(target, { stay: true, lose: true });
    const wish = { service: fire.code, gameId: target, zone: "os_asia" };
    const { number: orderNumber } = await placeGame(bench({ actor: user }).ctx, wish);
    const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000, twist });
    const { order } = await processOrder(ctx, { orderNumber });
    await settle();
    const trxid = await only(target);
    const { order: second } = await orderGame(diamonds, {
      target,
      zone: "2001",
      fault: NOT_BOUGHT,
    });
    await tell(second, trxid, { target, service: shownName(fire) });
    expect(await ofUser(second)).toMatchObject({ state: "review", trxid });
    for (const laterMs of [80_000, 6.1 * HOUR, 6.2 * HOUR, 8 * HOUR])
      for (const one of [order, second])
        await runOrderJob(one, { laterMs, timeoutMs: 3_000, twist });
    expect(await ofUser(order)).toMatchObject({
      state: "review",
      trxid: null,
      reviewReason: expect.stringContaining(trxid),
    });
    expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
  });

  it("is a tie of the two for a third number, too: none of them is paid back", async () => {
    const third = newPhone();
    const [one, two] = [newPhone(), newPhone()];
    const twist = (text: string) => text.replaceAll(one, third).replaceAll(two, third);
    const first = await buyAs(credit, one, twist);
    const trxid = await only(one);
    const second = await buyAs(credit, two, (text) => {
      const answer = JSON.parse(text);
      return JSON.stringify({ ...answer, data: { ...answer.data, trxid, data: third } });
    });
    for (const laterMs of [80_000, ...SILENT_LONG])
      for (const { order } of [first, second])
        await runOrderJob(order, { laterMs, timeoutMs: 3_000, twist });
    for (const { target, user } of [first, second]) {
      expect(await theOrderOf(target)).toMatchObject({ state: "review" });
      expect((await booksOf(user)).escrow).toBeGreaterThan(0);
    }
  });
});
