import { type SQL, sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { testContext } from "../../workers/testing/api.ts";
import { unique } from "../../workers/testing/factories.ts";
import { rows } from "../db/statement.ts";
import { AppError } from "../http/errors.ts";
import { type Account, post, type Transfer } from "./ledger.ts";

const CONNECTIONS = 32;
const CALLS = 600;

/** Small, seeded and fast (mulberry32): a failing run can be repeated by its seed. */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function pick<T>(items: readonly T[], random: (below: number) => number): T {
  const item = items[random(items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

/** Few accounts and many calls, so that they meet: both directions, several lines, repeats, clashing references. */
function randomCalls(world: string, random: (below: number) => number): Transfer[][] {
  const people: Account[] = [1, 2, 3, 4].map((n) => ({ kind: "wallet", owner: `${world}/${n}` }));
  const gateway: Account = { kind: "gateway", owner: world };
  const accounts: Account[] = [...people, gateway, { kind: "escrow", owner: world }];
  const calls: Transfer[][] = [];
  for (let i = 0; i < CALLS; i += 1) {
    if (i > 0 && random(5) === 0) {
      calls.push(pick(calls, random));
      continue;
    }
    calls.push(
      Array.from({ length: 1 + random(3) }, (_, line) => {
        const debit = random(8) === 0 ? gateway : pick(accounts, random);
        const credit = pick(
          accounts.filter((account) => account !== debit),
          random,
        );
        const stolen = i > 0 && random(20) === 0 ? pick(calls, random)[0]?.reference : undefined;
        const reference = stolen ?? `${world}/${i}/${line}`;
        return { reference, debit, credit, amount: 1 + random(400), reason: "uji" };
      }),
    );
  }
  return calls;
}

type Outcome = { ids: number[] } | { code: string };

async function runAll(calls: Transfer[][]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = calls.entries();
  const connection = async () => {
    for (const [i, call] of waiting) {
      try {
        outcomes[i] = { ids: await testContext().db.run(post(call)) };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        outcomes[i] = { code: error.code };
      }
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return outcomes;
}

async function numberOf(query: SQL): Promise<number> {
  const [row] = await testContext().db.run(rows(query, z.object({ n: z.coerce.number() })));
  return row?.n ?? Number.NaN;
}

const linesOf = (world: string) => sql`
  select t.id, t.reference, a.id as account_id, a.balance as account_balance,
    case when a.id = t.debit_account_id then -t.amount else t.amount end as amount,
    case when a.id = t.debit_account_id then t.debit_balance else t.credit_balance end as balance_after
  from ledger_accounts a join ledger_transfers t on a.id in (t.debit_account_id, t.credit_account_id)
  where a.owner_id = ${world} or a.owner_id like ${`${world}/%`}`;

describe.each([1, 20261121])("random transfers from many connections at once (seed %d)", (seed) => {
  test("keep every promise of the ledger, and nothing deadlocks", async () => {
    const world = unique("w");
    const calls = randomCalls(world, randomFrom(seed));
    const outcomes = await runAll(calls);

    // `unavailable` would be a deadlock or a failed serialisation.
    const codes = new Set(outcomes.flatMap((outcome) => ("code" in outcome ? [outcome.code] : [])));
    expect([...codes].sort()).toEqual(["conflict", "insufficient_balance"]);

    const lines = linesOf(world);
    expect(
      await numberOf(sql`select sum(balance) as n from ledger_accounts where currency = 'IDR'`),
    ).toBe(0);
    expect(
      await numberOf(sql`select count(*) as n from ledger_accounts
        where balance < 0 and kind not in ('gateway', 'promo', 'advance')`),
    ).toBe(0);
    expect(
      await numberOf(sql`with l as (${lines}), sums as (
          select account_id, account_balance, sum(amount) as total from l group by 1, 2)
        select count(*) as n from sums where total <> account_balance`),
    ).toBe(0);
    expect(
      await numberOf(sql`with l as (${lines}), chain as (
          select amount, balance_after, lag(balance_after, 1, 0::bigint)
            over (partition by account_id order by id) as balance_before from l)
        select count(*) as n from chain where balance_before + amount <> balance_after`),
    ).toBe(0);
    expect(
      await numberOf(sql`select count(*) - count(distinct reference) as n from ledger_transfers`),
    ).toBe(0);

    const idOf = new Map<string, number>();
    for (const [i, outcome] of outcomes.entries()) {
      if ("code" in outcome) continue;
      for (const [line, { reference }] of (calls[i] ?? []).entries()) {
        const id = outcome.ids[line] ?? Number.NaN;
        expect(idOf.get(reference) ?? id).toBe(id);
        idOf.set(reference, id);
      }
    }
    const moved = await numberOf(sql`select count(*) as n from ledger_transfers
      where reference like ${`${world}/%`}`);
    expect(moved).toBe(idOf.size);
    expect(moved).toBeGreaterThan(CALLS / 3);
  });
});

test("fifty people who spend the last rupiah of one wallet at once: one succeeds", async () => {
  const wallet: Account = { kind: "wallet", owner: unique() };
  const gateway: Account = { kind: "gateway", owner: unique() };
  const pay = (debit: Account, credit: Account): Transfer[] => [
    { reference: unique(), debit, credit, amount: 1000, reason: "uji" },
  ];
  await testContext().db.run(post(pay(gateway, wallet)));
  const rush = Array.from({ length: 50 }, () => pay(wallet, { kind: "wallet", owner: unique() }));
  const outcomes = await runAll(rush);
  expect(outcomes.filter((outcome) => "ids" in outcome)).toHaveLength(1);
  expect(
    outcomes.filter((outcome) => "code" in outcome && outcome.code === "insufficient_balance"),
  ).toHaveLength(49);
});
