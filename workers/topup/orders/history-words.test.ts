import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { BOUGHT, lookAt, orderCredit, orderGame, shelveNamesake } from "../testing/doubts.ts";
import {
  alertsOf,
  booksOf,
  movesOf,
  ordersOf,
  purchasesOf,
  runOrderJob,
  theOrderOf,
} from "../testing/outcomes.ts";
import {
  hand,
  masked,
  newPhone,
  SERVICES,
  shelve,
  shownName,
  stockShelves,
  type TestService,
} from "../testing/shop.ts";
import { callbackApplier } from "./callbacks.ts";
import type { Order } from "./order.ts";
import { askAboutOrder } from "./read.ts";

const { fire, diamonds } = SERVICES;
const other = { ...fire, code: "FF-OTHER", name: "Free Fire Lain", supplierPrice: 777_000 };
let namesake: TestService;

beforeAll(async () => {
  await stockShelves();
  namesake = await shelveNamesake();
  await shelve({ ...other, price: 888_000 });
});
afterAll(async () => {
  await shelve(namesake, { status: "gone" });
  await shelve({ ...other, price: 888_000 }, { status: "gone" });
});

const HOURS = 3_600_000;
const SURE = [80_000, 150_000, 220_000];

const run = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));
const instead = (from: string, to: string) => (text: string) => text.replaceAll(from, to);
const stateOf = async (target: string) => (await theOrderOf(target)).state;

/** The order after its purchase was delivered and its buyer asked. */
async function followed(
  actor: TestUser,
  { number, target }: Order,
  twist: (text: string) => string,
) {
  const [purchase] = await purchasesOf(target);
  await hand("succeed", purchase?.trxid ?? "");
  const { ctx } = bench({ actor, twist, timeoutMs: 3_000 });
  await askAboutOrder(ctx, { number });
  return await theOrderOf(target);
}

describe("an order that was bought is not refunded where the history", () => {
  it.each([
    ["writes its zone in other letters", "os_asia", `"zone":"os_asia"`, `"zone":"OS_ASIA"`],
    ["writes its name with other blanks", "", "Free Fire - 70", "Free  fire  -  70"],
  ])("%s: it is found", async (_, zone, from, to) => {
    const { order } = await orderGame(fire, { zone, fault: BOUGHT });
    const found = await lookAt(order, SURE, instead(from, to));
    expect(found.state).toBe("processing");
  });

  it.each([
    ["calls its zone otherwise", fire, "os_asia", () => instead(`"os_asia"`, `"Asia"`)],
    [
      "gives it another's name",
      fire,
      "",
      () => instead(`"${shownName(fire)}"`, `"${shownName(other)}"`),
    ],
    [
      "has it at its namesake's price",
      diamonds,
      "2001",
      () => instead(`"price":${diamonds.supplierPrice}`, `"price":${namesake.supplierPrice}`),
    ],
    [
      "has it at nobody's price",
      diamonds,
      "2001",
      () => instead(`"price":${diamonds.supplierPrice}`, `"price":${diamonds.supplierPrice + 321}`),
    ],
  ])(
    "%s: the next price list may tell, then it is nobody else's",
    async (_, service, zone, twisted) => {
      const { user, order } = await orderGame(service, { zone, fault: BOUGHT });
      const twist = twisted();
      expect((await lookAt(order, SURE, twist)).state).toBe("unknown");
      const [purchase] = await purchasesOf(order.target);
      const found = await lookAt(order, [2.5 * HOURS, 6.1 * HOURS], twist);
      expect(found).toMatchObject({ state: "processing", trxid: purchase?.trxid });
      expect(await alertsOf(order)).toContain("Pembelian yang tertulis lain diambil untuk pesanan");
      expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
      expect(await followed(user, order, twist)).toMatchObject({ state: "success" });
    },
  );

  it.each([
    ["blacks its target out", masked],
    ["also writes a name beside it", (target: string) => `${masked(target)} / BUDI`],
    ["also has two country codes", (target: string) => `+62 62${masked(target)}`],
  ])("%s: it goes on as it is told", async (_, shown) => {
    const { user, order } = await orderCredit({ fault: BOUGHT });
    const twist = instead(`"data":"${order.target}"`, `"data":"${shown(order.target)}"`);
    expect(await lookAt(order, [...SURE, 6.1 * HOURS], twist)).toMatchObject({
      state: "processing",
    });
    expect(await followed(user, order, twist)).toMatchObject({ state: "success" });
  });

  it("has it at an absurd price: it goes on, and the charge is booked by nobody", async () => {
    const { user, order } = await orderGame(fire, { fault: BOUGHT });
    const price = 100 * fire.supplierPrice;
    const twist = instead(`"price":${fire.supplierPrice}`, `"price":${price}`);
    expect(await lookAt(order, SURE, twist)).toMatchObject({
      state: "processing",
      chargedAmount: null,
    });
    await shelve(fire);
    expect(await alertsOf(order)).toEqual(["Harga pembelian tidak masuk akal"]);
    expect(await followed(user, order, twist)).toMatchObject({ state: "success" });
    expect(await movesOf(order)).toMatchObject({ "topup-cost": fire.supplierPrice });
  });
});

it("two buyers' orders are no tie while one of their purchases may still come", async () => {
  const phone = newPhone();
  for (const _buyer of [1, 2]) await orderCredit({ target: phone, fault: BOUGHT });
  const late = (await purchasesOf(phone)).at(-1)?.trxid;
  const twist = (text: string) => {
    const answer = JSON.parse(text);
    const data = answer.data.filter(({ trxid }: { trxid: string }) => trxid !== late);
    return JSON.stringify({ ...answer, data });
  };
  const orders = await ordersOf(phone);
  for (const order of orders) await runOrderJob(order, { laterMs: 5_000, twist });
  for (const order of orders) await runOrderJob(order, { laterMs: 80_000 });
  const states = (await ordersOf(phone)).map(({ state }) => state);
  expect(states).toEqual(["processing", "processing"]);
});

describe("a purchase under way is the order's", () => {
  const abroad = (phone: string) => instead(`"data":"${phone}"`, `"data":"62${phone.slice(1)}"`);
  async function oldOrder() {
    const { user: actor, order } = await orderCredit();
    const { target: phone } = order;
    await run(sql`update topup_orders set target_kind = null where target = ${phone}`);
    return { actor, phone, order };
  }

  it("for a callback about an order from before kinds of targets were kept", async () => {
    const { phone, order } = await oldOrder();
    const { ctx } = bench({ twist: abroad(phone), timeoutMs: 3_000 });
    const { trxid } = order;
    const told = { v: 1, form: "provider", trxid, status: "success", statusText: "", original: "" };
    await callbackApplier.apply(ctx, JSON.stringify(told));
    expect(await stateOf(phone)).toBe("processing");
  });

  it("for its buyer who asks about such an order", async () => {
    const { actor, phone, order } = await oldOrder();
    const { ctx } = bench({ actor, twist: abroad(phone), timeoutMs: 3_000 });
    await askAboutOrder(ctx, { number: order.number });
    expect(await stateOf(phone)).toBe("processing");
  });

  it("for its buyer who asks after the service was renamed", async () => {
    const { user: actor, order } = await orderGame(fire);
    await shelve({ ...fire, name: "FF 70 Baru" });
    const twist = instead(`"${shownName(fire)}"`, `"FF 70 Baru"`);
    const { ctx } = bench({ actor, twist, timeoutMs: 3_000 });
    await askAboutOrder(ctx, { number: order.number });
    await shelve(fire);
    expect(await stateOf(order.target)).toBe("processing");
  });
});
