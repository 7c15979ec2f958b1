import { beforeAll, describe, expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { follow, ofUser, only, tell } from "../testing/answers.ts";
import { bench } from "../testing/bench.ts";
import { BOUGHT, FUNDS, NOT_BOUGHT, orderCredit, orderGame } from "../testing/doubts.ts";
import {
  booksOf,
  ordersOf,
  purchasesOf,
  recover,
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
import { type HandInput, settleByHand } from "./by-hand.ts";
import type { Order } from "./order.ts";
import { placePrepaid } from "./place.ts";
import { openSerial } from "./purchase.ts";

beforeAll(stockShelves);

const { credit } = SERVICES;

async function buy(phoneNumber: string, dials: Record<string, unknown>, timeoutMs: number) {
  const user = await customer(FUNDS);
  await dial(phoneNumber, { stay: true, ...dials });
  const { ctx, settle } = bench({ actor: user, timeoutMs });
  await placePrepaid(ctx, { service: credit.code, phoneNumber }).catch(() => null);
  await settle();
  return user;
}

describe("a person's word that an order was delivered", () => {
  it.each([
    ["success", {}],
    ["partial", { remain: 1 }],
  ] as const)("(%s) names its purchase, where the system knows none", async (as, more) => {
    const phone = newPhone();
    const user = await buy(phone, { timeOut: { value: true, count: 1 } }, 150);
    const { id: orderId, amount } = await theOrderOf(phone);
    const { ctx } = bench();
    const word = { orderId, as, reason: "kata penyedia", ...more };
    await expect(settleByHand(ctx, word)).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("trxid: is required"),
    });
    expect(await booksOf(user)).toMatchObject({ escrow: amount });
    const [purchase] = await purchasesOf(phone);
    const named = { ...word, trxid: purchase?.trxid };
    expect(await settleByHand(ctx, named)).toMatchObject({ state: as, trxid: purchase?.trxid });
  });

  it("gives one purchase to one order, whoever names it for another at the same moment", async () => {
    const phones = Array.from({ length: 4 }, newPhone);
    for (const phone of phones) await buy(phone, { timeOut: { value: true, count: 1 } }, 150);
    const orders = await Promise.all(phones.map(theOrderOf));
    const trxid = (await purchasesOf(orders[0]?.target ?? ""))[0]?.trxid;
    const told = await Promise.allSettled(
      orders.map(({ id: orderId }) => {
        const { ctx } = bench({ laterMs: 80_000 });
        return settleByHand(ctx, { orderId, as: "success", reason: "kata penyedia", trxid });
      }),
    );
    const refusals = told.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refusals.map(({ code, message }) => [code, message])).toEqual(
      Array(3).fill(["conflict", "This purchase belongs to another order"]),
    );
  });

  it("keeps that purchase from the next buyer of the same number who is in doubt", async () => {
    const phone = newPhone();
    await buy(phone, { timeOut: { value: true, count: 1 } }, 150);
    const { id: orderId } = await theOrderOf(phone);
    const [purchase] = await purchasesOf(phone);
    const word = {
      orderId,
      as: "success",
      reason: "kata penyedia",
      trxid: purchase?.trxid,
    } as const;
    await settleByHand(bench().ctx, word);
    const next = await buy(phone, { refuse: { value: 503, count: 1 } }, 3_000);
    await recover(phone);
    const [, order] = await ordersOf(phone);
    expect(order).toMatchObject({ state: "failed", trxid: null });
    expect(await booksOf(next)).toEqual({ wallet: FUNDS, escrow: 0 });
    expect(await purchasesOf(phone)).toHaveLength(1);
  });
});

describe("a person's word about an order's purchase", () => {
  const { diamonds, fire, token } = SERVICES;
  const MINUTE = 60_000;
  const settle = (
    order: Order,
    as: "success" | "refunded" | "failed",
    more: Partial<HandInput> = {},
  ) => settleByHand(bench().ctx, { orderId: order.id, as, reason: "kata penyedia", ...more });

  /** A meter's token is bought; the supplier has since said these words of it, and a person that it was delivered. */
  async function deliveredByHand(words: (text: string) => string) {
    const user = await customer(FUNDS);
    const target = `1${newPhone()}`.slice(0, 11);
    await dial(target, { stay: true });
    const { ctx, settle: settled } = bench({ actor: user, timeoutMs: 3_000 });
    await placePrepaid(ctx, { service: token.code, phoneNumber: target });
    await settled();
    await follow(MINUTE, words);
    const order = await theOrderOf(target);
    await settle(order, "success");
    const shown = async () => await openSerial(testContext(), await theOrderOf(target));
    return { order, shown };
  }

  it.each([
    [
      "a note under a word that it is not there yet",
      (text: string) => text.replaceAll('"note":""', '"note":"Pesanan sedang diproses"'),
    ],
    [
      "a token of another meter",
      (text: string) =>
        text
          .replaceAll(/"data":"1\d{10}"/g, '"data":"19876543210"')
          .replaceAll('"status":"waiting","note":""', '"status":"success","note":"9999-8888"'),
    ],
  ])("does not make its token of %s: that is still to come", async (_, words) => {
    const { order, shown } = await deliveredByHand(words);
    expect(await shown()).toBeNull();
    await hand("succeed", order.trxid ?? "", { note: "1111-2222-3333" });
    await follow(3 * MINUTE);
    expect(await shown()).toBe("1111-2222-3333");
  });

  /** A player's order for which his other one's purchase was answered, while a person asks about it. */
  async function lent() {
    const target = newPhone();
    const { order: owner } = await orderGame(fire, { target, fault: BOUGHT });
    const trxid = await only(target);
    const { order } = await orderGame(diamonds, { target, zone: "2001", fault: BOUGHT });
    await tell(order, trxid, { target, service: shownName(fire) });
    expect(await ofUser(order)).toMatchObject({ state: "review", trxid });
    return { owner, order, trxid };
  }

  it.each(["success", "refunded"] as const)(
    "(%s) is not carried out once it is not that purchase's any more",
    async (as) => {
      const { owner, order, trxid } = await lent();
      await runOrderJob(owner, { laterMs: 80_000, timeoutMs: 3_000 });
      expect(await ofUser(order)).toMatchObject({ state: "unknown", trxid: null });
      const conflict = { code: "conflict", message: expect.stringContaining("ask again") };
      await expect(settle(order, as, { knownTrxid: trxid })).rejects.toMatchObject(conflict);
      await runOrderJob(order, { laterMs: 90_000, timeoutMs: 3_000 });
      const own = await ofUser(order);
      expect(own).toMatchObject({ state: "processing", trxid: expect.not.stringMatching(trxid) });
      await expect(settle(order, as, { knownTrxid: trxid })).rejects.toMatchObject(conflict);
      await settle(order, as, { knownTrxid: own?.trxid ?? "" });
      expect(await ofUser(order)).toMatchObject({ state: as });
    },
  );

  it("gives it to its order from one that was only told of it, which is in doubt again", async () => {
    const { owner, order, trxid } = await lent();
    await settle(owner, "success", { trxid });
    expect(await ofUser(owner)).toMatchObject({ state: "success", trxid });
    expect(await ofUser(order)).toMatchObject({
      state: "unknown",
      trxid: null,
      reviewReason: null,
    });
  });

  it("(another) brings neither the token nor the charge of what was thought to be it", async () => {
    const user = await customer(FUNDS);
    const target = newPhone();
    await dial(target, { stay: true });
    const { ctx, settle: settled } = bench({ actor: user, timeoutMs: 3_000 });
    await placePrepaid(ctx, { service: credit.code, phoneNumber: target });
    await settled();
    const trxid = await only(target);
    await hand("succeed", trxid, { note: "TOKEN-1" });
    await follow(MINUTE, (text) => text.replaceAll(`"code":"${credit.code}"`, '"code":"S25"'));
    const order = await theOrderOf(target);
    expect(order).toMatchObject({ state: "review", trxid });
    const own = unique("VPOWN");
    await settle(order, "success", { trxid: own });
    const ended = await theOrderOf(target);
    expect(ended).toMatchObject({ trxid: own, sealedSerial: null, chargedAmount: null });
  });

  it("does not give it away from an order that was bought by it, whatever that one waits for", async () => {
    const { order } = await orderCredit();
    await follow(MINUTE, (text) => text.replaceAll('"status":"waiting"', '"status":"partial"'));
    const { trxid } = await theOrderOf(order.target);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "review" });
    const { order: other } = await orderCredit({ fault: NOT_BOUGHT });
    await expect(settle(other, "success", { trxid: trxid ?? "" })).rejects.toMatchObject({
      code: "conflict",
      message: "This purchase belongs to another order",
    });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "review", trxid });
  });

  it("gives it so too where that one was paid back, and leaves that one be", async () => {
    const { owner, order, trxid } = await lent();
    await settle(order, "refunded");
    await settle(owner, "success", { trxid });
    expect(await ofUser(owner)).toMatchObject({ state: "success", trxid });
    expect(await ofUser(order)).toMatchObject({ state: "refunded", trxid: null });
  });

  it.each([
    ["small letters", (trxid: string) => trxid.toLowerCase()],
    ["blanks around it", (trxid: string) => ` ${trxid} `],
  ])("knows it in %s: no other order has it as well", async (_, typed) => {
    const target = newPhone();
    const first = await orderCredit({ target, fault: BOUGHT });
    const second = await orderCredit({ target, fault: NOT_BOUGHT });
    const trxid = await only(target);
    for (const laterMs of SILENT_LONG)
      for (const { order } of [first, second])
        await runOrderJob(order, { laterMs, timeoutMs: 3_000 });
    await settle(first.order, "success", { trxid: typed(trxid) });
    expect(await ofUser(first.order)).toMatchObject({ state: "success", trxid });
    await runOrderJob(second.order, { laterMs: 7 * 60 * MINUTE, timeoutMs: 3_000 });
    expect(await ofUser(second.order)).toMatchObject({ state: "failed", trxid: null });
    expect(await booksOf(second.user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });
});
