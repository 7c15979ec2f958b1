import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { balance } from "../../testing/orders.ts";
import { openOrder, ORDERS as PATH, post, REQUESTS, reason, stateOf } from "../testing/desk.ts";
import {
  createReseller,
  ordersOf,
  panel,
  phone,
  stockService,
  vipTwin,
} from "../testing/reseller.ts";

let prepaid: { number: number };
let one: TestUser;
beforeAll(async () => {
  prepaid = await stockService("prepaid");
});
beforeEach(async () => {
  // Each with a day's limit of his own.
  one = await createUser(["admin"]);
});
afterAll(async () => {
  await stockService("social");
});

describe("an order below the limit", () => {
  it("is ended by one admin, with its money, once, and with a trace", async () => {
    const { reseller, id } = await openOrder();
    const settled = await post(one, `${PATH}/${id}/settle`, { as: "success", reason });
    expect(settled).toMatchObject({
      status: 200,
      body: { success: true, data: { state: "done", needsSecond: false, outcome: "success" } },
    });
    expect(await stateOf(reseller)).toBe("success");
    expect(await balance("escrow", `topup:${reseller.user.userId}`)).toBe(0);
    for (const again of ["settle", "refund"]) {
      const refused = await post(one, `${PATH}/${id}/${again}`, { as: "failed", reason });
      expect(refused).toMatchObject({ status: 409, body: failureBody("topup", 409) });
    }
    expect(await balance("wallet", reseller.user.userId)).toBe(5_000_000 - 210_000);
    const detail = await api(`${PATH}/${id}`, { token: one.token });
    expect(detail.body.data).toMatchObject({
      state: "success",
      requests: [{ action: "success", state: "done", requestedBy: one.userId, reason }],
    });
    expect(detail.body.data.events.map(({ state }: { state: string }) => state)).toEqual([
      "pending",
      "buying",
      "processing",
      "success",
    ]);
    const trace = await testContext().db.run(auditOf({ kind: "topup_order", id }));
    expect(trace.filter(({ outcome }) => outcome === "done")).toMatchObject([
      { action: "topup.order.success.finish", actorId: one.userId },
      { action: "topup.order.success.request", actorId: one.userId, reason },
    ]);
  });

  it("is refunded, or ended in part, to the rupiah", async () => {
    const refunded = await openOrder();
    await post(one, `${PATH}/${refunded.id}/refund`, { reason });
    expect(await stateOf(refunded.reseller)).toBe("refunded");
    expect(await balance("wallet", refunded.reseller.user.userId)).toBe(5_000_000);
    const partial = await openOrder();
    const missing = await post(one, `${PATH}/${partial.id}/settle`, { as: "partial", reason });
    expect(missing).toMatchObject({ status: 400, body: failureBody("topup", 400) });
    await post(one, `${PATH}/${partial.id}/settle`, { as: "partial", remain: 333, reason });
    expect(await balance("wallet", partial.reseller.user.userId)).toBe(
      5_000_000 - 210_000 + 69_930,
    );
  });

  it("keeps a serial number sealed, for its owner alone", async () => {
    const reseller = await createReseller();
    const number = phone();
    await vipTwin("/_dials", { stay: { match: number } }, "PUT");
    const { body } = await panel(reseller.key, {
      action: "add",
      service: prepaid.number,
      link: number,
    });
    await expect.poll(() => stateOf(reseller)).toBe("processing");
    const [{ id } = { id: "" }] = await ordersOf(reseller.user.userId);
    const serial = "SN-RAHASIA-123";
    const settled = await post(one, `${PATH}/${id}/settle`, { as: "success", reason, serial });
    expect(settled.body.data).toMatchObject({ state: "done" });
    const detail = await api(`${PATH}/${id}`, { token: one.token });
    expect(JSON.stringify([settled.body, detail.body])).not.toContain(serial);
    const kept = await testContext().db.run(
      rows(
        sql`select (select jsonb_agg(to_jsonb(h)) from topup_hand_requests h where h.order_id = ${id})::text
            || (select jsonb_agg(to_jsonb(a)) from audit_entries a where a.subject_id = ${id})::text as text`,
        z.object({ text: z.string() }),
      ),
    );
    expect(JSON.stringify(kept)).not.toMatch(/SN-RAHASIA|serial/);
    expect((await panel(reseller.key, { action: "status", order: body.order })).body.sn).toBe(
      serial,
    );
  });
});

describe("a retry by hand", () => {
  it("places an order that surely was not bought again, as its owner, once", async () => {
    const reseller = await createReseller();
    const number = phone();
    await vipTwin("/_dials", { say: { match: number, value: "Nomor salah.", count: 1 } }, "PUT");
    const refused = await panel(reseller.key, {
      action: "add",
      service: prepaid.number,
      link: number,
    });
    expect(refused.body).toEqual({ error: "Order failed: The number or target is wrong" });
    const [failed] = await ordersOf(reseller.user.userId);
    expect(failed).toMatchObject({ state: "failed", refunded: failed?.amount });
    const retry = () => post(one, `${PATH}/${failed?.id}/retry`, { reason });
    expect((await retry()).body.data).toMatchObject({
      state: "done",
      outcome: expect.stringMatching(/^placed again: PRE-/),
    });
    const orders = await ordersOf(reseller.user.userId);
    expect(orders.length).toBe(2);
    expect(orders[1]?.state).not.toBe("failed");
    expect(await balance("wallet", reseller.user.userId)).toBe(1_000_000 - (failed?.amount ?? 0));
    expect(await retry()).toMatchObject({ status: 409, body: failureBody("topup", 409) });
    expect(await ordersOf(reseller.user.userId)).toHaveLength(2);
  });

  it("of an order that the supplier has only looks it up, and of a refunded one does nothing", async () => {
    const { reseller, id } = await openOrder();
    const looked = await post(one, `${PATH}/${id}/retry`, { reason });
    expect(looked.body.data).toMatchObject({ state: "done", outcome: "looked up: processing" });
    await post(one, `${PATH}/${id}/refund`, { reason });
    expect(await post(one, `${PATH}/${id}/retry`, { reason })).toMatchObject({
      status: 409,
      body: failureBody(
        "topup",
        409,
        "Only an order that surely was not bought can be placed again",
      ),
    });
    expect(await ordersOf(reseller.user.userId)).toHaveLength(1);
  });
});

describe("the list of orders", () => {
  it("is searched by number, target and the supplier's id, filtered, and read page by page", async () => {
    const { reseller, id, trxid } = await openOrder();
    const [order] = await ordersOf(reseller.user.userId);
    const list = async (query: string) =>
      (await api(`${PATH}?${query}`, { token: one.token })).body.data;
    for (const search of [order?.number, trxid]) {
      expect((await list(`search=${search}`)).orders).toMatchObject([{ id, trxId: trxid }]);
    }
    const { target } = (await list(`search=${trxid}`)).orders[0];
    expect((await list(`search=${encodeURIComponent(target)}`)).orders).toHaveLength(1);
    const user = `userId=${reseller.user.userId}`;
    expect((await list(`${user}&state=processing&family=social`)).orders).toHaveLength(1);
    expect((await list(`${user}&state=success`)).orders).toEqual([]);
    expect((await list(`${user}&family=game`)).orders).toEqual([]);
    expect((await list(`${user}&to=2020-01-01`)).orders).toEqual([]);
    expect((await list(`${user}&from=2020-01-01&to=2099-12-31`)).orders).toHaveLength(1);
    const first = await list("limit=1");
    const second = await list(`limit=1&cursor=${first.next}`);
    expect(first.orders).toHaveLength(1);
    expect(second.orders[0].id < first.orders[0].id).toBe(true);
  });

  it.each([
    "state=done",
    "family=x",
    "userId=-1",
    "from=2026-02-30",
    "to=besok",
    "to=0000-01-01",
    "from=0001-01-01",
  ])("with %s is refused with 400", async (query) => {
    const answer = await api(`${PATH}?${query}`, { token: one.token });
    expect(answer).toMatchObject({ status: 400, body: failureBody("topup", 400) });
  });
});

describe("nobody but an admin", () => {
  it("reads or touches an order, and who tried is known", async () => {
    const { reseller, id } = await openOrder();
    for (const [method, path, json] of [
      ["GET", PATH, undefined],
      ["GET", `${PATH}/${id}`, undefined],
      ["POST", `${PATH}/${id}/settle`, { as: "failed", reason }],
      ["POST", `${PATH}/${id}/refund`, { reason }],
      ["POST", `${PATH}/${id}/retry`, { reason }],
      ["GET", REQUESTS, undefined],
      ["POST", `${REQUESTS}/${crypto.randomUUID()}/confirm`, undefined],
      ["POST", `${REQUESTS}/${crypto.randomUUID()}/reject`, undefined],
    ] as const) {
      const call = { method, token: reseller.user.token, ...(json ? { json } : {}) };
      expect(await api(path, call), path).toMatchObject({
        status: 403,
        body: failureBody("topup", 403, "Insufficient privileges"),
      });
    }
    expect(await stateOf(reseller)).toBe("processing");
    await expect
      .poll(async () => await testContext().db.run(auditOf({ kind: "topup_order", id })))
      .toContainEqual(
        expect.objectContaining({
          outcome: "refused",
          reason: "forbidden",
          actorId: reseller.user.userId,
        }),
      );
  });

  it.each([
    ["settle", { as: "success" }],
    ["settle", { as: "success", reason: "x" }],
    ["settle", { as: "pending", reason }],
    ["settle", { as: "partial", reason, remain: 0.5 }],
    ["settle", { as: "success", reason, chargedAmount: -1 }],
    ["refund", {}],
  ])("and he says what and why: %s with %j is refused", async (verb, json) => {
    const answer = await post(one, `${PATH}/${crypto.randomUUID()}/${verb}`, json);
    expect(answer).toMatchObject({ status: 400, body: failureBody("topup", 400) });
  });

  it("an order or request that is none is missing", async () => {
    for (const id of [crypto.randomUUID(), "x"]) {
      for (const [path, json] of [
        [`${PATH}/${id}/refund`, { reason }],
        [`${PATH}/${id}/retry`, { reason }],
        [`${REQUESTS}/${id}/confirm`, undefined],
      ] as const) {
        expect(await post(one, path, json)).toMatchObject({
          status: 404,
          body: failureBody("topup", 404),
        });
      }
    }
  });
});
