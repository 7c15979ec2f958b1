import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { failure, refusesStrangers } from "../testing/catalogue.ts";
import { completed, deliver, fund, fundedSeller, refundOf } from "../testing/money.ts";
import { openShop, sell, settle } from "../testing/sales.ts";
import { cellOf } from "./statement.ts";

const statement = (seller: TestUser, month: string) =>
  api(`/api/seller/statement?month=${month}`, { token: seller.token });

/** The cells of a statement whose texts hold no comma. */
const cells = (csv: string) =>
  csv
    .trimEnd()
    .split("\r\n")
    .map((line) => line.split(","));

const MONTH = "2026-05";

/** Dates all lines of a seller's balance into one month, so that none ends between a sale and its statement. */
const inMonth = (seller: TestUser) =>
  testContext().db.run(
    rows(
      sql`update ledger_transfers set created_at = ${`${MONTH}-10T05:00:00Z`}::timestamptz where id in (
        select t.id from ledger_transfers t join ledger_accounts a on a.id in (t.debit_account_id, t.credit_account_id)
        where a.kind = 'wallet' and a.owner_id = ${String(seller.userId)})`,
      z.unknown(),
    ),
  );

/** Dates the newest line of a seller's balance. */
const dated = (seller: TestUser, at: string) =>
  testContext().db.run(
    rows(
      sql`update ledger_transfers set created_at = ${at}::timestamptz where id = (
        select max(t.id) from ledger_transfers t join ledger_accounts a on a.id in (t.debit_account_id, t.credit_account_id)
        where a.kind = 'wallet' and a.owner_id = ${String(seller.userId)})`,
      z.unknown(),
    ),
  );

describe("a month's statement", () => {
  it("starts with the month before, counts every line once by Jakarta's clock, and adds up", async () => {
    const seller = await createUser(["seller"]);
    for (const [amount, at] of [
      [1_000, "2026-03-31T16:59:59.999Z"],
      [2_000, "2026-03-31T17:00:00Z"],
      [4_000, "2026-04-30T16:59:59Z"],
      [8_000, "2026-04-30T17:00:00Z"],
    ] as const) {
      await fund(seller, amount);
      await dated(seller, at);
    }
    const april = cells((await statement(seller, "2026-04")).body);
    expect(april.map((row) => [row[0], row[5], row[6], row[7]])).toEqual([
      ["Tanggal (WIB)", "Masuk", "Keluar", "Saldo"],
      ["Saldo awal 2026-04", "", "", "1000"],
      ["2026-04-01 00:00:00", "2000", "", "3000"],
      ["2026-04-30 23:59:59", "4000", "", "7000"],
      ["Jumlah", "6000", "0", ""],
      ["Saldo akhir 2026-04", "", "", "7000"],
    ]);
    const may = cells((await statement(seller, "2026-05")).body);
    expect([may[1]?.[7], may.at(-1)?.[7]]).toEqual(["7000", "15000"]);
    const long = cells((await statement(seller, "2026-01")).body);
    expect(long.at(-1)?.[7]).toBe("0");
  });

  it("names an order's price and commission beside what came of it", async () => {
    const sale = await completed(await sell(await openShop()));
    await inMonth(sale.seller);
    const answer = await statement(sale.seller, MONTH);
    expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(answer.headers.get("content-disposition")).toContain(`mutasi-${MONTH}.csv`);
    expect(cells(answer.body)[2]?.slice(1, 8)).toEqual([
      `Penjualan ${sale.number}`,
      sale.number,
      "50000",
      "2500",
      "47500",
      "",
      "47500",
    ]);
  });

  it("names what was left of a sale of which a part had gone back before it was delivered", async () => {
    const sale = await sell(await openShop());
    const admin = await createUser(["admin"]);
    await settle(sale);
    expect((await refundOf(admin, sale, { amount: 20_000 })).status).toBe(200);
    await deliver(sale);
    await inMonth(sale.seller);
    const { body } = await statement(sale.seller, MONTH);
    expect(cells(body)[2]?.slice(3, 6)).toEqual(["30000", "1500", "28500"]);
  });

  it("is the seller's own, of a month that is one", async () => {
    const seller = await fundedSeller(77_000);
    const other = await createUser(["seller"]);
    await inMonth(seller);
    expect((await statement(seller, MONTH)).body).toContain("77000");
    expect((await statement(other, MONTH)).body).not.toContain("77000");
    for (const month of ["", "2026-13", "2026-1", "2026-00", "x'; --", "1999-01"]) {
      const { status, body } = await statement(seller, encodeURIComponent(month));
      expect([status, body], month).toEqual([400, failure(expect.any(String))]);
    }
    await refusesStrangers("/api/seller/statement?month=2026-11", {}, "seller");
  });

  it("holds no formula, whatever a line says", async () => {
    const seller = await createUser(["seller"]);
    await testContext().db.run(
      rows(
        sql`select ledger_transfer(${unique("f/")}, 'gateway', 'test', 'wallet', ${String(seller.userId)}, 500,
          '=HYPERLINK("http://evil.example","a")')`,
        z.unknown(),
      ),
    );
    await inMonth(seller);
    const { body } = await statement(seller, MONTH);
    expect(body).toContain(`,"'=HYPERLINK(""http://evil.example"",""a"")",`);
  });
});

it.each([
  ["=1+1", "'=1+1"],
  ["+62", "'+62"],
  ["-5", "'-5"],
  ["@cmd", "'@cmd"],
  ["\t=1", "'\t=1"],
  [" =1", "' =1"],
  ["\r=1", `"'\r=1"`],
  ["a,b", '"a,b"'],
  ['a"b', '"a""b"'],
  ["plain - text", "plain - text"],
  [-5, "-5"],
  [null, ""],
])("cell %j is written as %j", (value, written) => {
  expect(cellOf(value)).toBe(written);
});
