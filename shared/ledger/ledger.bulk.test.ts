import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { testContext } from "../../workers/testing/api.ts";
import { unique } from "../../workers/testing/factories.ts";
import { rows } from "../db/statement.ts";
import { balanceOf } from "./ledger.ts";

interface Line {
  from: string;
  to: string;
  amount: number;
  reference?: string;
}

/** The wallets of one test, `bank` being a gateway that may overdraw. */
function world() {
  const name = unique("w");
  const kindOf = (who: string) => (who === "bank" ? "gateway" : "wallet");
  const ownerOf = (who: string) => `${name}-${who}`;
  return {
    name,
    balance: (who: string) =>
      balanceOf(testContext(), { kind: kindOf(who), owner: ownerOf(who), currency: "COIN" }),
    post(lines: readonly Line[]) {
      const accounts = [...new Set(lines.flatMap(({ from, to }) => [from, to]))];
      const input = lines.map(({ from, to, amount, reference }) => ({
        reference: reference ?? unique(name),
        ...{ from_kind: kindOf(from), from_owner: ownerOf(from) },
        ...{ to_kind: kindOf(to), to_owner: ownerOf(to), amount },
      }));
      return testContext().db.run(
        rows(
          sql`with held as materialized (
              select * from ledger_hold('COIN', ${`{${accounts.map(kindOf)}}`}::text[],
                ${`{${accounts.map(ownerOf)}}`}::text[])
            ), line as (
              select l.*, d.id as debit, c.id as credit
              from rows from (jsonb_to_recordset(${JSON.stringify(input)}::jsonb) as (reference text, from_kind text,
                from_owner text, to_kind text, to_owner text, amount bigint)) with ordinality
                as l(reference, from_kind, from_owner, to_kind, to_owner, amount, n)
              join held d on (d.kind, d.owner_id) = (l.from_kind, l.from_owner)
              join held c on (c.kind, c.owner_id) = (l.to_kind, l.to_owner)
            )
            select ledger_post_held('COIN', array_agg(reference order by n), array_agg(debit order by n),
              array_agg(credit order by n), array_agg(amount order by n), array_agg('Uji'::text order by n)) from line`,
          z.unknown(),
        ),
      );
    },
    async entries(who: string) {
      return await testContext().db.run(
        rows(
          sql`select t.amount::float8 as amount,
              case when t.debit_account_id = a.id then t.debit_balance else t.credit_balance end::float8 as balance
            from ledger_accounts a join ledger_transfers t on a.id in (t.debit_account_id, t.credit_account_id)
            where a.kind = ${kindOf(who)} and a.owner_id = ${ownerOf(who)} order by t.id`,
          z.object({ amount: z.number(), balance: z.number() }),
        ),
      );
    },
  };
}

describe("many transfers in one call", () => {
  test("keep with each line both balances as they are after it, also across accounts", async () => {
    const { post, balance, entries } = world();
    await post([
      { from: "bank", to: "a", amount: 100 },
      { from: "a", to: "b", amount: 70 },
      { from: "b", to: "a", amount: 20 },
      { from: "a", to: "c", amount: 50 },
    ]);
    expect(await Promise.all(["bank", "a", "b", "c"].map(balance))).toEqual([-100, 0, 50, 50]);
    expect(await entries("a")).toEqual([
      { amount: 100, balance: 100 },
      { amount: 70, balance: 30 },
      { amount: 20, balance: 50 },
      { amount: 50, balance: 0 },
    ]);
    expect(await entries("b")).toEqual([
      { amount: 70, balance: 70 },
      { amount: 20, balance: 50 },
    ]);
  });

  test("are refused as a whole when an account would be short, even for one line", async () => {
    const { post, balance, entries } = world();
    await post([{ from: "bank", to: "a", amount: 100 }]);
    await expect(
      post([
        { from: "a", to: "b", amount: 60 },
        { from: "a", to: "c", amount: 60 },
        { from: "bank", to: "a", amount: 500 },
      ]),
    ).rejects.toMatchObject({ code: "insufficient_balance" });
    expect(await Promise.all(["bank", "a", "b", "c"].map(balance))).toEqual([-100, 100, 0, 0]);
    expect(await entries("a")).toHaveLength(1);
  });

  test("use a reference once, in a call and between calls", async () => {
    const { post, balance } = world();
    const reference = unique("ref");
    await post([{ from: "bank", to: "a", amount: 100, reference }]);
    const twice = post([{ from: "bank", to: "a", amount: 100, reference }]);
    await expect(twice).rejects.toMatchObject({ constraint: "ledger_transfers_reference_key" });
    const other = unique("ref");
    const both = post([
      { from: "bank", to: "a", amount: 1, reference: other },
      { from: "bank", to: "a", amount: 2, reference: other },
    ]);
    await expect(both).rejects.toMatchObject({ constraint: "ledger_transfers_reference_key" });
    expect(await balance("a")).toBe(100);
  });

  test.each([0, -5, 2 ** 53])("move no amount of %d", async (amount) => {
    const { post, balance } = world();
    await expect(post([{ from: "bank", to: "a", amount }])).rejects.toThrow();
    expect(await balance("a")).toBe(0);
  });

  test("do not deadlock with calls that hold the same accounts in another order", async () => {
    const { post, balance } = world();
    const names = ["a", "b", "c", "d", "e"];
    await post(names.map((to) => ({ from: "bank", to, amount: 1_000 })));
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        post(
          names.map((from, j) => ({
            from,
            to: names[(j + 1 + (i % 4)) % 5] ?? "a",
            amount: 1 + (i % 3),
          })),
        ),
      ),
    );
    const all = await Promise.all(names.map(balance));
    expect(all).toEqual([1_000, 1_000, 1_000, 1_000, 1_000]);
  });
});
