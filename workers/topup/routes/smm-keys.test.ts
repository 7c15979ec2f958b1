import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { balance } from "../../testing/orders.ts";
import { callPanel } from "../resellers/panel/panel.ts";
import { bench } from "../testing/bench.ts";
import {
  createReseller,
  instagram,
  ordersOf,
  panel,
  phone,
  stockService,
  vipTwin,
} from "../testing/reseller.ts";

const QUANTITY = { prepaid: {}, game: {}, social: { quantity: "100" } };

let social: { id: string; number: number };
beforeAll(async () => {
  social = await stockService("social");
});

describe("a key", () => {
  const refusedAs = async (keyId: string, reason: string) =>
    await expect
      .poll(async () => await testContext().db.run(auditOf({ kind: "api_key", id: keyId })))
      .toContainEqual(expect.objectContaining({ outcome: "refused", actorKind: "key", reason }));

  it("that is none, somebody else's or damaged opens nothing, and leaves no trace to fill", async () => {
    const { key, keyId } = await createReseller();
    const other = await createReseller();
    const swapped = key.replace(/^lbk_[^_]+/, other.key.slice(0, other.key.indexOf("_", 4)));
    for (const wrong of [
      "",
      "x",
      `${key}x`,
      `${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`,
      swapped,
    ]) {
      for (const action of ["services", "balance", "status", "add"]) {
        const answer = await panel(wrong, { action, order: 1 });
        expect(answer, wrong).toMatchObject({ status: 200, body: { error: "Invalid API key" } });
      }
    }
    const trace = await testContext().db.run(auditOf({ kind: "api_key", id: keyId }));
    expect(trace.filter(({ outcome }) => outcome === "refused")).toEqual([]);
  });

  it("that was revoked, has expired, or whose owner was banned stops at once, with a trace", async () => {
    for (const end of [
      (id: string) => sql`update topup_api_keys set revoked_at = now() where id = ${id}`,
      (id: string) => sql`update topup_api_keys set expires_at = now() where id = ${id}`,
      (id: string) =>
        sql`update identity_users set banned_at = now() where id = (select user_id from topup_api_keys where id = ${id})`,
    ]) {
      const { key, keyId, user } = await createReseller();
      expect((await panel(key, { action: "balance" })).body.balance).toBe("1000000");
      await testContext().db.run(rows(end(keyId), z.unknown()));
      for (const action of ["balance", "services", "status"]) {
        expect((await panel(key, { action, order: "x" })).body).toEqual({
          error: "Invalid API key",
        });
      }
      const fields = { action: "add", service: social.number, link: instagram(), quantity: 100 };
      expect((await panel(key, fields)).body).toEqual({ error: "Invalid API key" });
      expect(await ordersOf(user.userId)).toEqual([]);
      await refusedAs(keyId, "bad_token");
    }
  });

  it.each(["prepaid", "game", "social"] as const)(
    "is checked in the one transaction that buys (%s)",
    async (family) => {
      const { key, user } = await createReseller();
      const { number } = await stockService(family);
      const link = { prepaid: phone(), game: "12345678|2001", social: instagram() }[family];
      const fields = { key, action: "add", service: `${number}`, link, ...QUANTITY[family] };
      const { ctx, steps, settle } = bench({ timeoutMs: 3_000 });
      const from = { address: "203.0.113.1", idempotencyKey: undefined };
      const stepsAtAnswer = await callPanel(ctx, fields, from).then(steps);
      // The database, the supplier, and the record that has just set out behind the answer.
      expect(stepsAtAnswer).toBe(3);
      await settle();
      expect(await ordersOf(user.userId)).toHaveLength(1);
    },
  );

  it("does what its scopes name and nothing else", async () => {
    const { key, keyId } = await createReseller({ key: { scopes: ["balance:read"] } });
    expect((await panel(key, { action: "balance" })).body.balance).toBe("1000000");
    for (const action of ["services", "status", "add", "refill", "cancel"]) {
      expect((await panel(key, { action, order: 1 })).body).toEqual({
        error: "API key may not use this action",
      });
    }
    await refusedAs(keyId, "forbidden");
  });

  it("works from the networks in its list, of both families, and from no other", async () => {
    const addresses = ["203.0.113.0/24", "2001:db8:7::/48"];
    const { key, keyId } = await createReseller({ key: { addresses } });
    const from = async (address: string) =>
      (await panel(key, { action: "balance" }, { address })).body;
    for (const address of ["203.0.113.9", "::ffff:203.0.113.9", "2001:db8:7:1::1"]) {
      expect(await from(address), address).toEqual({ balance: "1000000", currency: "IDR" });
    }
    for (const address of ["203.0.114.9", "2001:db8:8::1", "rumah"]) {
      expect(await from(address), address).toEqual({ error: "IP address is not allowed" });
    }
    await refusedAs(keyId, "forbidden");
  });

  it("asks no more often than its limit, in the dialect's envelope", async () => {
    const { key } = await createReseller({ key: { requestsPerMinute: 3 } });
    const answers = await Promise.all(
      Array.from({ length: 9 }, () => panel(key, { action: "balance" })),
    );
    // A minute may end in between, which gives another three.
    const good = answers.filter(({ status }) => status === 200);
    expect([3, 6]).toContain(good.length);
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expect(answer).toMatchObject({ status: 429, body: { error: "Too many requests" } });
      expect(answer.headers.get("retry-after")).toBe("60");
    }
  });

  it.each([
    ["not enough funds", { quantity: 1000 }, /funds/],
    ["a like order", { quantity: 100 }, /duplicate/],
  ])("is counted when what it asks for is refused too (%s)", async (_, wish, words) => {
    const { key, user } = await createReseller({ amount: 3_000 });
    const add = () => panel(key, { action: "add", service: social.number, link: "akun", ...wish });
    if (wish.quantity === 100) expect((await add()).body.order).toEqual(expect.any(Number));
    await testContext().db.run(
      rows(
        sql`update topup_api_keys set requests_per_minute = 3 where user_id = ${user.userId}`,
        z.unknown(),
      ),
    );
    const answers: unknown[] = [];
    // Long enough to have more than two minutes' requests, should a minute end in between.
    for (let n = 0; n < 8; n += 1) {
      const { status, body } = await add();
      if (status === 200) expect(body.error).toMatch(words);
      answers.push(status);
    }
    expect(answers).toContain(429);
  });

  it("orders no more in a day than its bound, also at the same moment, and what is refused costs nothing", async () => {
    const { key, user } = await createReseller({ key: { dailyAmount: 10_000 } });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        panel(key, { action: "add", service: social.number, link: instagram(), quantity: 100 }),
      ),
    );
    expect(answers.filter(({ body }) => "order" in body)).toHaveLength(4);
    for (const { body } of answers.filter((one) => "error" in one.body)) {
      expect(body).toEqual({ error: "Daily limit of this API key is reached" });
    }
    expect(await ordersOf(user.userId)).toHaveLength(4);
    expect(await balance("wallet", user.userId)).toBe(1_000_000 - 4 * 2_100);
  });

  it("gets back for the day what the supplier refused and what was refunded", async () => {
    const { key, user } = await createReseller({ key: { dailyAmount: 5_000 } });
    const add = async (refused: boolean) => {
      const link = instagram();
      const say = { match: link, value: "Layanan tidak ditemukan." };
      if (refused) await vipTwin("/_dials", { say }, "PUT");
      return (await panel(key, { action: "add", service: social.number, link, quantity: 100 }))
        .body;
    };
    for (let n = 0; n < 4; n += 1) {
      expect((await add(true)).error).toMatch(/^Order failed: /);
    }
    expect(await add(false)).toEqual({ order: expect.any(Number) });
    expect(await add(false)).toEqual({ order: expect.any(Number) });
    expect(await add(false)).toEqual({ error: "Daily limit of this API key is reached" });
    expect(await balance("wallet", user.userId)).toBe(1_000_000 - 2 * 2_100);
  });

  it("notes its latest use", async () => {
    const { key, user } = await createReseller();
    await panel(key, { action: "balance" });
    const listed = await api("/api/reseller/keys", { token: user.token });
    expect(Date.parse(listed.body.data[0].lastUsedAt)).toBeGreaterThan(Date.now() - 60_000);
  });
});
