import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { ORDERS, post, reason } from "../testing/desk.ts";
import { alertsOf, booksOf, runOrderJob, SILENT_LONG, theOrderOf } from "../testing/outcomes.ts";
import { createReseller, ordersOf, panel, stockService } from "../testing/reseller.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { followOrders } from "./follow.ts";
import { placeGame, placePrepaid } from "./place.ts";
import { processOrder } from "./process.ts";

beforeAll(stockShelves);

const FUNDS = 1_000_000;
const { credit, diamonds } = SERVICES;

async function buy(twist: (text: string) => string) {
  const user = await customer(FUNDS);
  const gameId = newPhone();
  await dial(gameId, { stay: true });
  const { ctx, settle } = bench({ actor: user, twist, timeoutMs: 3_000 });
  const { number } = await placeGame(ctx, { service: diamonds.code, gameId, zone: "2001" });
  await processOrder(ctx, { orderNumber: number });
  await settle();
  return { user, order: await theOrderOf(gameId) };
}

it.each([
  ["for another zone", `"zone":"2001"`, `"zone":"9999"`],
  ["of another service", "86 Diamonds", "3 Diamonds"],
])("a purchase that is %s waits for a person, with its money", async (reason, from, to) => {
  const twist = (text: string) => text.replaceAll(from, to);
  const { user, order: answered } = await buy(twist);
  for (const laterMs of SILENT_LONG) await runOrderJob(answered, { laterMs, twist });
  const order = await theOrderOf(answered.target);
  expect(order).toMatchObject({
    state: "review",
    trxid: expect.any(String),
    reviewReason: expect.stringContaining(reason),
  });
  expect(await alertsOf(order)).toEqual(["Pesanan perlu diperiksa"]);
  expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: order.amount });
});

it.each([
  ["in other letters", "86 Diamonds", "86  DIAMONDS"],
  ["without its zone", `"zone":"2001"`, `"zone":""`],
  ["with a zero before its zone", `"zone":"2001"`, `"zone":"02001"`],
])("a purchase that the supplier shows %s is the one that was ordered", async (_, from, to) => {
  const { order } = await buy((text) => text.replaceAll(from, to));
  expect(order).toMatchObject({ state: "processing" });
});

it("a purchase whose target is blacked out in the answer is the one that was ordered", async () => {
  const { order } = await buy((text) =>
    text.replaceAll(/"data":"(\d{4})\d+(\d{4})"/g, '"data":"$1****$2"'),
  );
  expect(order).toMatchObject({ state: "processing" });
});

/** The supplier's list, in which the row of a purchase reads so. */
async function followAs(trxid: string | null, change: Record<string, string>, laterMs = 60_000) {
  const { ctx, settle } = bench({
    laterMs,
    timeoutMs: 3_000,
    twist: (text) => {
      const answer = JSON.parse(text);
      if (!Array.isArray(answer.data)) return text;
      const rows = answer.data.map((row: { trxid: string }) =>
        row.trxid === trxid ? { ...row, ...change } : row,
      );
      return JSON.stringify({ ...answer, data: rows });
    },
  });
  await followOrders(ctx);
  await settle();
}

async function underWay() {
  const user = await customer(FUNDS);
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000 });
  await placePrepaid(ctx, { service: credit.code, phoneNumber });
  await settle();
  const order = await theOrderOf(phoneNumber);
  const path = `/api/orders/prepaid?orderNumber=${order.number}`;
  return { user, order, look: async () => (await api(path, { token: user.token })).body.data };
}

describe("the code of goods that nobody asked for", () => {
  const other = { status: "success", code: "S100", note: "KODE-RAHASIA-100" };

  it("is not given to a buyer who gets his money back", async () => {
    const { order, look } = await underWay();
    await followAs(order.trxid, other);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "review" });
    expect(await look()).toMatchObject({ status: "PROCESSING", sn: null });
    const admin = await createUser(["admin"]);
    const word = { as: "refunded", reason };
    expect(await post(admin, `${ORDERS}/${order.id}/settle`, word)).toMatchObject({ status: 200 });
    expect(await look()).toMatchObject({ status: "REFUNDED", sn: null });
  });

  it("is the buyer's once a person says that it is what he ordered", async () => {
    const { order, look } = await underWay();
    await followAs(order.trxid, other);
    const admin = await createUser(["admin"]);
    await post(admin, `${ORDERS}/${order.id}/settle`, { as: "success", reason });
    expect(await look()).toMatchObject({ status: "SUCCESS", sn: other.note });
  });

  it("is not told by the panel dialect", async () => {
    const service = await stockService("prepaid");
    const { key, user } = await createReseller();
    const link = newPhone();
    await dial(link, { stay: true });
    const { body } = await panel(key, { action: "add", service: service.number, link });
    await expect.poll(async () => (await theOrderOf(link)).state).toBe("processing");
    const [order] = await ordersOf(user.userId);
    await followAs(order?.trxid ?? null, { ...other, data: "081200000000" });
    expect((await theOrderOf(link)).state).toBe("review");
    const told = await panel(key, { action: "status", order: body.order });
    expect(told.body).toMatchObject({ status: "Processing" });
    expect(told.body.sn).toBeUndefined();
  });
});

it.each(["sukses", "processing", "waiting"])(
  "a note under the status word %s may be a serial: no admin reads it, and its buyer once it is delivered",
  async (status) => {
    const { order, look } = await underWay();
    const note = "1234-5678-TOKEN";
    await followAs(order.trxid, { status, note });
    const admin = await createUser(["admin"]);
    const shown = async () => (await api(`${ORDERS}/${order.id}`, { token: admin.token })).body;
    expect((await shown()).data).toMatchObject({ state: "processing", supplierNote: status });
    expect(await look()).toMatchObject({ status: "PROCESSING", sn: null });
    expect(JSON.stringify(await shown())).not.toContain("TOKEN");
    await followAs(order.trxid, { status: "success", note }, 180_000);
    expect(await look()).toMatchObject({ status: "SUCCESS", sn: note });
    expect(JSON.stringify(await shown())).not.toContain("TOKEN");
    const kept = sql`select to_jsonb(o)::text as row from topup_orders o where o.id = ${order.id}`;
    const [row] = await testContext().db.run(rows(kept, z.object({ row: z.string() })));
    expect(row?.row).not.toContain("TOKEN");
  },
);
