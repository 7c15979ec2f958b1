import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import { unique } from "../../testing/factories.ts";
import {
  buyAs,
  follow,
  forgetCallbacks,
  giveWord,
  lookLong,
  nameByCallback,
  ofUser,
  only,
  tell,
  unlisted,
  withId,
} from "../testing/answers.ts";
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
import { newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { type HandInput, settleByHand } from "./by-hand.ts";
import { latestPurchases } from "./follow.ts";

// What a test bought ahead of the time is newer than the next one's orders no more.
beforeEach(stockShelves);
afterEach(forgetCallbacks);

const { credit, fire } = SERVICES;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const list = async (family: SupplierFamily, laterMs: number, twist = (text: string) => text) => {
  const { ctx, settle: settled } = bench({ laterMs, timeoutMs: 3_000, twist });
  await latestPurchases(ctx, family);
  await settled();
};

/** What the supplier says of this purchase has these words, whatever it is asked for. */
const rowOf = (trxid: string, words: Record<string, unknown>) => (text: string) => {
  const answer = JSON.parse(text);
  for (const row of [answer.data].flat()) if (row?.trxid === trxid) Object.assign(row, words);
  return JSON.stringify(answer);
};

describe("a person's right word of an order that was answered with another's purchase", () => {
  const WORDS = [
    ["success", "with its own id"],
    ["refunded", "with its own id"],
    ["refunded", "without an id"],
  ] as const;

  /** The other one was bought, and its answer lost. */
  async function answered() {
    const { order: owner } = await orderCredit({ fault: BOUGHT });
    const trxid = await only(owner.target);
    const { order } = await buyAs(credit, newPhone(), withId(trxid));
    await follow(MINUTE);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "review" });
    const say = async (as: HandInput["as"], how: string) => {
      const own = how === "without an id" ? {} : { trxid: await only(order.target) };
      return giveWord(order, as, own);
    };
    const look = async (minutes: readonly number[], through: (text: string) => string) => {
      for (const minute of minutes)
        await runOrderJob(owner, { laterMs: minute * MINUTE, timeoutMs: 3_000, twist: through });
    };
    return { owner, trxid, say, look };
  }

  it.each(WORDS)(
    "leaves it to the other one, which lists show by turns: %s, %s",
    async (as, how) => {
      const { owner, trxid, say, look } = await answered();
      await say(as, how);
      await list("prepaid", 2 * MINUTE + 1_000);
      await orderCredit({ laterMs: 3 * MINUTE });
      await look([4, 10, 16], unlisted([trxid]));
      expect(await theOrderOf(owner.target)).toMatchObject({ state: "unknown" });
      await look([17], (text) => text);
      expect(await theOrderOf(owner.target)).toMatchObject({ state: "processing", trxid });
    },
  );

  it.each(WORDS)(
    "leaves it to the other one, where a callback alone names it: %s, %s",
    async (as, how) => {
      const { owner, trxid, say, look } = await answered();
      await say(as, how);
      await nameByCallback(trxid, 2 * MINUTE + 2_000);
      await orderCredit({ laterMs: 3 * MINUTE });
      await look([4, 10, 16], unlisted([trxid]));
      expect(await theOrderOf(owner.target)).toMatchObject({ state: "processing", trxid });
    },
  );

  it("does not hide that its own was bought after all", async () => {
    const { order } = await orderCredit();
    const past = newPhone();
    const trxid = await only(order.target);
    const twist = (text: string) => text.replaceAll(order.target, past);
    await follow(MINUTE, twist);
    await giveWord(order, "refunded");
    const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
    await vipReseller.createPrepaidOrder({ service: credit.code, target: order.target });
    const own = (await purchasesOf(order.target)).find((one) => one.trxid !== trxid)?.trxid;
    await list("prepaid", 3 * MINUTE, rowOf(trxid, { data: past }));
    expect(await theOrderOf(order.target)).toMatchObject({
      state: "refunded",
      reviewReason: `bought after all: ${own}`,
    });
  });

  it.each(["fire", "credit"] as const)(
    "does not bring back what he refused, unless it reads as its own now: %s",
    async (kind) => {
      const target = newPhone();
      const order =
        kind === "fire"
          ? await orderGame(fire, { target, zone: "os_asia" })
          : await orderCredit({ target });
      const trxid = await only(target);
      const twist = rowOf(trxid, kind === "fire" ? { zone: "os_usa" } : { code: "S10NEW" });
      await follow(MINUTE, twist);
      expect(await ofUser(order.order)).toMatchObject({ state: "review", trxid });
      await giveWord(order.order, "refunded");
      const family = kind === "fire" ? "game" : "prepaid";
      await list(family, 3 * MINUTE, twist);
      expect(await ofUser(order.order)).toMatchObject({ state: "refunded", reviewReason: null });
      await list(family, 4 * MINUTE);
      expect(await ofUser(order.order)).toMatchObject({
        state: "refunded",
        reviewReason: `bought after all: ${trxid}`,
      });
    },
  );

  it("tells of what was never asked about, and brings what he refused to no earlier order", async () => {
    const target = newPhone();
    const recoded = (text: string) => text.replaceAll(`"code":"${credit.code}"`, '"code":"S10NEW"');
    const { order } = await buyAs(credit, newPhone(), recoded);
    const trxid = await only(order.target);
    await giveWord(order, "refunded");
    await list("prepaid", 3 * MINUTE, rowOf(trxid, { code: "S10NEW" }));
    const afterAll = { state: "refunded", reviewReason: `bought after all: ${trxid}` };
    expect(await ofUser(order)).toMatchObject(afterAll);

    const { order: first } = await orderCredit({ target, fault: NOT_BOUGHT });
    await lookLong(first);
    const laterMs = 7 * HOUR;
    const { order: second } = await orderCredit({ target, laterMs });
    const refused = rowOf(await only(target), { code: "S10NEW" });
    await follow(laterMs + MINUTE, refused);
    await giveWord(second, "refunded");
    await list("prepaid", laterMs + 3 * MINUTE, refused);
    expect(await ofUser(first)).toMatchObject({ state: "failed", trxid: null });
    expect(await alertsOf(first)).toEqual([]);
  });

  it("tells whose it was, where he said that it was delivered by another", async () => {
    const { order: first } = await orderCredit({ fault: BOUGHT });
    const trxid = await only(first.target);
    const twist = unlisted([trxid]);
    await lookLong(first, twist);
    expect(await ofUser(first)).toMatchObject({ state: "failed" });
    const laterMs = 7 * HOUR;
    const { order } = await orderCredit({ target: first.target, laterMs, fault: BOUGHT });
    await tell(order, trxid, { target: order.target, code: "S10NEW" });
    const own = (await purchasesOf(order.target)).find((one) => one.trxid !== trxid)?.trxid ?? "";
    const neither = unlisted([trxid, own]);
    for (const ms of SILENT_LONG)
      await runOrderJob(order, { laterMs: laterMs + ms, timeoutMs: 3_000, twist: neither });
    expect(await ofUser(order)).toMatchObject({ state: "review" });
    const word = { orderId: order.id, as: "success", reason: "dicek", trxid: own } as const;
    await settleByHand(bench({ laterMs: laterMs + 9 * HOUR }).ctx, word);
    await list("prepaid", laterMs + 10 * HOUR, rowOf(trxid, { code: "S10NEW" }));
    expect(await ofUser(first)).toMatchObject({ reviewReason: `bought after all: ${trxid}` });
  });

  it("gives it not to who was tried later, had nothing, and was paid back before", async () => {
    const other = newPhone();
    const { order } = await orderCredit();
    const twist = (text: string) => text.replaceAll(order.target, other);
    await follow(MINUTE, twist);
    const laterMs = 5 * MINUTE;
    const late = await orderCredit({ target: other, laterMs, fault: NOT_BOUGHT });
    for (const ms of SILENT_LONG)
      await runOrderJob(late.order, { laterMs: laterMs + ms, timeoutMs: 3_000, twist });
    expect(await theOrderOf(other)).toMatchObject({ state: "failed" });
    await giveWord(order, "refunded");
    await list("prepaid", 8 * HOUR, twist);
    expect(await theOrderOf(other)).toMatchObject({ state: "failed", trxid: null });
    expect(await alertsOf(late.order)).toEqual([]);
  });

  it("asks about nobody who is tried after what it was told of was there", async () => {
    const other = newPhone();
    const target = newPhone();
    const twist = (text: string) => text.replaceAll(target, other);
    const { order } = await buyAs(credit, target, twist);
    await lookLong(order, twist);
    expect(await theOrderOf(target)).toMatchObject({ state: "review" });
    const laterMs = 7 * HOUR;
    const late = await orderCredit({ target: other, laterMs, fault: NOT_BOUGHT });
    const word = { orderId: order.id, as: "success", reason: "dicek" } as const;
    await settleByHand(bench({ laterMs: laterMs + 2 * MINUTE }).ctx, word);
    for (const ms of SILENT_LONG)
      await runOrderJob(late.order, { laterMs: laterMs + ms, timeoutMs: 3_000, twist });
    expect(await theOrderOf(other)).toMatchObject({ state: "failed" });
  });

  it.each([
    ["unknown", "refunded", false],
    ["unknown", "refunded", true],
    ["unknown", "success", true],
    ["review", "refunded", false],
    ["review", "refunded", true],
    ["review", "success", true],
  ] as const)(
    "gives it to nobody who is tried later: of one in %s, %s, an id typed: %s",
    async (state, as, isTyped) => {
      const other = newPhone();
      const target = newPhone();
      const twist = (text: string) => text.replaceAll(target, other);
      await buyAs(credit, target, state === "unknown" ? twist : (text) => text);
      await follow(MINUTE, twist);
      const order = await theOrderOf(target);
      expect(order).toMatchObject({ state });
      await giveWord(order, as, isTyped ? { trxid: unique("VPOWN") } : {});
      const laterMs = 3 * MINUTE;
      const late = await orderCredit({ target: other, laterMs, fault: NOT_BOUGHT });
      for (const ms of SILENT_LONG)
        await runOrderJob(late.order, { laterMs: laterMs + ms, timeoutMs: 3_000, twist });
      expect(await theOrderOf(other)).toMatchObject({ state: "failed", trxid: null });
      expect(await booksOf(late.user)).toEqual({ wallet: FUNDS, escrow: 0 });
    },
  );
});

it("a purchase that another's answer named is its order's, where a callback alone tells of it", async () => {
  const { order } = await orderCredit({ fault: BOUGHT });
  const trxid = await only(order.target);
  const target = newPhone();
  await buyAs(credit, target, (text) => withId(trxid)(text).replaceAll(target, order.target));
  await nameByCallback(trxid, 2 * MINUTE + 2_000);
  await orderCredit({ laterMs: 3 * MINUTE });
  for (const minute of [4, 10, 16])
    await runOrderJob(order, {
      laterMs: minute * MINUTE,
      timeoutMs: 3_000,
      twist: unlisted([trxid]),
    });
  expect(await theOrderOf(order.target)).toMatchObject({ state: "processing", trxid });
});
