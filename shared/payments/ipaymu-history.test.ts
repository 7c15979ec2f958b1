import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground, testContext } from "../../workers/testing/api.ts";
import { rows } from "../db/statement.ts";
import { answer, FakeNetwork } from "../providers/testing/fake-network.ts";
import { BASE, fakeIpaymu, ok, transaction } from "../providers/testing/ipaymu.ts";
import { confirmCharge } from "./confirm.ts";
import { readIpaymuHistory } from "./ipaymu-history.ts";
import { reconcileCharges } from "./reconcile.ts";
import { ipaymuContext, openIpaymu, transactionOf, uniqueTransaction } from "./test-ipaymu.ts";
import { settlements, standOf, type TestPayment } from "./test-payments.ts";

const PAGE = 20;
const MINUTE_MS = 60_000;

/** An account whose transactions are a list, newest last, and which counts what it is asked for. */
class Account {
  readonly id = crypto.randomUUID();
  readonly transactions: Record<string, unknown>[] = [];
  pages: number[] = [];
  asked: string[] = [];
  isAway = false;
  /** What a transaction says of itself, other than the history. */
  ownWord: Record<string, unknown> = {};
  #next = uniqueTransaction();

  add(payment: TestPayment | null, changes: Record<string, unknown> = {}): number {
    this.#next += 1;
    const id = { TransactionId: this.#next, ...changes };
    const foreign = { ...id, ReferenceId: `ELSE-${this.#next}` };
    this.transactions.push(payment ? transactionOf(payment, id) : transaction(foreign));
    return this.#next;
  }

  crowd(count: number): void {
    for (let n = 0; n < count; n += 1) this.add(null);
  }

  /** A context of this account, so many minutes on. */
  ctx(minutes = 0) {
    const now = new Date(Date.now() + minutes * MINUTE_MS);
    const { ctx } = ipaymuContext(new FakeNetwork(), now);
    const ipaymu = fakeIpaymu(this);
    return { ...ctx, providers: { ...ctx.providers, ipaymu: { ...ipaymu, account: this.id } } };
  }

  readonly fetch: FakeNetwork["fetch"] = async (url, init) => {
    const body = JSON.parse(String(init.body));
    const request = { method: "POST", url, headers: {}, body: null, redirect: undefined };
    const reply = (status: number, told: unknown) => answer(status, told)(request, null);
    if (this.isAway) return await reply(502, "<html>");
    if (url === `${BASE}/transaction`) {
      this.asked.push(String(body.transactionId));
      const found = this.transactions.find(
        (one) => one.TransactionId === Number(body.transactionId),
      );
      return found
        ? await reply(200, ok({ ...found, ...this.ownWord }))
        : await reply(404, { Status: 404 });
    }
    this.pages.push(body.page);
    const start = (body.page - 1) * PAGE;
    const Transaction = this.transactions.toReversed().slice(start, start + PAGE);
    const total_pages = Math.max(1, Math.ceil(this.transactions.length / PAGE));
    return await reply(200, ok({ Transaction, Pagination: { total_pages } }));
  };
}

const write = (query: ReturnType<typeof sql>) => testContext().db.run(rows(query, z.unknown()));

/** No other payment is asked about but those that a test opens from here on. */
beforeEach(() =>
  write(
    sql`update payments_charges set check_at = now() + interval '1 hour' where check_at is not null`,
  ),
);
afterEach(settleBackground);

const makeDue = ({ intent_id }: TestPayment) =>
  write(sql`update payments_charges set check_at = now() - interval '1 second'
    where intent_id = ${intent_id} and check_at is not null`);

describe("the history of an account", () => {
  test("is read on from where it was read to: what is new, and a page of what is known", async () => {
    const account = new Account();
    await openIpaymu();
    account.crowd(100);
    await readIpaymuHistory(account.ctx());
    expect(account.pages).toEqual([1, 2, 3, 4, 5]);
    account.pages = [];
    await readIpaymuHistory(account.ctx());
    expect(account.pages).toEqual([1]);
    account.crowd(30);
    account.pages = [];
    await readIpaymuHistory(account.ctx());
    expect(account.pages).toEqual([1, 2, 3]);
  });

  test("of many thousand transactions is read in bounded steps, over what comes in meanwhile", async () => {
    const account = new Account();
    const oldest = await openIpaymu();
    account.add(oldest);
    account.crowd(700);
    await readIpaymuHistory(account.ctx());
    expect(account.pages).toHaveLength(30);
    account.pages = [];
    account.crowd(45);
    const newest = await openIpaymu();
    account.add(newest);
    for (const payment of [oldest, newest]) await makeDue(payment);
    // The first reading is ended, and the one that it did not know of is made in the same run.
    await reconcileCharges(account.ctx(), settlements);
    expect(account.pages[0]).toBe(31);
    expect(account.pages.slice(-4)).toEqual([1, 2, 3, 4]);
    expect((await standOf(oldest)).state).toBe("paid");
    expect((await standOf(newest)).state).toBe("paid");
    expect(account.asked).toHaveLength(2);
  });

  test("is read once for all that are waited for, however many they are", async () => {
    const account = new Account();
    const payments = await Promise.all(Array.from({ length: 12 }, () => openIpaymu()));
    account.crowd(5);
    for (const payment of payments.slice(0, 8)) account.add(payment);
    for (const payment of payments) await makeDue(payment);
    const later = account.ctx(16);
    await reconcileCharges(later, settlements);
    expect(account.pages).toEqual([1]);
    const states = await Promise.all(payments.map(standOf));
    expect(states.map(({ state }) => state)).toEqual([
      ...Array(8).fill("paid"),
      ...Array(4).fill("expired"),
    ]);
  });

  test("that was not read to the end of a payment closes nothing", async () => {
    const account = new Account();
    const payment = await openIpaymu();
    account.crowd(700);
    const look = async (minutes: number) => {
      await makeDue(payment);
      await reconcileCharges(account.ctx(minutes), settlements);
      return (await standOf(payment)).state;
    };
    expect(await look(16)).toBe("pending");
    account.isAway = true;
    expect(await look(80)).toBe("pending");
    account.isAway = false;
    expect(await look(81)).toBe("expired");
  });

  test("that shows money for a payment that was closed gives it back, with no callback", async () => {
    const account = new Account();
    const payment = await openIpaymu();
    await makeDue(payment);
    await reconcileCharges(account.ctx(16), settlements);
    expect((await standOf(payment)).state).toBe("expired");
    account.add(payment);
    const other = await openIpaymu();
    await reconcileCharges(account.ctx(17), settlements);
    expect(await standOf(payment)).toMatchObject({
      state: "expired",
      refunds: [{ state: "queued", reason: "paid_late" }],
    });
    expect((await standOf(other)).state).toBe("pending");
  });

  test("shows a transaction that comes late, behind others that were read before it", async () => {
    const account = new Account();
    const payment = await openIpaymu();
    account.add(payment);
    account.crowd(8);
    const [late] = account.transactions.splice(0, 1);
    await readIpaymuHistory(account.ctx());
    account.transactions.unshift(late ?? {});
    await makeDue(payment);
    await reconcileCharges(account.ctx(), settlements);
    expect((await standOf(payment)).state).toBe("paid");
  });

  test("shows money on a later try of a page, while the try before it still waits", async () => {
    const account = new Account();
    const payment = await openIpaymu();
    account.add(payment, { Status: 0 });
    await makeDue(payment);
    await reconcileCharges(account.ctx(), settlements);
    expect((await standOf(payment)).state).toBe("pending");
    const paid = account.add(payment);
    await reconcileCharges(account.ctx(1), settlements);
    expect((await standOf(payment)).state).toBe("paid");
    expect(account.asked).toContain(String(paid));
  });

  test("is read past what others write into it", async () => {
    const account = new Account();
    const payment = await openIpaymu();
    account.add(payment);
    for (const ReferenceId of [
      "x\u0000",
      "\ud800",
      "' or 1=1",
      "y".repeat(10_000),
      payment.intent_id,
    ]) {
      account.transactions.push({
        ...transaction({ TransactionId: uniqueTransaction() }),
        ReferenceId,
      });
    }
    account.transactions.sort((a, b) => Number(a.TransactionId) - Number(b.TransactionId));
    await makeDue(payment);
    await reconcileCharges(account.ctx(), settlements);
    expect((await standOf(payment)).state).toBe("paid");
  });

  test("is read by two runs at once without harm", async () => {
    const account = new Account();
    const payment = await openIpaymu();
    account.crowd(50);
    account.add(payment);
    await makeDue(payment);
    const run = () => reconcileCharges(account.ctx(), settlements);
    await Promise.all([run(), run(), run()]);
    expect(await standOf(payment)).toMatchObject({ state: "paid", references: ["deposit"] });
    account.pages = [];
    await readIpaymuHistory(account.ctx());
    expect(account.pages).toEqual([1]);
  });

  test("is not asked for while nothing is open", async () => {
    const account = new Account();
    await write(sql`update payments_charges c set check_at = null from payments_intents i
      where i.id = c.intent_id and i.provider = 'ipaymu'`);
    await readIpaymuHistory(account.ctx());
    expect(account.pages).toEqual([]);
  });
});

describe("a payment that somebody asks about", () => {
  test("is looked for among the newest, whatever the cron has still to read", async () => {
    const account = new Account();
    const payment = await openIpaymu();
    account.crowd(700);
    await readIpaymuHistory(account.ctx());
    account.add(payment);
    account.pages = [];
    await confirmCharge(account.ctx(), payment.redirect, settlements);
    expect(account.pages).toHaveLength(30);
    expect((await standOf(payment)).state).toBe("paid");
  });

  test("prefers what was paid among its tries, and asks no transaction twice", async () => {
    const account = new Account();
    const payment = await openIpaymu();
    account.add(payment, { Status: -2 });
    const paid = account.add(payment, { Status: 6 });
    account.add(payment, { Status: 0 });
    await confirmCharge(account.ctx(), payment.redirect, settlements);
    expect((await standOf(payment)).state).toBe("paid");
    expect(new Set(account.asked).size).toBe(account.asked.length);
    expect(account.asked).toContain(String(paid));
  });

  test("whose transaction is another's by its own word is not touched", async () => {
    const account = new Account();
    const payment = await openIpaymu();
    account.add(payment);
    account.ownWord = { ReferenceId: "ELSE" };
    const confirmed = confirmCharge(account.ctx(), payment.redirect, settlements);
    await expect(confirmed).rejects.toMatchObject({ kind: "bad_answer" });
    expect((await standOf(payment)).state).toBe("pending");
  });
});
