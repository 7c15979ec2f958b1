import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { post, walletOf } from "../../shared/ledger/ledger.ts";
import { confirmCharge, depositSettlement } from "../../shared/payments/index.ts";
import { api, settleBackground, standIns, testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";

const deposit = (user: TestUser, json: unknown, key?: string) =>
  api("/api/wallet/deposit", {
    method: "POST",
    token: user.token,
    json,
    ...(key && { headers: { "idempotency-key": key } }),
  });

const refsOf = async (depositId: string) =>
  (
    await testContext().db.run(
      rows(
        sql`select c.provider_ref as ref from payments_charges c join payments_intents i on i.id = c.intent_id
          where i.purpose = 'deposit' and i.purpose_id = ${depositId} order by c.channel`,
        z.object({ ref: z.string() }),
      ),
    )
  ).map(({ ref }) => ref);

async function roundTripsOf(headers: Headers): Promise<number> {
  const id = headers.get("x-request-id");
  const answer = await fetch(`${standIns().databaseHttpUrl}/_counts?request_id=${id}`);
  return z.object({ count: z.number() }).parse(await answer.json()).count;
}

const pay = (ref: string) => fetch(`${standIns().midtrans}/_pay/${ref}`, { method: "POST" });

describe("GET /api/wallet", () => {
  test("a wallet that was never used is empty", async () => {
    const user = await createUser();
    const { status, body } = await api("/api/wallet", { token: user.token });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      data: { balance: 0, entries: [] },
      error: null,
      meta: { page: 1, limit: 20, total: 0 },
    });
  });

  test("shows the own movements only, newest first, a page at a time", async () => {
    const [user, other] = [await createUser(), await createUser()];
    const world = unique("w");
    const gateway = { kind: "gateway", owner: world } as const;
    const line = (n: number, owner: TestUser) => ({
      reference: `${world}/${owner.userId}/${n}`,
      debit: gateway,
      credit: walletOf(owner.userId),
      amount: n * 1_000,
      reason: `Uji ${n}`,
    });
    await testContext().db.run(post([line(1, user), line(2, user), line(3, user), line(9, other)]));
    const first = await api("/api/wallet?limit=2", { token: user.token });
    expect(first.body.data.balance).toBe(6_000);
    expect(first.body.data.entries).toMatchObject([
      { amount: 3_000, balance_after: 6_000, reason: "Uji 3" },
      { amount: 2_000, balance_after: 3_000 },
    ]);
    expect(first.body.meta).toMatchObject({ page: 1, limit: 2, total: 3 });
    const second = await api("/api/wallet?limit=2&page=2", { token: user.token });
    expect(second.body.data.entries).toMatchObject([{ amount: 1_000, balance_after: 1_000 }]);
    expect(JSON.stringify(second.body)).not.toContain(world);
  });

  test("is a statement of the Jakarta days that are asked for, whose lines lead from one balance to the other", async () => {
    const user = await createUser();
    const world = unique("w");
    const gateway = { kind: "gateway", owner: world } as const;
    const wallet = walletOf(user.userId);
    const at = {
      a: "2026-03-01T16:59:59.999Z",
      b: "2026-03-01T17:00:00.000Z",
      c: "2026-03-02T09:00:00Z",
      d: "2026-03-03T17:00:00Z",
    };
    const moves = { a: 10_000, b: 5_000, c: -3_000, d: 1_000 };
    for (const [name, amount] of Object.entries(moves)) {
      const [debit, credit] = amount > 0 ? [gateway, wallet] : [wallet, gateway];
      const reference = `${world}/${name}`;
      const line = { reference, debit, credit, amount: Math.abs(amount), reason: name };
      await testContext().db.run(post([line]));
      const moment = at[name as keyof typeof at];
      const moved = sql`update ledger_transfers set created_at = ${moment} where reference = ${reference}`;
      await testContext().db.run(rows(moved, z.unknown()));
    }
    const told = async (query: string) => {
      const { body } = await api(`/api/wallet?${query}`, { token: user.token });
      const { balance, period, entries } = body.data;
      const names = entries.map((entry: { reason: string }) => entry.reason).join("");
      return { balance, ...period, names, total: body.meta.total };
    };
    const balance = 13_000;
    const days = { balance, opening: 10_000, closing: 12_000, in: 5_000, out: 3_000 };
    expect(await told("from=2026-03-02&to=2026-03-03")).toEqual({ ...days, names: "cb", total: 2 });
    expect(await told("from=2026-03-02&to=2026-03-03&limit=1&page=2")).toEqual({
      ...days,
      names: "b",
      total: 2,
    });
    const rest = { balance, opening: 10_000, closing: 13_000, in: 6_000, out: 3_000 };
    expect(await told("from=2026-03-02&to=")).toEqual({ ...rest, names: "dcb", total: 3 });
    const first = { balance, opening: 0, closing: 10_000, in: 10_000, out: 0 };
    expect(await told("to=2026-03-01")).toEqual({ ...first, names: "a", total: 1 });
    expect(await told("from=&to=")).toEqual({ balance, names: "dcba", total: 4 });
    const none = { balance, opening: 13_000, closing: 13_000, in: 0, out: 0 };
    expect(await told("from=2026-03-05&to=2026-03-05")).toEqual({ ...none, names: "", total: 0 });
  });

  test.each(["from=2026-02-30", "to=kemarin", "from=0000-01-01"])(
    "?%s is no day",
    async (query) => {
      const user = await createUser();
      expect((await api(`/api/wallet?${query}`, { token: user.token })).status).toBe(400);
    },
  );

  test.each(["page=0", "page=x&limit=-1", "limit=99999", "page=1e9"])(
    "?%s is no failure",
    async (query) => {
      const user = await createUser();
      expect((await api(`/api/wallet?${query}`, { token: user.token })).status).toBe(200);
    },
  );

  test("is for signed-in users", async () => {
    const { status, body } = await api("/api/wallet");
    expect(status).toBe(401);
    expect(body).toMatchObject({ data: null, error: expect.any(String) });
  });
});

describe("POST /api/wallet/deposit", () => {
  test("answers a code and a link; paid, the balance has grown once", async () => {
    const user = await createUser();
    const { status, body } = await deposit(user, { amount: 50_000, method: "qris" });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      data: {
        deposit_id: expect.any(String),
        payment_url: expect.stringContaining("http"),
        qr_code: expect.stringMatching(/^000201/),
      },
      error: null,
    });
    const refs = await refsOf(body.data.deposit_id);
    for (const ref of refs) {
      await pay(ref);
      await confirmCharge(testContext(), ref, [depositSettlement]);
      await confirmCharge(testContext(), ref, [depositSettlement]);
    }
    await settleBackground();
    const wallet = await api("/api/wallet", { token: user.token });
    expect(wallet.body.data).toMatchObject({
      balance: 50_000,
      entries: [{ amount: 50_000, balance_after: 50_000, reason: "Isi saldo" }],
    });
  });

  test("costs one database round trip before the provider, and one behind the answer", async () => {
    const user = await createUser();
    const { headers } = await deposit(user, { amount: 50_000, method: "qris" }, unique("k"));
    expect(await roundTripsOf(headers)).toBeLessThanOrEqual(2);
    const read = await api("/api/wallet", { token: user.token });
    expect(await roundTripsOf(read.headers)).toBe(1);
  });

  test("the same key answers the same deposit, other input is refused", async () => {
    const user = await createUser();
    const key = unique("k");
    const first = await deposit(user, { amount: 20_000, method: "qris" }, key);
    const again = await deposit(user, { amount: 20_000, method: "qris" }, key);
    expect(again.status).toBe(201);
    expect(again.body.data).toEqual(first.body.data);
    expect((await deposit(user, { amount: 20_001, method: "qris" }, key)).status).toBe(422);
    const stranger = await createUser();
    const other = await deposit(stranger, { amount: 20_000, method: "qris" }, key);
    expect(other.body.data.deposit_id).not.toBe(first.body.data.deposit_id);
  });

  test("10 equal requests at once are one deposit", async () => {
    const user = await createUser();
    const key = unique("k");
    const all = await Promise.all(
      Array.from({ length: 10 }, () => deposit(user, { amount: 30_000, method: "qris" }, key)),
    );
    const ids = new Set(all.flatMap(({ body }) => body.data?.deposit_id ?? []));
    expect(ids.size).toBe(1);
    for (const { status } of all) expect([201, 409]).toContain(status);
    const [made] = await testContext().db.run(
      rows(
        sql`select count(*)::int as n from payments_intents where user_id = ${user.userId}`,
        z.object({ n: z.number() }),
      ),
    );
    expect(made?.n).toBe(1);
  });

  test.each([
    { amount: 9_999, method: "qris" },
    { amount: 10_000_001, method: "qris" },
    { amount: 10_000.5, method: "qris" },
    { amount: -10_000, method: "qris" },
    { amount: "10000", method: "qris" },
    { amount: 10_000, method: "cash" },
    { amount: 10_000 },
    { amount: null, method: "qris" },
    [],
    {},
  ])("%j is refused with a reason", async (json) => {
    const user = await createUser();
    const { status, body } = await deposit(user, json);
    expect(status).toBe(400);
    expect(body).toMatchObject({ data: null, error: expect.stringMatching(/.+/) });
  });

  test("a session that has ended deposits nothing, however young the token", async () => {
    const user = await createUser();
    await testContext().db.run(
      rows(
        sql`update identity_sessions set revoked_at = now() where id = ${user.sessionId}`,
        z.unknown(),
      ),
    );
    expect((await deposit(user, { amount: 10_000, method: "qris" })).status).toBe(401);
    expect((await api("/api/wallet/deposit", { method: "POST", json: {} })).status).toBe(401);
  });
});
