import { beforeAll, describe, expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { bench } from "../testing/bench.ts";
import { BOUGHT, FUNDS, NOT_BOUGHT, orderGame } from "../testing/doubts.ts";
import { endsOf, listedRow, lookOf, ordersAt } from "../testing/histories.ts";
import { booksOf, ordersOf, purchasesOf, runOrderJob } from "../testing/outcomes.ts";
import { masked, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const { diamonds } = SERVICES;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LOOKS = [80_000, 6.1 * HOUR, 6.2 * HOUR, 13 * HOUR];

describe("where the supplier blacks targets out and tells zones", () => {
  /** Looks at all orders for the player, in turn. */
  async function look(target: string) {
    const twist = (text: string) =>
      text.replaceAll(`"data":"${target}"`, `"data":"${masked(target)}"`);
    for (const laterMs of LOOKS)
      for (const order of await ordersOf(target)) await runOrderJob(order, { laterMs, twist });
    const orders = await ordersOf(target);
    return Object.fromEntries(orders.map(({ zone, state, trxid }) => [zone, { state, trxid }]));
  }

  it("a purchase made past us for another zone is not an order's that was lost", async () => {
    const target = newPhone();
    const { user } = await orderGame(diamonds, { target, zone: "2001", fault: NOT_BOUGHT });
    const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
    await vipReseller.createGameOrder({ service: diamonds.code, target, zone: "2002" });
    expect(await look(target)).toEqual({ 2001: { state: "failed", trxid: null } });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it.each([
    ["first", BOUGHT, NOT_BOUGHT],
    ["second", NOT_BOUGHT, BOUGHT],
  ])("two buyers' orders for two zones are no tie: the %s was bought", async (_, one, other) => {
    const target = newPhone();
    await orderGame(diamonds, { target, zone: "2001", fault: one });
    await orderGame(diamonds, { target, zone: "2002", fault: other });
    const [purchase] = await purchasesOf(target);
    const bought = { state: "processing", trxid: purchase?.trxid };
    const lost = { state: "failed", trxid: null };
    expect(await look(target)).toEqual(
      one === BOUGHT ? { 2001: bought, 2002: lost } : { 2001: lost, 2002: bought },
    );
  });
});

describe("two orders for different targets that look the same where they are blacked out, both bought", () => {
  const maskOf = (target: string) => `${target.slice(0, 4)}****${target.slice(-4)}`;
  /** So far apart that nothing of the family is known of the 30 days before; before those of ties.test.ts. */
  let begun = Date.now() + 5 * DAY;

  /** What becomes of them, where the second was tried so long after the first. */
  async function both(apartMs: number, outcomes: readonly string[]) {
    begun += 35 * DAY;
    const at = begun;
    const target = newPhone();
    const middle = String((Number(target.slice(4, -4)) + 1) % 10 ** (target.length - 8));
    const like = `${target.slice(0, 4)}${middle.padStart(target.length - 8, "0")}${target.slice(-4)}`;
    const [before = "", newer = "", ...own] = ["BEFORE", "NEWER", "FIRST", "SECOND"].map(
      (word) => word + crypto.randomUUID(),
    );
    const ids = [
      ...(await ordersAt(at, [
        { afterMs: 0, target },
        { afterMs: -DAY, trxid: before },
        { afterMs: 0.6 * HOUR, trxid: newer },
      ])),
      ...(await ordersAt(at, [{ afterMs: apartMs, target: like }])),
    ];
    const rows = own.map((trxid, n) =>
      listedRow(trxid, { target: maskOf(target), outcome: outcomes[n] }),
    );
    const list = [listedRow(newer), ...rows.toReversed(), listedRow(before)];
    for (const hours of [0.7, 0.8, 0.9, 8, 26])
      for (const id of ids)
        await testContext().db.batch(lookOf(id, at + hours * HOUR, list, { seen: true }));
    return { ends: await Promise.all(ids.map(async (id) => (await endsOf([id]))[0])), own };
  }

  it("have each its own, by the order in which the supplier lists them, where they were tried one after the other", async () => {
    const { ends, own } = await both(10 * MINUTE, ["success", "open"]);
    expect(ends).toEqual(own.map((trxid) => `processing ${trxid}`));
  });

  it("are a person's where they were tried at once: one would get the other's token or refund", async () => {
    const { ends } = await both(10_000, ["success", "open"]);
    expect(ends).toEqual(["review null", "review null"]);
  });

  it("give both their money back where both failed", async () => {
    const { ends } = await both(10_000, ["failed", "cancelled"]);
    expect(ends.map((end) => end?.split(" ")[0])).toEqual(["processing", "processing"]);
  });
});
