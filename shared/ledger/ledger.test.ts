import { describe, expect, test } from "vitest";
import { testContext } from "../../workers/testing/api.ts";
import { unique } from "../../workers/testing/factories.ts";
import { type Account, balanceOf, listEntries, post, transfer } from "./ledger.ts";

const gateway: Account = { kind: "gateway", owner: unique() };
const newWallet = (): Account => ({ kind: "wallet", owner: unique() });

function payIn(wallet: Account, amount: number, reference = unique()) {
  return transfer({ reference, debit: gateway, credit: wallet, amount, reason: "isi saldo" });
}

describe("a transfer", () => {
  test("again under its reference is the first one, with other input it is refused", async () => {
    const { db } = testContext();
    const [wallet, reference] = [newWallet(), unique()];
    const first = await db.run(payIn(wallet, 500, reference));
    expect(await db.run(payIn(wallet, 500, reference))).toBe(first);
    await expect(db.run(payIn(wallet, 501, reference))).rejects.toMatchObject({ code: "conflict" });
    await expect(db.run(payIn(newWallet(), 500, reference))).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await balanceOf(testContext(), wallet)).toBe(500);
  });

  test("that is not covered says what is needed and what is there, and moves nothing", async () => {
    const { db } = testContext();
    const wallet = newWallet();
    await db.run(payIn(wallet, 300));
    const spend = {
      reference: unique(),
      debit: wallet,
      credit: newWallet(),
      amount: 301,
      reason: "beli",
    };
    await expect(db.run(transfer(spend))).rejects.toMatchObject({
      code: "insufficient_balance",
      meta: { needed: 301, current: 300 },
    });
    expect(await balanceOf(testContext(), wallet)).toBe(300);
  });

  test.each([0, -1, Number.MAX_SAFE_INTEGER + 1])("of %d rupiah is refused", async (amount) => {
    await expect(testContext().db.run(payIn(newWallet(), amount))).rejects.toMatchObject({
      code: "invalid_input",
    });
  });

  test("to the account that it comes from is refused", async () => {
    const wallet = newWallet();
    const circle = { reference: unique(), debit: wallet, credit: wallet, amount: 1, reason: "x" };
    await expect(testContext().db.run(transfer(circle))).rejects.toMatchObject({
      code: "invalid_input",
    });
  });

  test("never lifts a balance above what a number holds exactly", async () => {
    const { db } = testContext();
    const wallet = newWallet();
    const mint: Account = { kind: "promo", owner: unique() };
    const most = { debit: mint, credit: wallet, amount: Number.MAX_SAFE_INTEGER, reason: "x" };
    await db.run(transfer({ ...most, reference: unique() }));
    await expect(db.run(payIn(wallet, 1))).rejects.toMatchObject({ code: "invalid_input" });
    expect(await balanceOf(testContext(), wallet)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("to an account of an unknown kind is refused", async () => {
    const odd = { kind: "walet", owner: unique() } as unknown as Account;
    await expect(testContext().db.run(payIn(odd, 1))).rejects.toThrow();
  });
});

test("several transfers move all or none, and later ones may spend what earlier ones bring", async () => {
  const { db } = testContext();
  const [escrow, seller] = [{ kind: "escrow", owner: unique() } as const, newWallet()];
  const sale = (amount: number) => [
    { reference: unique(), debit: gateway, credit: escrow, amount: 1000, reason: "jual" },
    { reference: unique(), debit: escrow, credit: seller, amount, reason: "cair" },
  ];
  expect(await db.run(post(sale(950)))).toHaveLength(2);
  await expect(db.run(post(sale(1051)))).rejects.toMatchObject({ code: "insufficient_balance" });
  expect(await balanceOf(testContext(), escrow)).toBe(50);
  expect(await balanceOf(testContext(), seller)).toBe(950);
});

describe("an account's lines", () => {
  test("are signed as its owner sees them, newest first, in pages, with balance and total", async () => {
    const ctx = testContext();
    const [mine, other] = [newWallet(), newWallet()];
    await ctx.db.run(payIn(mine, 1000));
    const pay = (amount: number, from: Account, to: Account) =>
      transfer({ reference: `beli/${unique()}`, debit: from, credit: to, amount, reason: "beli" });
    await ctx.db.run(pay(300, mine, other));
    await ctx.db.run(pay(50, other, mine));
    const first = await listEntries(ctx, { ...mine, page: 1, limit: 2 });
    expect(first).toMatchObject({ balance: 750, total: 3, page: 1, limit: 2 });
    expect(first.rows.map(({ amount, balanceAfter }) => [amount, balanceAfter])).toEqual([
      [50, 750],
      [-300, 700],
    ]);
    const second = await listEntries(ctx, { ...mine, page: 2, limit: 2 });
    expect(second.rows).toMatchObject([{ amount: 1000, balanceAfter: 1000, reason: "isi saldo" }]);
    expect(second.rows[0]?.createdAt).toBeInstanceOf(Date);
    const beyond = await listEntries(ctx, { ...mine, page: 9, limit: 2 });
    expect(beyond).toMatchObject({ balance: 750, total: 3, rows: [] });
  });

  test("of a wallet that was never used are none", async () => {
    const query = { ...newWallet(), page: 1, limit: 20 };
    expect(await listEntries(testContext(), query)).toMatchObject({
      balance: 0,
      total: 0,
      rows: [],
    });
  });

  test("do not mix currencies", async () => {
    const ctx = testContext();
    const wallet = newWallet();
    const coins = {
      reference: unique(),
      debit: gateway,
      credit: wallet,
      amount: 7,
      reason: "koin",
    };
    await ctx.db.run(transfer({ ...coins, currency: "COIN" }));
    await ctx.db.run(payIn(wallet, 5));
    expect(await balanceOf(ctx, { ...wallet, currency: "COIN" })).toBe(7);
    expect(await listEntries(ctx, { ...wallet, page: 1, limit: 9 })).toMatchObject({
      balance: 5,
      total: 1,
    });
  });
});
