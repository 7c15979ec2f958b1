import { beforeAll, describe, expect, it } from "vitest";
import { type TestUser, unique } from "../../testing/factories.ts";
import { bench, type Death, dieAtEveryCall } from "../testing/bench.ts";
import {
  booksOf,
  isLookedAfter,
  movesOf,
  orderOf,
  purchasesOf,
  recover,
  runOrderJob,
  sumOfLedger,
  theOrderOf,
} from "../testing/outcomes.ts";
import { stockService } from "../testing/reseller.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { followOrders } from "./follow.ts";
import { placeGame, placeNumbered, placePrepaid, placeSocial } from "./place.ts";
import { processOrder } from "./process.ts";
import { askAboutOrder } from "./read.ts";

const FUNDS = 100_000;
const { credit, diamonds, likes } = SERVICES;
let panelNumber = 0;
beforeAll(async () => {
  panelNumber = (await stockService("prepaid")).number;
  await stockShelves();
});

/** What the supplier does with the first order for a target. */
const ANSWERS = {
  "takes it": {},
  "refuses it": { say: { value: "Layanan tidak ditemukan.", count: 1 } },
  "takes it and says nothing": { down: { value: true, acts: true, count: 1 } },
  "does not hear of it": { down: { value: true, count: 1 } },
  "has no turn for it": {
    say: { value: "Transaksi dibatasi, coba lagi dalam 6 detik.", count: 1 },
  },
};

/**
 * The promise of the whole module: what the supplier sold is what is paid and not refunded, and the wallet, the escrow
 * and the ledger say the same. What is in between is looked after by itself.
 */
async function expectOneOrNothing(user: TestUser, target: string, fromMs = 0): Promise<void> {
  const left = await orderOf(target);
  if (left && ["queued", "buying", "unknown"].includes(left.state)) {
    expect(await isLookedAfter(left)).toBe(true);
  }
  await recover(target, fromMs);
  const order = await orderOf(target);
  const purchases = await purchasesOf(target);
  const { wallet, escrow } = await booksOf(user);
  const isPaid = order !== null && order.state === "processing";
  expect(purchases).toHaveLength(isPaid ? 1 : 0);
  if (isPaid) {
    expect([order.trxid, wallet, escrow]).toEqual([
      purchases[0]?.trxid,
      FUNDS - order.amount,
      order.amount,
    ]);
  } else {
    expect([wallet, escrow]).toEqual([FUNDS, 0]);
    if (order) expect(order).toMatchObject({ state: "failed", refundedAmount: order.amount });
  }
  expect(await sumOfLedger()).toBe(0);
}

interface Buyer {
  user: TestUser;
  target: string;
}

/** What was bought is delivered, and ends the orders for these targets: nothing is left in escrow. */
async function deliver(buyers: Buyer[]): Promise<void> {
  const all = await Promise.all(
    buyers.map(async (one) => ({ ...one, order: await orderOf(one.target) })),
  );
  const sold = all.flatMap(({ user, order }) =>
    order?.state === "processing" ? [{ user, order }] : [],
  );
  for (const { order } of sold) await hand("succeed", order.trxid ?? "");
  const { ctx, settle } = bench({ laterMs: 86_400_000, timeoutMs: 5_000 });
  await followOrders(ctx);
  await settle();
  for (const { user, order } of sold) {
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: 0 });
  }
}

/** A buyer who has nothing yet, and a target that nobody else has. */
async function newBuyer(answer: object, target = newPhone()) {
  await dial(target, { stay: true, ...answer });
  return { user: await customer(FUNDS), target };
}

describe("an order whose process is killed, at whichever call", () => {
  it.each(Object.entries(ANSWERS))(
    "is bought once or refunded once when the supplier %s",
    async (_what, answer) => {
      const buyers: Buyer[] = [];
      const calls = await dieAtEveryCall(async (death) => {
        const { user, target } = await newBuyer(answer);
        buyers.push({ user, target });
        const { ctx, killed, settle, steps } = bench({ actor: user, ...death });
        const placing = placePrepaid(ctx, { service: credit.code, phoneNumber: target });
        await Promise.race([placing.catch(() => null), killed]);
        await settle();
        await expectOneOrNothing(user, target);
        return steps() > death.killAt;
      });
      expect(calls).toBeGreaterThanOrEqual(3);
      await deliver(buyers);
    },
  );

  const ways: [
    string,
    (death: Death) => Promise<{ user: TestUser; target: string; died: boolean }>,
  ][] = [
    ["of a social service", (death) => buySocial(death)],
    ["through the panel dialect", (death) => buyByNumber(death)],
    ["that is processed", (death) => buyGame(death)],
  ];

  it.each(ways)("%s, is bought once, refunded once or still to be paid", async (_what, buy) => {
    const buyers: Buyer[] = [];
    const calls = await dieAtEveryCall(async (death) => {
      const { user, target, died } = await buy(death);
      buyers.push({ user, target });
      const order = await orderOf(target);
      if (order?.state === "pending") {
        expect([death, await purchasesOf(target)]).toEqual([{ killAt: 0, kill: "before" }, []]);
        expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
      } else {
        await expectOneOrNothing(user, target);
      }
      return died;
    });
    expect(calls).toBeGreaterThanOrEqual(3);
    await deliver(buyers);
  });

  async function buySocial(death: Death) {
    const { user, target } = await newBuyer({}, unique("@m").toLowerCase());
    const { ctx, killed, settle, steps } = bench({ actor: user, ...death });
    const input = { service: likes.code, target, quantity: 1_000 };
    await Promise.race([placeSocial(ctx, input), killed]);
    await settle();
    return { user, target, died: steps() > death.killAt };
  }

  async function buyByNumber(death: Death) {
    const { user, target } = await newBuyer({});
    const { ctx, killed, settle, steps } = bench({ actor: user, ...death });
    const goods = { prepaid: { target }, game: { target }, social: { target } };
    const input = { service: panelNumber, goods, quantity: null };
    await Promise.race([placeNumbered(ctx, input), killed]);
    await settle();
    return { user, target, died: steps() > death.killAt };
  }

  async function buyGame(death: Death) {
    const { user, target } = await newBuyer({});
    const input = { service: diamonds.code, gameId: target, zone: "2611" };
    const { number: orderNumber } = await placeGame(bench({ actor: user }).ctx, input);
    const { ctx, killed, settle, steps } = bench({ actor: user, ...death });
    await Promise.race([processOrder(ctx, { orderNumber }), killed]);
    await settle();
    return { user, target, died: steps() > death.killAt };
  }

  it.each([
    ["bought", ANSWERS["takes it and says nothing"]],
    ["not bought", ANSWERS["does not hear of it"]],
    ["waiting for its turn", ANSWERS["has no turn for it"]],
  ])("and its recovery too (it was %s), is bought once or refunded once", async (_what, answer) => {
    const buyers: Buyer[] = [];
    const calls = await dieAtEveryCall(async (death) => {
      const { user, target } = await newBuyer(answer);
      buyers.push({ user, target });
      const { ctx, settle } = bench({ actor: user });
      await placePrepaid(ctx, { service: credit.code, phoneNumber: target });
      await settle();
      const order = await theOrderOf(target);
      const laterMs = 80_000;
      const outcome = await runOrderJob(order, { laterMs, ...death });
      await expectOneOrNothing(user, target, laterMs);
      return outcome === "killed";
    });
    expect(calls).toBeGreaterThanOrEqual(3);
    await deliver(buyers);
  });
});

describe("an order under way", () => {
  const lookers: [string, (trxid: string, user: TestUser, death: Death) => Promise<boolean>][] = [
    ["while cron follows it", (_trxid, _user, death) => follow(death)],
    ["while its owner asks", (trxid, user, death) => ask(trxid, user, death)],
  ];
  const ends = (["succeed", "fail"] as const).flatMap((end) =>
    lookers.map(([when, look]) => [when, end, look] as const),
  );

  it.each(ends)("is settled once when the process is killed %s (%s)", async (_when, end, look) => {
    await dieAtEveryCall(async (death) => {
      const { user, target } = await newBuyer({});
      const { ctx, settle } = bench({ actor: user });
      await placePrepaid(ctx, { service: credit.code, phoneNumber: target });
      await settle();
      const { trxid, amount } = await theOrderOf(target);
      await hand(end, trxid ?? "");
      const died = await look(trxid ?? "", user, death);
      const next = bench({ laterMs: 7_200_000 });
      await followOrders(next.ctx);
      await next.settle();
      const done = await theOrderOf(target);
      const isSold = end === "succeed";
      expect(done.state).toBe(isSold ? "success" : "failed");
      expect(await booksOf(user)).toEqual({ wallet: FUNDS - (isSold ? amount : 0), escrow: 0 });
      const moves = await movesOf(done);
      expect(moves).toMatchObject({ "topup-paid": amount });
      expect(moves["topup-refund"]).toBe(isSold ? undefined : amount);
      expect(await sumOfLedger()).toBe(0);
      return died;
    });
  });

  async function follow(death: Death): Promise<boolean> {
    const dying = bench({ laterMs: 60_000, ...death });
    await Promise.race([followOrders(dying.ctx), dying.killed]);
    await dying.settle();
    return dying.steps() > death.killAt;
  }

  async function ask(trxid: string, actor: TestUser, death: Death): Promise<boolean> {
    const dying = bench({ actor, laterMs: 60_000, ...death });
    await Promise.race([askAboutOrder(dying.ctx, { trxid }), dying.killed]);
    await dying.settle();
    return dying.steps() > death.killAt;
  }
});
