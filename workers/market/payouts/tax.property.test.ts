import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { jakartaDay } from "../../../shared/time/jakarta.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { run } from "../testing/catalogue.ts";
import { dice } from "../testing/dice.ts";
import { deliver, refundOf, taxed } from "../testing/money.ts";
import { openShop, type Sale, type Shop, sell, settle, sumOfLedger } from "../testing/sales.ts";

const LINE = 500_000_000;
const MONTH = jakartaDay(new Date()).slice(0, 7);
const YEAR = Number(MONTH.slice(0, 4));

let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

/** A shop whose seller has stated that he sells for less than the line, and has sold that much in this year. */
async function statedShop(soldBefore: number): Promise<Shop> {
  const shop = await openShop();
  await api("/api/seller/tax-statement", {
    method: "PUT",
    token: shop.seller.token,
    json: { year: YEAR, tax_id: "3572011504900003", agreed: true },
  });
  await run(
    sql`insert into market_turnovers (seller_id, year, amount) values (${shop.seller.userId}, ${YEAR}, ${soldBefore})`,
  );
  return shop;
}

interface Order {
  sale: Sale;
  gross: number;
  exempt: number;
  /** Hundredths of a percent. */
  rate: number;
}

async function paidOrder(shop: Shop, order: Omit<Order, "sale">): Promise<Order> {
  const sale = await sell(shop, { price: order.gross, quantity: 1 });
  await taxed(sale, order.rate);
  await run(
    sql`update market_orders set tax_exempt_amount = ${order.exempt} where id = ${sale.orderId}`,
  );
  await settle(sale);
  return { sale, ...order };
}

const Books = z.object({ withheld: z.number(), returned: z.number(), turnover: z.number() });

/** What the ledger says was withheld from a seller and given back to him, and his turnover. */
async function booksOf({ userId }: TestUser) {
  const [found] = await testContext().db.run(
    rows(
      sql`select
          (select coalesce(sum(t.amount), 0)::float8 from ledger_transfers t join ledger_accounts a on a.id = t.debit_account_id
            where a.kind = 'wallet' and a.owner_id = ${String(userId)} and t.reference like 'order-pph22/%') as withheld,
          (select coalesce(sum(t.amount), 0)::float8 from ledger_transfers t join ledger_accounts a on a.id = t.credit_account_id
            where a.kind = 'wallet' and a.owner_id = ${String(userId)} and t.reference like 'order-refund-pph22/%') as returned,
          (select amount::float8 from market_turnovers where seller_id = ${userId} and year = ${YEAR}) as turnover`,
      Books,
    ),
  );
  return found;
}

/** The rule of PMK 37/2025 in words of its own: what is above the line bears the rate, but for its phone credit. */
class Oracle {
  turnover: number;
  withheld = 0;
  returned = 0;
  readonly #orders = new Map<Order, { tax: number; returned: number; kept: number }>();

  constructor(soldBefore: number) {
    this.turnover = soldBefore;
  }

  delivered(order: Order): void {
    const { gross, exempt, rate } = order;
    this.turnover += gross;
    const above = Math.min(gross, Math.max(0, this.turnover - LINE));
    const base = rate === 0 ? 0n : (BigInt(above) * BigInt(gross - exempt)) / BigInt(gross);
    const tax = Number((base * BigInt(rate)) / 10_000n);
    this.withheld += tax;
    this.#orders.set(order, { tax, returned: 0, kept: gross });
  }

  /** Of an order's tax stays what is due on the goods that are kept. */
  refunded(order: Order, amount: number): void {
    const known = this.#orders.get(order);
    if (!known) throw new Error("refunded before it was delivered");
    known.kept -= amount;
    const due = Number((BigInt(known.tax) * BigInt(known.kept)) / BigInt(order.gross));
    this.returned += known.tax - due - known.returned;
    known.returned = known.tax - due;
    this.turnover -= amount;
  }

  left = (order: Order) => this.#orders.get(order)?.kept ?? 0;
}

/** In and out of the lines of the month's statement that name the tax. */
async function stated(seller: TestUser) {
  const { body } = await api(`/api/seller/statement?month=${MONTH}`, { token: seller.token });
  const lines = String(body).trimEnd().split("\r\n");
  const sum = (words: string, column: number) =>
    lines
      .map((line) => line.split(","))
      .filter((cells) => cells[1]?.startsWith(words))
      .reduce((total, cells) => total + Number(cells[column]), 0);
  return { withheld: sum("PPh 22", 6), returned: sum("Pengembalian PPh 22", 5) };
}

describe("PPh 22 over a seller's year", () => {
  it.each([101, 202, 303, 404])(
    "is half a percent of what is above the line but for phone credit, and goes back with the goods (seed %i)",
    async (seed) => {
      const roll = dice(seed * 7_919);
      const before = LINE - 1_500_000 - roll(1_000_000);
      const shop = await statedShop(before);
      const oracle = new Oracle(before);
      const done: Order[] = [];
      for (let n = 0; n < 6; n += 1) {
        const gross = 300_000 + roll(700_000);
        const exempt = roll(3) === 0 ? roll(gross) : 0;
        const order = await paidOrder(shop, { gross, exempt, rate: roll(5) === 0 ? 0 : 50 });
        await deliver(order.sale);
        await deliver(order.sale);
        oracle.delivered(order);
        done.push(order);
        const back = done[roll(done.length)];
        if (!back || roll(2) === 0 || oracle.left(back) === 0) continue;
        const amount = roll(2) === 0 ? oracle.left(back) : 1 + roll(oracle.left(back));
        expect((await refundOf(admin, back.sale, { amount })).status).toBe(200);
        oracle.refunded(back, amount);
      }
      const { withheld, returned, turnover } = oracle;
      expect(withheld).toBeGreaterThan(0);
      expect(await booksOf(shop.seller)).toEqual({ withheld, returned, turnover });
      expect(await stated(shop.seller)).toEqual({ withheld, returned });
      const { body } = await api("/api/seller/balance", { token: shop.seller.token });
      expect(body.data.tax).toEqual({
        year: YEAR,
        turnover,
        withheld: withheld - returned,
        statement_filed: true,
      });
      for (const order of done.filter((one) => oracle.left(one) > 0)) {
        const amount = oracle.left(order);
        expect((await refundOf(admin, order.sale, { amount })).status).toBe(200);
        oracle.refunded(order, amount);
      }
      expect(await booksOf(shop.seller)).toEqual({
        withheld,
        returned: withheld,
        turnover: before,
      });
      expect(await sumOfLedger()).toBe(0);
    },
  );

  it("is the same sum whichever of many deliveries at once crosses the line", async () => {
    const shop = await statedShop(LINE - 2_500_000);
    const orders: Order[] = [];
    for (let n = 0; n < 4; n += 1) {
      orders.push(await paidOrder(shop, { gross: 1_000_000, exempt: 0, rate: 50 }));
    }
    await Promise.all(orders.flatMap(({ sale }) => [deliver(sale), deliver(sale)]));
    expect(await booksOf(shop.seller)).toEqual({
      withheld: 7_500,
      returned: 0,
      turnover: LINE + 1_500_000,
    });
  });

  it("is none where it is switched off, however much is sold", async () => {
    const shop = await statedShop(LINE);
    await deliver((await paidOrder(shop, { gross: 900_000, exempt: 0, rate: 0 })).sale);
    expect(await booksOf(shop.seller)).toEqual({
      withheld: 0,
      returned: 0,
      turnover: LINE + 900_000,
    });
  });
});
