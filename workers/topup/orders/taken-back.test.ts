import { beforeAll, describe, expect, it } from "vitest";
import type { TestUser } from "../../testing/factories.ts";
import { follow } from "../testing/answers.ts";
import { bench } from "../testing/bench.ts";
import { FUNDS, orderCredit } from "../testing/doubts.ts";
import { alertsOf, booksOf, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { placeSocial } from "./place.ts";

beforeAll(stockShelves);

const { credit, likes } = SERVICES;
const MINUTE = 60_000;

describe("a word that makes a purchase a person's, of which the next one says otherwise", () => {
  const settled = async (user: TestUser, target: string) => ({
    ...(await booksOf(user)),
    alerts: await alertsOf(await theOrderOf(target)),
  });

  it("of another target: it is delivered", async () => {
    const { user, order } = await orderCredit();
    await follow(MINUTE, (text) => text.replaceAll(order.target, newPhone()));
    expect(await theOrderOf(order.target)).toMatchObject({ state: "review" });
    await hand("succeed", order.trxid ?? "");
    await follow(2 * MINUTE);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success", reviewReason: null });
    expect(await settled(user, order.target)).toEqual({
      wallet: FUNDS - credit.price,
      escrow: 0,
      alerts: ["Pesanan perlu diperiksa"],
    });
  });

  it("of copies that tell by turns: the operator hears of it once, and another's token is nobody's", async () => {
    const { order } = await orderCredit();
    const others = newPhone();
    const wrong = (text: string) =>
      text
        .replaceAll(order.target, others)
        .replaceAll('"status":"waiting"', '"status":"success"')
        .replaceAll('"note":""', '"note":"1111-2222-3333-4444"');
    for (const [minute, twist] of [wrong, undefined, wrong, undefined].entries())
      await follow((minute + 1) * MINUTE, twist);
    const found = await theOrderOf(order.target);
    expect(found).toMatchObject({ state: "processing", sealedSerial: null });
    expect(await alertsOf(order)).toEqual(["Pesanan perlu diperiksa"]);
  });

  it("of a part, without the remainder, after what was still to come: what was not delivered is paid back", async () => {
    const target = `toko${newPhone()}`;
    await dial(target, { stay: true, lose: true });
    const user = await customer(FUNDS);
    const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000 });
    const { amount } = await placeSocial(ctx, { service: likes.code, target, quantity: 1_000 });
    await settle();
    const { trxid } = await theOrderOf(target);
    const remaining = (text: string) => text.replaceAll(/"remain":(\d+|null)/g, '"remain":1000');
    await follow(30_000, remaining);
    expect(await theOrderOf(target)).toMatchObject({ state: "processing", remain: 1_000 });
    await hand("partial", trxid ?? "", { remain: 400 });
    const untold = (text: string) => text.replaceAll(/"remain":\d+/g, '"remain":null');
    for (const minute of [1, 2]) await follow(minute * MINUTE, untold);
    expect(await theOrderOf(target)).toMatchObject({ state: "review" });
    await follow(3 * MINUTE);
    const refundedAmount = Math.ceil((amount * 400) / 1_000);
    expect(await theOrderOf(target)).toMatchObject({
      state: "partial",
      remain: 400,
      refundedAmount,
    });
    expect(await settled(user, target)).toEqual({
      wallet: FUNDS - amount + refundedAmount,
      escrow: 0,
      alerts: ["Pesanan perlu diperiksa"],
    });
  });
});
