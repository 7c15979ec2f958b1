import { beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { call } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { listedRow } from "../testing/histories.ts";
import { ordersOf, recover, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { placePrepaid } from "./place.ts";

beforeAll(stockShelves);

/** Each on a connection of its own, as different isolates are. */
const ask = (name: string, input: object) =>
  testContext().db.run(call(name, { alert_to: "ops@x.id", ...input }, z.unknown()));

/** What Postgres gave up while they ran, of whatever was sent again. */
async function gaveUp(work: () => Promise<unknown>): Promise<string> {
  const told = vi.spyOn(console, "warn");
  try {
    await work();
    return told.mock.calls.flat().join();
  } finally {
    told.mockRestore();
  }
}

describe("calls that meet at the same orders", () => {
  it("do not wait in a circle where several tell a status word that is new", async () => {
    const user = await customer();
    const bought = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const phoneNumber = newPhone();
        await dial(phoneNumber, { stay: true });
        const { ctx, settle } = bench({ actor: user, timeoutMs: 5_000 });
        await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber });
        await settle();
        return await theOrderOf(phoneNumber);
      }),
    );
    const tell = (orders: typeof bought, strange: string) => {
      const now = new Date().toISOString();
      const updates = orders.map(({ id, trxid }) => ({ id, trxid, outcome: "open", strange }));
      return ask("topup_orders_advance", { updates, now, asked_from: now });
    };
    const given = await gaveUp(async () => {
      for (let round = 0; round < 12; round += 1) {
        const word = unique("kata ");
        await Promise.all([tell(bought, word), ...bought.map((one) => tell([one], word))]);
      }
    });
    expect(given).not.toContain("40P01");
  });

  it("give a purchase once where a list shows it while its own answer comes, late", async () => {
    const rounds = await Promise.all(Array.from({ length: 24 }, refundedTwice));
    const given = await gaveUp(async () => {
      for (const { target, orders } of rounds) {
        const listed = orders.map(() => listedRow(unique("TELAT"), { target }));
        const now = new Date().toISOString();
        await Promise.all([
          ask("topup_sightings_note", {
            family: "prepaid",
            seen_at: now,
            rows: listed.toReversed(),
          }),
          ...orders.map(({ id }, n) =>
            ask("topup_order_accepted", { order_id: id, trxid: listed[n]?.trxid, charged: 1, now }),
          ),
        ]);
        const told = (await ordersOf(target)).map(({ trxid }) => trxid);
        expect(told.toSorted()).toEqual(listed.map(({ trxid }) => trxid).toSorted());
      }
    });
    expect(given).not.toContain("40P01");
  });
});

/** Two buyers' orders for one target that did not arrive, and were refunded. */
async function refundedTwice() {
  const target = newPhone();
  await dial(target, { down: { value: true, count: 2 } });
  for (let buyer = 0; buyer < 2; buyer += 1) {
    const { ctx, settle } = bench({ actor: await customer() });
    await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber: target });
    await settle();
  }
  await recover(target);
  const orders = await ordersOf(target);
  expect(orders.map(({ state }) => state)).toEqual(["failed", "failed"]);
  return { target, orders };
}
