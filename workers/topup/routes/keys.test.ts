import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";

const PATH = "/api/reseller/keys";

async function makeKey(user: TestUser, json: Record<string, unknown> = {}) {
  const made = await api(PATH, {
    method: "POST",
    token: user.token,
    json: { name: "Toko", ...json },
  });
  expect(made).toMatchObject({ status: 200, body: { success: true } });
  return made.body.data;
}

describe("an API key", () => {
  it("is shown once, and only its digest is kept", async () => {
    const user = await createUser();
    const made = await makeKey(user, { name: " Panel saya " });
    expect(made).toMatchObject({
      name: "Panel saya",
      scopes: ["services:read", "orders:write", "orders:read", "balance:read"],
      addresses: [],
      requestsPerMinute: 120,
      dailyAmount: null,
      expiresAt: null,
      lastUsedAt: null,
      revokedAt: null,
    });
    expect(made.key).toMatch(/^lbk_[0-9a-z]+_[\w-]{65}$/);
    expect(made.prefix.length).toBeLessThan(30);
    const listed = await api(PATH, { token: user.token });
    expect(listed.body.data).toHaveLength(1);
    expect(JSON.stringify(listed.body)).not.toContain(made.key);
    const [row] = await testContext().db.run(
      rows(
        sql`select to_jsonb(k)::text as text, k.hash from topup_api_keys k where k.id = ${made.id}`,
        z.object({ text: z.string(), hash: z.string() }),
      ),
    );
    expect(row?.hash).toBe(await sha256Hex(made.key));
    expect(row?.text).not.toContain(made.key.slice(-43));
    expect(await testContext().db.run(auditOf({ kind: "api_key", id: made.id }))).toMatchObject([
      { action: "topup.key.create", outcome: "done", actorId: user.userId, actorKind: "user" },
    ]);
  });

  it("keeps addresses in one spelling, of both families", async () => {
    const made = await makeKey(await createUser(), {
      addresses: [
        ...["203.0.113.7", "10.1.2.3/8", "2001:DB8:0::5", "2001:db8:1::/48"],
        ...["::ffff:203.0.113.8", "::FFFF:c000:2ff/120"],
      ],
    });
    expect(made.addresses).toEqual([
      ...["203.0.113.7", "10.0.0.0/8", "2001:db8::5", "2001:db8:1::/48"],
      ...["203.0.113.8", "192.0.2.0/24"],
    ]);
  });

  it.each<[string, Record<string, unknown>]>([
    ["no name", { name: " " }],
    ["a control character", { name: "a\u0007b" }],
    ["no scope", { scopes: [] }],
    ["an unknown scope", { scopes: ["admin"] }],
    ["a scope twice", { scopes: ["orders:read", "orders:read"] }],
    ["no address", { addresses: ["toko.example"] }],
    ["a network of too many bits", { addresses: ["10.0.0.0/33"] }],
    ["a negative bound", { dailyAmount: -1 }],
    ["half a rupiah", { dailyAmount: 0.5 }],
    ["an end in the past", { expiresAt: "2020-01-01T00:00:00Z" }],
    ["no date", { expiresAt: "besok" }],
    ["a scope under another name, which would be all of them", { scope: ["services:read"] }],
    ["a bound under another name", { daily_amount: 5 }],
  ])("with %s is refused with 400", async (_, json) => {
    const { token } = await createUser();
    const refused = await api(PATH, { method: "POST", token, json: { name: "Toko", ...json } });
    expect(refused).toMatchObject({ status: 400, body: failureBody("topup", 400) });
  });

  it("is changed and revoked by its owner, for good, with a trace", async () => {
    const user = await createUser();
    const { id } = await makeKey(user, { dailyAmount: 5000 });
    const change = (json: unknown) =>
      api(`${PATH}/${id}`, { method: "PUT", token: user.token, json });
    expect((await change({ name: "Baru", scopes: ["balance:read"] })).body.data).toMatchObject({
      name: "Baru",
      scopes: ["balance:read"],
      dailyAmount: 5000,
    });
    expect(await change({ daily_amount: 1 })).toMatchObject({ status: 400 });
    expect((await change({ dailyAmount: null })).body.data).toMatchObject({ dailyAmount: null });
    const revoke = () => api(`${PATH}/${id}`, { method: "DELETE", token: user.token });
    const { revokedAt } = (await revoke()).body.data;
    expect(revokedAt).toEqual(expect.any(String));
    expect((await revoke()).body.data.revokedAt).toBe(revokedAt);
    expect(await change({ name: "Lagi" })).toMatchObject({
      status: 409,
      body: failureBody("topup", 409),
    });
    const trace = await testContext().db.run(auditOf({ kind: "api_key", id }));
    expect(trace.filter(({ outcome }) => outcome === "done").map(({ action }) => action)).toEqual([
      "topup.key.revoke",
      "topup.key.change",
      "topup.key.change",
      "topup.key.create",
    ]);
    expect(trace.at(-2)).toMatchObject({ before: { name: "Toko" }, after: { name: "Baru" } });
  });

  it("of somebody else is missing, and the attempt is kept", async () => {
    const { id } = await makeKey(await createUser());
    const other = await createUser();
    for (const path of [`${PATH}/${id}`, `${PATH}/${crypto.randomUUID()}`, `${PATH}/x`]) {
      for (const call of [{ method: "PUT", json: { name: "X" } }, { method: "DELETE" }]) {
        const refused = await api(path, { ...call, token: other.token });
        expect(refused).toMatchObject({
          status: 404,
          body: failureBody("topup", 404, "API key not found"),
        });
      }
    }
    expect((await api(PATH, { token: other.token })).body.data).toEqual([]);
    await expect
      .poll(async () => await testContext().db.run(auditOf({ kind: "api_key", id })))
      .toContainEqual(
        expect.objectContaining({ outcome: "refused", reason: "not_found", actorId: other.userId }),
      );
  });

  it("is one of twenty at most, also when many are made at once", async () => {
    const user = await createUser();
    const all = await Promise.all(
      Array.from({ length: 24 }, () =>
        api(PATH, { method: "POST", token: user.token, json: { name: "Toko" } }),
      ),
    );
    expect(all.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(all.filter(({ status }) => status === 409)).toHaveLength(4);
  });
});
