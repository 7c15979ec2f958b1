import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { md5Hex, sha256Hex } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { consumeDeadLetters, consumeNotices } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { alertRefusedFlood, purgeCallbacks, replayCallback } from "../admin/callbacks.ts";
import { callbackApplier, receiveCallback, refusedCallbackApplier } from "../orders/index.ts";
import { placePrepaid } from "../orders/place.ts";
import { bench } from "../testing/bench.ts";
import { received } from "../testing/callbacks.ts";
import { theOrderOf } from "../testing/outcomes.ts";
import { vipTwin } from "../testing/reseller.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";

const PATH = "/api/admin/topup";
let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

const get = (path: string) => api(`${PATH}${path}`, { token: admin.token });
const post = (path: string) => api(`${PATH}${path}`, { method: "POST", token: admin.token });
const execute = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

const Parcel = z.object({ body: z.string() });
const Place = z.object({ place: z.string() });

/** The row of the log that a message of refused callbacks became. */
async function rowOf({ body }: { body: unknown }): Promise<string> {
  const { place } = Place.parse(JSON.parse(Parcel.parse(body).body));
  const [row] = await testContext().db.run(
    rows(sql`select id from inbox_events where event_key = ${place}`, z.object({ id: z.string() })),
  );
  return row?.id ?? "";
}

/** What goes on the queue when a signed callback is taken in. */
async function taken(body: string): Promise<unknown[]> {
  const { ctx, sent } = contextWithQueues();
  const { VIP_RESELLER_API_ID: apiId, VIP_RESELLER_API_KEY: apiKey } = ctx.config;
  const headers = new Headers({
    "x-client-signature": md5Hex(apiId + apiKey),
    "cf-connecting-ip": "203.0.113.9",
  });
  await receiveCallback(ctx, headers, received(body));
  return sent.map((message) => message.body);
}

async function callback(body: string): Promise<void> {
  const { batch } = deliver("topup-callbacks", await taken(body));
  await consumeNotices(contextWithQueues().ctx, batch, [callbackApplier]);
}

/** The row of a signed callback about an order that waits for it. */
async function heldBack() {
  const user = await customer(100_000);
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const { ctx, settle } = bench({ actor: user });
  await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber });
  await settle();
  const { trxid } = await theOrderOf(phoneNumber);
  await callback(JSON.stringify({ data: { trxid, status: "success", note: "" } }));
  const { callbacks } = (await get("/callbacks?limit=100&verdict=verified")).body.data;
  return callbacks.find((one: { trxId: string }) => one.trxId === trxid);
}

describe("the supplier's callbacks", () => {
  it("are listed with what became of them, replayed by hand, and forgotten after ninety days", async () => {
    const trxid = unique("VP").toUpperCase();
    const body = JSON.stringify({ data: { trxid, status: "success", note: "SN-RAHASIA" } });
    await callback(body);
    const find = async (query = "") =>
      (await get(`/callbacks?limit=100${query}`)).body.data.callbacks.find(
        (one: { trxId: string }) => one.trxId === trxid,
      );
    const listed = await find();
    expect(listed).toMatchObject({
      verdict: "verified",
      count: 1,
      from: [{ address: "203.0.113.9", count: 1 }],
      status: "success",
      state: "parked",
    });
    expect(JSON.stringify((await get("/callbacks")).body)).not.toContain("RAHASIA");
    expect(await find("&verdict=refused")).toBeUndefined();
    expect(await find("&state=applied")).toBeUndefined();

    expect((await post(`/callbacks/${listed.id}/replay`)).body.data).toEqual({ state: "parked" });
    expect((await find()).attempts).toBe(1);
    const trace = await testContext().db.run(auditOf({ kind: "supplier_callback", id: listed.id }));
    expect(trace).toMatchObject([{ action: "topup.callback.replay", actorId: admin.userId }]);
    for (const id of ["x", crypto.randomUUID()]) {
      expect((await post(`/callbacks/${id}/replay`)).status).toBe(404);
    }

    await purgeCallbacks(testContext());
    expect(await find()).toBeDefined();
    // One that was never applied is forgotten too, once cron has given up on it.
    await execute(
      sql`update inbox_events set created_at = now() - interval '91 days', state = 'received' where id = ${listed.id}`,
    );
    await purgeCallbacks(testContext());
    expect(await find()).toBeDefined();
    await execute(sql`update inbox_events set retry_at = null where id = ${listed.id}`);
    await purgeCallbacks(testContext());
    expect(await find()).toBeUndefined();
  });

  it("are replayed by hand in every state, those too that no retry could apply", async () => {
    const trxid = unique("VP").toUpperCase();
    const body = JSON.stringify({ data: { trxid, status: "success", note: "SN-RAHASIA" } });
    const find = async (query = "") =>
      (await get(`/callbacks?limit=100&verdict=verified${query}`)).body.data.callbacks.filter(
        (one: { trxId: string }) => one.trxId === trxid,
      );
    const { batch } = deliver("webhooks-dead", await taken(body));
    await consumeDeadLetters(contextWithQueues().ctx, batch);
    const [dead] = await find("&state=dead");
    expect(dead).toMatchObject({ state: "dead", status: "success", count: 1 });
    expect(await find()).toEqual([dead]);
    expect(await find("&state=parked")).toEqual([]);
    expect(await post(`/callbacks/${dead.id}/replay`)).toMatchObject({
      status: 200,
      body: { data: { state: "queued" } },
    });
    // It is on its queue again, and the Worker's own consumer writes it.
    await expect.poll(() => find(), { timeout: 10_000 }).toMatchObject([{ state: "parked" }]);
    const [{ id }] = await find();
    for (const state of ["received", "parked", "applied"]) {
      await execute(sql`update inbox_events set state = ${state} where id = ${id}`);
      expect(await find(`&state=${state}`)).toHaveLength(1);
      expect((await post(`/callbacks/${id}/replay`)).body.data).toEqual({ state: "parked" });
    }
  });

  it("stay dead, and in the log, while their queue takes nothing", async () => {
    const trxid = unique("VP").toUpperCase();
    const body = JSON.stringify({ data: { trxid, status: "success", note: "" } });
    const { batch } = deliver("topup-callbacks-dead", await taken(body));
    await consumeDeadLetters(contextWithQueues().ctx, batch);
    const find = async () =>
      (await get("/callbacks?limit=100&state=dead")).body.data.callbacks.find(
        (one: { trxId: string }) => one.trxId === trxid,
      );
    const { ctx, sent } = contextWithQueues();
    const queue = ctx.queues["topup-callbacks"];
    const out = { ...queue, send: () => Promise.reject(new Error("queue is out")) };
    const { id } = await find();
    const asAdmin = { ...ctx, actor: admin };
    const broken = { ...asAdmin, queues: { ...ctx.queues, "topup-callbacks": out } };
    await expect(replayCallback(broken, id)).rejects.toMatchObject({ code: "unavailable" });
    expect(await find()).toMatchObject({ id, state: "dead" });
    expect(await replayCallback(asAdmin, id)).toBe("queued");
    expect(sent).toHaveLength(1);
    expect(await find()).toBeUndefined();
  });

  it("that are replayed while the supplier does not answer wait as they did, and the admin is told", async () => {
    await stockShelves();
    const { id } = await heldBack();
    await vipTwin("/_dials", { refuse: { path: "/api/prepaid", count: 100 } }, "PUT");
    const answer = await post(`/callbacks/${id}/replay`);
    await vipTwin("/_dials", {}, "DELETE");
    expect(answer).toMatchObject({ status: 503, body: failureBody("topup", 503) });
    expect((await post(`/callbacks/${id}/replay`)).body.data).toEqual({ state: "parked" });
  });

  it("that are refused by the thousand within an hour are told to the operator, once a day", async () => {
    const { ctx } = contextWithQueues();
    const provider = unique("refused");
    const Mail = z.object({
      to: z.string(),
      what: z.string(),
      facts: z.record(z.string(), z.unknown()),
    });
    const mails = () =>
      ctx.db.run(
        rows(
          sql`select payload->>'to' as "to", payload->'data'->>'what' as what, payload->'data'->'facts' as facts
            from jobs where dedupe_key like ${`mail/alert/topup-refused/${provider}/%`}`,
          Mail,
        ),
      );
    const parcel = (from: Record<string, number>) => {
      const named = Object.entries(from).map(([address, count]) => ({ address, count }));
      const count = named.reduce((sum, one) => sum + one.count, 0);
      const body = JSON.stringify({ v: 2, place: crypto.randomUUID(), count, from: named });
      return execute(
        sql`select inbox_receive(${JSON.stringify({
          ...{ provider, event_key: unique(), body },
          received_at: new Date().toISOString(),
        })}::jsonb)`,
      );
    };
    await parcel({ "198.51.100.1": 600, "198.51.100.2": 300 });
    await alertRefusedFlood(ctx, provider);
    expect(await mails()).toEqual([]);
    await parcel({ "198.51.100.2": 400, "198.51.100.3": 1 });
    await Promise.all(Array.from({ length: 4 }, () => alertRefusedFlood(ctx, provider)));
    await parcel({ "198.51.100.4": 5_000 });
    await alertRefusedFlood(ctx, provider);
    const facts = { "198.51.100.1": 600, "198.51.100.2": 700, "198.51.100.3": 1 };
    expect(await mails()).toEqual([
      {
        to: ctx.config.ALERT_EMAIL,
        what: expect.stringContaining("1301"),
        facts: { ditolak: 1_301, ...facts },
      },
    ]);
  });

  it("that were refused say how many came from where and when, each by its facts, for ninety days", async () => {
    const { ctx: present, sent } = contextWithQueues();
    let now = new Date();
    const ctx = { ...present, now: () => now };
    const note = unique("RAHASIA");
    const forged = JSON.stringify({ data: { trxid: "VPX", status: "success", note } });
    const refuse = (address: string) =>
      receiveCallback(ctx, new Headers({ "cf-connecting-ip": address }), received(forged));
    const fates = await Promise.allSettled(
      ["203.0.113.1", "203.0.113.1", "203.0.113.2"].map(refuse),
    );
    expect(fates.map(({ status }) => status)).toEqual(Array.from({ length: 3 }, () => "rejected"));
    now = new Date("2001-02-03T04:05:06Z");
    await expect(refuse("203.0.113.3")).rejects.toThrow();
    const { batch } = deliver(
      "topup-callbacks",
      sent.map((message) => message.body),
    );
    await consumeNotices(contextWithQueues().ctx, batch, [refusedCallbackApplier]);
    const [id = "", old = ""] = await Promise.all(sent.map(rowOf));
    const find = async () =>
      (await get("/callbacks?verdict=refused&limit=100")).body.data.callbacks.find(
        (one: { id: string }) => one.id === id,
      );
    expect(await find()).toMatchObject({
      ...{ verdict: "forged", count: 3, sources: 2, state: "applied", trxId: null },
      from: [
        { address: "203.0.113.1", count: 2 },
        { address: "203.0.113.2", count: 1 },
      ],
      firstAt: expect.stringMatching(/Z$/),
    });
    const { data: each } = (await get(`/callbacks/${id}/refused`)).body;
    const facts = { verdict: "forged", form: "provider", length: forged.length, isWhole: true };
    expect(each).toMatchObject([
      { ...facts, from: "203.0.113.1", times: 2 },
      { ...facts, from: "203.0.113.2", times: 1 },
    ]);
    expect(each[0].sha256).toBe(await sha256Hex(forged));
    expect(JSON.stringify(each)).not.toContain(note);
    expect((await post(`/callbacks/${id}/replay`)).status).toBe(409);
    for (const other of ["x", crypto.randomUUID()]) {
      expect((await get(`/callbacks/${other}/refused`)).status).toBe(404);
    }

    expect((await get(`/callbacks/${old}/refused`)).body.data).toHaveLength(1);
    await purgeCallbacks(testContext());
    expect((await get(`/callbacks/${id}/refused`)).body.data).toHaveLength(2);
    expect((await get(`/callbacks/${old}/refused`)).body.data).toBeNull();
    await execute(
      sql`update inbox_events set created_at = now() - interval '91 days' where id = ${id}`,
    );
    await purgeCallbacks(testContext());
    expect(await find()).toBeUndefined();
  });
});
