import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { testContext } from "../../workers/testing/api.ts";
import { call, rows } from "../db/statement.ts";
import { depositSettlement } from "./deposits.ts";
import { openPayment, randomFrom, standOf, type TestPayment } from "./test-payments.ts";

const answer = z.object({
  first: z.boolean(),
  intent_id: z.string(),
  purpose: z.string(),
  purpose_id: z.string(),
  state: z.string(),
  wake: z.array(z.unknown()),
  close: z.array(z.string()),
});

const settleOnly = (ref: string, amount = 25_000) =>
  call("payments_settle", { provider_ref: ref, transaction_id: `tx-${ref}`, amount }, answer);

/** What confirmCharge sends: the payment and its purpose in one transaction. */
async function settle(payment: TestPayment, ref: string, amount?: number) {
  const [settled] = await testContext().db.batch([
    settleOnly(ref, amount ?? payment.amount),
    depositSettlement.settled(payment.intent_id, new Date()),
  ]);
  return settled;
}

async function expire(payment: TestPayment, ref: string, state = "expired") {
  const [closed] = await testContext().db.batch([
    call("payments_expire", { provider_ref: ref, state }, answer),
    depositSettlement.expired(payment.intent_id),
  ]);
  return closed;
}

describe("an opened payment", () => {
  test("has an unguessable reference per channel that providers take", async () => {
    const { qris, snap } = await openPayment();
    expect(qris).toMatch(/^WD-[0-9A-HJKMNP-TV-Z]{20}-Q$/);
    expect(snap).toBe(qris.replace(/Q$/, "S"));
    expect((await openPayment({ purpose: "market_order" })).qris).toMatch(/^TB-/);
  });

  test("is the only open one of its purpose", async () => {
    const { intent_id } = await openPayment();
    const again = rows(
      sql`select payments_open(purpose, purpose_id, user_id, provider, amount, expires_at, '{qris}')
        from payments_intents where id = ${intent_id}`,
      z.unknown(),
    );
    await expect(testContext().db.run(again)).rejects.toMatchObject({
      constraint: "payments_intents_open_key",
    });
  });
});

describe("settling", () => {
  test("30 parallel identical settlements have one effect and the same answer", async () => {
    const payment = await openPayment();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => settle(payment, payment.qris)),
    );
    expect(answers.filter(({ first }) => first)).toHaveLength(1);
    expect(new Set(answers.map(({ intent_id }) => intent_id))).toEqual(
      new Set([payment.intent_id]),
    );
    const stand = await standOf(payment);
    expect(stand).toMatchObject({ state: "paid", wallet: 25_000, references: ["deposit"] });
    expect(stand.refunds).toEqual([]);
  });

  test("both channels paid: one pays the intent, the other goes back", async () => {
    const payment = await openPayment();
    await Promise.all([settle(payment, payment.qris), settle(payment, payment.snap)]);
    const stand = await standOf(payment);
    expect(stand).toMatchObject({ state: "paid", settling: 1, wallet: 25_000 });
    expect(stand.references.toSorted()).toEqual(["deposit", "refund"]);
    expect(stand.refunds).toEqual([{ state: "queued", reason: "paid_twice" }]);
    expect(Object.values(stand.charges).toSorted()).toEqual(["paid", "refunding"]);
  });

  test("names the other open charge, so that it can be ended at the provider", async () => {
    const payment = await openPayment();
    expect((await settle(payment, payment.qris)).close).toEqual([payment.snap]);
  });

  test("another amount is refused and nothing changes", async () => {
    const payment = await openPayment();
    await expect(settle(payment, payment.qris, 24_999)).rejects.toMatchObject({ code: "conflict" });
    expect(await standOf(payment)).toMatchObject({ state: "pending", references: [] });
  });

  test("an unknown reference is refused", async () => {
    const payment = await openPayment();
    await expect(settle(payment, "WD-NOBODY-Q")).rejects.toMatchObject({ code: "not_found" });
  });

  test("a settlement whose purpose was not reached is completed by the repeat", async () => {
    const payment = await openPayment();
    await testContext().db.run(settleOnly(payment.qris));
    expect(await standOf(payment)).toMatchObject({ state: "paid", wallet: 0 });
    await settle(payment, payment.qris);
    await settle(payment, payment.qris);
    expect(await standOf(payment)).toMatchObject({ wallet: 25_000, references: ["deposit"] });
  });
});

describe("closing", () => {
  test("waits until every channel can no longer be paid", async () => {
    const payment = await openPayment();
    expect(await expire(payment, payment.qris)).toMatchObject({ first: false, state: "pending" });
    expect(await expire(payment, payment.snap)).toMatchObject({ first: true, state: "expired" });
    expect(await expire(payment, payment.snap)).toMatchObject({ first: false, state: "expired" });
  });

  test("has no effect after the payment", async () => {
    const payment = await openPayment();
    await settle(payment, payment.qris);
    await expire(payment, payment.qris);
    await expire(payment, payment.snap);
    const stand = await standOf(payment);
    expect(stand).toMatchObject({ state: "paid", wallet: 25_000 });
    expect(stand.charges).toEqual({ qris: "paid", snap: "expired" });
  });

  test("money that arrives afterwards goes back", async () => {
    const payment = await openPayment();
    await expire(payment, payment.qris);
    await expire(payment, payment.snap, "failed");
    await settle(payment, payment.snap);
    const stand = await standOf(payment);
    expect(stand).toMatchObject({ state: "expired", wallet: 0, references: ["refund"] });
    expect(stand.refunds).toEqual([{ state: "queued", reason: "paid_late" }]);
  });
});

describe("what the provider answered", () => {
  const charged = (payment: TestPayment, charges: Record<string, unknown>[]) =>
    testContext().db.run(
      call(
        "payments_charged",
        { intent_id: payment.intent_id, charges },
        z.object({ state: z.string() }),
      ),
    );
  const idOf = ({ charges }: TestPayment, channel: string) =>
    charges.find((charge) => charge.channel === channel)?.id;

  test("never takes back a payment, and fills only what is empty", async () => {
    const payment = await openPayment();
    await settle(payment, payment.qris);
    const id = idOf(payment, "qris");
    await charged(payment, [{ id, state: "failed", failure: "timeout" }]);
    await charged(payment, [{ id, state: "pending", transaction_id: "other", qr_string: "QR" }]);
    expect((await standOf(payment)).charges.qris).toBe("paid");
    const [row] = await testContext().db.run(
      rows(
        sql`select transaction_id, qr_string from payments_charges where id = ${id}`,
        z.object({ transaction_id: z.string(), qr_string: z.string() }),
      ),
    );
    expect(row).toEqual({ transaction_id: `tx-${payment.qris}`, qr_string: "QR" });
  });

  test("fails the intent only when every channel surely failed", async () => {
    const payment = await openPayment();
    const qris = { id: idOf(payment, "qris"), state: "failed" };
    const snap = { id: idOf(payment, "snap"), state: "unknown" };
    expect(await charged(payment, [qris, snap])).toEqual({ state: "pending" });
    expect(await charged(payment, [{ ...snap, state: "failed" }])).toEqual({ state: "failed" });
  });

  test("cannot reach a charge of another intent", async () => {
    const payment = await openPayment();
    const other = await openPayment();
    await charged(payment, [{ id: idOf(other, "qris"), state: "failed" }]);
    expect((await standOf(other)).charges.qris).toBe("creating");
  });
});

/** The provider's answer to one charge, as startCharges records it. */
function record(payment: TestPayment, ref: string, state: string) {
  const { id } = payment.charges.find((charge) => charge.provider_ref === ref) ?? {};
  const input = { intent_id: payment.intent_id, charges: [{ id, state }] };
  return testContext().db.run(call("payments_charged", input, z.unknown()));
}

/** Ends whatever refunds the payment has by now. */
async function endRefunds({ intent_id }: TestPayment, state: string) {
  await testContext().db.run(
    rows(
      sql`select payments_refund_finish(jsonb_build_object('refund_id', r.id, 'state', ${state}::text))
        from payments_refunds r join payments_charges c on c.id = r.charge_id where c.intent_id = ${intent_id}`,
      z.unknown(),
    ),
  );
}

describe("property", () => {
  const INTENTS = 40;
  const CALLS = 600;
  const CONNECTIONS = 24;

  test.each([1, 2, 3])(
    "seed %i: whatever the order, every payment is allocated once or goes back once",
    {
      timeout: 60_000,
    },
    async (seed) => {
      const random = randomFrom(seed);
      const payments = await Promise.all(Array.from({ length: INTENTS }, () => openPayment()));
      // Which charges the provider has money for: none, one or both.
      const paid = new Set(
        payments.flatMap(({ qris, snap }) => [qris, snap]).filter(() => random(2) === 0),
      );
      const calls = Array.from({ length: CALLS }, () => {
        const payment = payments[random(INTENTS)];
        if (!payment) throw new Error("no payment");
        const ref = random(2) === 0 ? payment.qris : payment.snap;
        const isPaid = paid.has(ref) && random(3) > 0;
        if (isPaid) return () => settle(payment, ref);
        const answered = ["pending", "unknown", "failed"][random(9)];
        if (answered) return () => record(payment, ref, answered);
        const ending = random(2) === 0 ? "refunded" : "credited";
        return random(4) === 0 ? () => endRefunds(payment, ending) : () => expire(payment, ref);
      });
      const settleAll = [...paid].map((ref) => () => {
        const payment = payments.find(({ qris, snap }) => qris === ref || snap === ref);
        if (!payment) throw new Error("no payment");
        return settle(payment, ref);
      });
      await runAll(calls, CONNECTIONS);
      await runAll(settleAll, CONNECTIONS);

      for (const payment of payments) {
        const stand = await standOf(payment);
        const payable = [payment.qris, payment.snap].filter((ref) => paid.has(ref)).length;
        const allocated = stand.references.filter((kind) => kind === "deposit").length;
        expect(allocated).toBe(stand.settling);
        const credited = stand.references.filter((kind) => kind === "credited").length;
        const returned = stand.references.filter((kind) => kind === "refunded").length;
        expect(stand.wallet).toBe((allocated + credited) * payment.amount);
        expect(stand.refunds.filter(({ state }) => state === "credited")).toHaveLength(credited);
        expect(stand.refunds.filter(({ state }) => state === "refunded")).toHaveLength(returned);
        expect(allocated + stand.refunds.length).toBe(payable);
        expect(stand.references.filter((kind) => kind === "refund")).toHaveLength(
          stand.refunds.length,
        );
      }
      const [sums] = await testContext().db.run(
        rows(
          sql`select sum(balance)::float8 as total from ledger_accounts where currency = 'IDR'`,
          z.object({ total: z.number() }),
        ),
      );
      expect(sums?.total).toBe(0);
    },
  );

  async function runAll(calls: (() => Promise<unknown>)[], connections: number) {
    let next = 0;
    const worker = async () => {
      for (let run = calls[next++]; run; run = calls[next++]) await run();
    };
    await Promise.all(Array.from({ length: connections }, worker));
  }
});
