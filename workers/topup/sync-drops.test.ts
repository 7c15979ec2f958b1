import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { ProviderError } from "../../shared/providers/provider-error.ts";
import { prepaidRow } from "../../shared/providers/testing/vip-reseller.ts";
import { placePrepaid } from "./orders/place.ts";
import { bench } from "./testing/bench.ts";
import { booksOf, runOrderJob, theOrderOf } from "./testing/outcomes.ts";
import { customer, newPhone } from "./testing/shop.ts";
import {
  openSupplier,
  type Supplier,
  serviceOf,
  stockShelves,
  syncWith,
} from "./testing/supplier.ts";

let supplier: Supplier;
let ctx: Ctx;
let code: string;

beforeEach(async () => {
  ({ supplier, ctx } = await openSupplier());
  code = stockShelves(supplier);
  // Open at any hour.
  listAt(25_400);
  await syncWith(ctx);
});

function listAt(special: number) {
  const price = { basic: special, premium: special, special };
  supplier.lists.prepaid = [prepaidRow({ code, price })];
}

const credit = () => serviceOf(ctx, "prepaid", code);
const AS_BEFORE = { supplier_price: 25_400, price: 26_670 };

describe("a price that falls to less than half", () => {
  it("is not sold at, nor is the old one, until a second list names it, and the operator hears of it", async () => {
    listAt(2_540);
    const { families, id } = await syncWith(ctx);
    expect(families).toMatchObject({ prepaid: { held: 1, priced: 0 } });
    expect(await credit()).toMatchObject({ ...AS_BEFORE, status: "empty" });
    const mails = sql`select 1 from jobs where dedupe_key = ${`mail/alert/topup-held/${id}/prepaid`}`;
    expect(await ctx.db.run(rows(mails, z.unknown()))).toHaveLength(1);
    await syncWith(ctx);
    expect(await credit()).toMatchObject({ supplier_price: 2_540, status: "available" });
  });

  it("is forgotten when the next list takes it back", async () => {
    listAt(2_540);
    await syncWith(ctx);
    listAt(25_400);
    await syncWith(ctx);
    expect(await credit()).toMatchObject({ ...AS_BEFORE, status: "available" });
    listAt(2_540);
    await syncWith(ctx);
    expect(await credit()).toMatchObject({ ...AS_BEFORE, status: "empty" });
  });

  it("is forgotten when the service vanishes", async () => {
    listAt(2_540);
    await syncWith(ctx);
    supplier.lists.prepaid = [prepaidRow({ code: `${code}X` })];
    await syncWith(ctx);
    expect(await credit()).toMatchObject({ status: "gone" });
    listAt(2_540);
    await syncWith(ctx);
    expect(await credit()).toMatchObject({ ...AS_BEFORE, status: "empty" });
  });

  it("and falls as far again is held again", async () => {
    listAt(10_000);
    await syncWith(ctx);
    listAt(100);
    await syncWith(ctx);
    expect(await credit()).toMatchObject({ ...AS_BEFORE, status: "empty" });
  });

  it("is believed at an admin's word", async () => {
    listAt(2_540);
    await syncWith(ctx, "full-sync", true);
    expect(await credit()).toMatchObject({ supplier_price: 2_540, status: "available" });
  });

  it("buys nothing for an order that waits for its turn: its money goes back", async () => {
    const actor = await customer(100_000);
    const phoneNumber = newPhone();
    const nothing = { kind: "unavailable", retryable: true, outcome: "not_done" } as const;
    const pace = async () => {
      throw new ProviderError("vip-reseller", { ...nothing, code: "busy" }, "no turn");
    };
    const { ctx: buyer, settle } = bench({ actor, pace });
    await placePrepaid(buyer, { service: code, phoneNumber });
    await settle();
    const order = await theOrderOf(phoneNumber);
    expect(order.state).toBe("queued");
    listAt(2_540);
    await syncWith(ctx);
    await runOrderJob(order, { laterMs: 60_000 });
    expect(await theOrderOf(phoneNumber)).toMatchObject({ state: "failed", trxid: null });
    expect(await booksOf(actor)).toEqual({ wallet: 100_000, escrow: 0 });
  });
});

describe("a price that could mean several", () => {
  it.each(["25.400", 25.125])(
    "takes its service off sale, whatever list repeats %j",
    async (told) => {
      const price = { basic: told, premium: told, special: told };
      const other = prepaidRow({ code: `${code}X` });
      supplier.lists.prepaid = [prepaidRow({ code, price }), other];
      const ofBefore = sql`update jobs set dedupe_key = dedupe_key || '/' || id where dedupe_key like 'mail/alert/topup-unpriced/%'`;
      await ctx.db.run(rows(ofBefore, z.unknown()));
      for (let turn = 0; turn < 2; turn += 1) {
        await syncWith(ctx);
        expect(await credit()).toMatchObject({ ...AS_BEFORE, status: "gone" });
      }
      const mails = sql`select payload->'data'->'facts' as facts from jobs
      where dedupe_key like 'mail/alert/topup-unpriced/prepaid/%' and dedupe_key not like '%/' || id`;
      const facts = { jenis: "prepaid", layanan: 1, hasil: "applied" };
      expect(await ctx.db.run(rows(mails, z.unknown()))).toEqual([{ facts }]);
      listAt(26_000);
      await syncWith(ctx);
      expect(await credit()).toMatchObject({ supplier_price: 26_000, status: "available" });
    },
  );
});

it("a price that falls by half, and one that rises, hold at once", async () => {
  listAt(12_700);
  await syncWith(ctx);
  expect(await credit()).toMatchObject({ supplier_price: 12_700, status: "available" });
  listAt(90_000);
  await syncWith(ctx);
  expect(await credit()).toMatchObject({ supplier_price: 90_000, status: "available" });
});
