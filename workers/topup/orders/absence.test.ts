import { beforeAll, describe, expect, it } from "vitest";
import { bench } from "../testing/bench.ts";
import {
  alertsOf,
  booksOf,
  orderOf,
  purchasesOf,
  runOrderJob,
  theOrderOf,
} from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import type { Order } from "./order.ts";
import { placePrepaid } from "./place.ts";

beforeAll(stockShelves);

const FUNDS = 100_000;
const { credit } = SERVICES;

async function buy(phoneNumber: string, dials: Record<string, unknown>) {
  const user = await customer(FUNDS);
  await dial(phoneNumber, { stay: true, ...dials });
  const { ctx, settle } = bench({ actor: user, timeoutMs: dials.timeOut ? 150 : 3_000 });
  await placePrepaid(ctx, { service: credit.code, phoneNumber });
  await settle();
  return { user, order: await theOrderOf(phoneNumber) };
}

/** An order that was bought, and whose answer was lost. */
const lose = (phone: string) => buy(phone, { timeOut: { value: true, count: 1 } });

const HOUR_MS = 3_600_000;
/** Looks that would be enough were the list whole. */
const LOOKS = [80_000, 450_000, 3 * HOUR_MS, 6.1 * HOUR_MS];
/** Less than three hours apart, until a day of them is over. */
const DAY_OF_LOOKS = Array.from({ length: 10 }, (_, n) => (2.7 * n + 0.03) * HOUR_MS);

async function lookInDoubt(order: Order, moments: number[], twist: (text: string) => string) {
  for (const laterMs of moments) {
    await runOrderJob(order, { laterMs, twist });
    expect(await orderOf(order.target)).toMatchObject({ state: "unknown" });
  }
}

describe("an order that was bought, and whose answer was lost, is not refunded", () => {
  it.each([
    ["an empty history", { result: true, data: [], message: "" }],
    ["no history", { result: false, data: null, message: "Transaksi tidak ditemukan." }],
  ])("while the supplier shows %s, though purchases are known", async (_, answer) => {
    const phone = newPhone();
    for (const known of [newPhone(), newPhone()]) await buy(known, {});
    const { user, order } = await lose(phone);
    await lookInDoubt(order, [...LOOKS, ...DAY_OF_LOOKS, 49 * HOUR_MS], () =>
      JSON.stringify(answer),
    );
    expect((await alertsOf(order)).sort()).toEqual([
      "Riwayat penyedia diam selama 1 hari",
      "Riwayat penyedia diam selama 2 hari",
      "Riwayat penyedia diam selama sejam",
    ]);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
    await runOrderJob(order, { laterMs: 50 * HOUR_MS });
    const [purchase] = await purchasesOf(phone);
    expect(await theOrderOf(phone)).toMatchObject({ state: "processing", trxid: purchase?.trxid });
  });

  it("while the supplier shows only what was bought after it", async () => {
    const phone = newPhone();
    const { user, order } = await lose(phone);
    for (let later = 0; later < 11; later += 1) await buy(newPhone(), {});
    await lookInDoubt(order, LOOKS, (text) => {
      const answer = JSON.parse(text);
      return JSON.stringify({ ...answer, data: answer.data.slice(0, 10) });
    });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - credit.price, escrow: credit.price });
  });
});

describe("an order that was not bought is in doubt for as long as lists", () => {
  const notBought = (phone: string) => buy(phone, { refuse: { value: 503, count: 1 } });
  /** The supplier's list of `limit` rows at most, without some. */
  const listed = (keep: (row: { trxid: string }, n: number) => boolean) => (text: string) => {
    const answer = JSON.parse(text);
    if (Array.isArray(answer.data)) answer.data = answer.data.filter(keep);
    return JSON.stringify(answer);
  };

  it.each([
    [
      "lack a purchase that is known",
      async () => {
        const { order } = await buy(newPhone(), {});
        return listed(({ trxid }) => trxid !== order.trxid);
      },
      "lack purchases that are known",
    ],
    [
      "do not go back to it",
      async () => {
        for (let later = 0; later < 4; later += 1) await buy(newPhone(), {});
        return listed((_, n) => n < 3);
      },
      "goes back to the attempt",
    ],
    [
      "have a row that cannot be read",
      async () => {
        const { order } = await buy(newPhone(), {});
        return (text: string) => text.replaceAll(`"trxid":"${order.trxid}"`, '"trxid":null');
      },
      "cannot be read",
    ],
  ])("%s, and refunded once they are whole", async (_, twisted, words) => {
    const { user, order } = await notBought(newPhone());
    await buy(newPhone(), {});
    const twist = await twisted();
    await buy(newPhone(), {});
    await lookInDoubt(order, DAY_OF_LOOKS, twist);
    const { reviewReason } = await theOrderOf(order.target);
    expect(reviewReason).toContain(words);
    await lookInDoubt(order, [25 * HOUR_MS], (text) => text);
    await runOrderJob(order, { laterMs: 31.1 * HOUR_MS });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "failed", reviewReason: null });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("cannot be asked for, which is tried again in minutes", async () => {
    const { order } = await notBought(newPhone());
    const away = await runOrderJob(order, {
      laterMs: 2.7 * HOUR_MS,
      twist: () => "<html>down</html>",
    });
    if (away === "killed" || away.state !== "unknown") throw new Error("not in doubt");
    expect(away.askAfterMs).toBeLessThan(11 * 60_000);
  });
});
