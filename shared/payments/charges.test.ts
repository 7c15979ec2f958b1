import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground, testContext } from "../../workers/testing/api.ts";
import type { Ctx } from "../context.ts";
import { rows } from "../db/statement.ts";
import { type OpenedPayment, openedPayment } from "./charge.ts";
import { type StartDetails, startCharges } from "./charges.ts";
import { depositSettlement } from "./deposits.ts";
import type { Settlement } from "./settlement.ts";
import { contextWith, dial, openPayment, standOf, twin } from "./test-payments.ts";

const details = { settlement: depositSettlement, reference: { deposit_id: "d-1" } };

async function start(opened: OpenedPayment, more: Partial<StartDetails> = {}, ctx?: Ctx) {
  try {
    return await startCharges(ctx ?? contextWith(), opened, { ...details, ...more });
  } finally {
    await settleBackground();
  }
}

/** The intent as a repeat of the request reads it. */
async function reopen({ intent_id }: OpenedPayment) {
  const shape = z.object({ opened: openedPayment });
  const found = rows(sql`select payments_opened(${intent_id}) as opened`, shape);
  const [row] = await testContext().db.run(found);
  if (!row) throw new Error("no such intent");
  return row.opened;
}

const chargesOf = async (opened: OpenedPayment) =>
  Object.fromEntries((await reopen(opened)).charges.map((charge) => [charge.channel, charge]));

/** A settlement that counts what it is told. */
function recordingSettlement(): Settlement & { expiredIds: string[] } {
  const expiredIds: string[] = [];
  return {
    ...depositSettlement,
    expiredIds,
    expired: (intentId) => {
      expiredIds.push(intentId);
      return depositSettlement.expired(intentId);
    },
  };
}

describe("starting a payment", () => {
  test("answers a QR code and a payment page, each under its own order id", async () => {
    const opened = await openPayment();
    const started = await start(opened);
    expect(started.qrCode).toMatch(/^000201/);
    expect(started.paymentUrl).toContain("/snap/v3/redirection/");
    const { qris, snap } = await chargesOf(opened);
    expect(qris).toMatchObject({ state: "pending", qr_string: started.qrCode });
    expect(snap).toMatchObject({ state: "pending", payment_url: started.paymentUrl });
    expect(await twin("GET", `/_orders/${opened.snap}`)).toMatchObject({
      status: "no method picked",
    });
  });

  test("may be paid at the provider exactly as long as the intent lives", async () => {
    const opened = await openPayment({ minutes: 7 });
    await start(opened);
    const { expiry_time } = await twin("GET", `/v2/${opened.qris}/status`);
    const expiresAt = Date.parse(`${String(expiry_time).replace(" ", "T")}+07:00`);
    expect(Math.abs(expiresAt - opened.expires_at.getTime())).toBeLessThan(1_000);
    expect(expiresAt).toBeLessThanOrEqual(opened.expires_at.getTime());
  });

  test("the provider sees the items, and items that do not add up open nothing", async () => {
    const item = { id: "p1", name: "Kopi", price: 30_000, quantity: 1 };
    const off = { id: "promo", name: "Potongan promo", price: -5_000, quantity: 1 };
    const good = await openPayment();
    expect((await start(good, { items: [item, off] })).qrCode).not.toBeNull();
    const bad = await openPayment();
    await expect(start(bad, { items: [item] })).rejects.toMatchObject({
      code: "provider_unavailable",
    });
    expect((await standOf(bad)).state).toBe("failed");
  });

  test("a repeat before anything was recorded gets the first answer", async () => {
    const opened = await openPayment();
    const first = await start(opened);
    expect(await start(opened)).toEqual(first);
  });

  test("a repeat after it was recorded does not ask the provider", async () => {
    const opened = await openPayment();
    const first = await start(opened);
    await dial(opened.qris.slice(0, -2), { down: true });
    expect(await start(await reopen(opened))).toEqual(first);
  });

  test("two equal requests at once open one charge per channel", async () => {
    const opened = await openPayment();
    const both = await Promise.allSettled([start(opened), start(opened)]);
    const [first] = both.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    for (const one of both) {
      if (one.status === "fulfilled") expect(one.value).toEqual(first);
      else expect(one.reason).toMatchObject({ code: "in_progress" });
    }
    const order = await twin("GET", `/_orders/${opened.qris}`);
    expect(order.transactions).toHaveLength(1);
  });

  test("while an equal call is still running the second caller is told so", async () => {
    const opened = await openPayment();
    await dial(opened.qris, { delayMs: { value: 300, count: 1 } });
    const both = await Promise.allSettled([start(opened), start(opened)]);
    const [answered, refused] = both.toSorted((a, b) => a.status.localeCompare(b.status));
    expect(answered).toMatchObject({ value: { qrCode: expect.stringMatching(/^000201/) } });
    expect(refused).toMatchObject({ reason: { code: "in_progress", status: 409 } });
  });

  test("after its time is over nothing is opened any more", async () => {
    const opened = await openPayment({ minutes: 1 });
    const late = contextWith({ now: new Date(Date.now() + 120_000) });
    await expect(start(opened, {}, late)).rejects.toMatchObject({ code: "conflict" });
    await expect(twin("GET", `/_orders/${opened.qris}`)).rejects.toThrow("404");
  });

  test("keeps who is to hear of a refund", async () => {
    const opened = await openPayment();
    await start(opened, { customer: { name: "Uji", email: "uji@test.example", phone: null } });
    expect((await standOf(opened)).email).toBe("uji@test.example");
  });
});

describe("a provider in trouble", () => {
  test.each([
    ["refuses the QR code", { refuse: 400 }],
    ["answers rubbish for it", { rubbish: true }],
    ["breaks the connection", { down: true }],
  ])("that %s still leaves the payment page", async (_, fault) => {
    const opened = await openPayment();
    await dial(opened.qris, fault);
    const started = await start(opened);
    expect(started).toMatchObject({ qrCode: null, paymentUrl: expect.any(String) });
    expect((await standOf(opened)).state).toBe("pending");
  });

  test("that cannot be reached leaves the payment in doubt; when it is back a repeat gets its codes", async () => {
    const opened = await openPayment();
    const settlement = recordingSettlement();
    const ctx = contextWith({ url: "http://127.0.0.1:9" });
    await expect(start(opened, { settlement }, ctx)).rejects.toMatchObject({
      code: "provider_unavailable",
      status: 503,
      meta: { deposit_id: "d-1" },
    });
    expect(await standOf(opened)).toMatchObject({
      state: "pending",
      charges: { qris: "unknown", snap: "unknown" },
    });
    expect(settlement.expiredIds).toEqual([]);
    expect((await start(await reopen(opened))).qrCode).toMatch(/^000201/);
  });

  test("that refuses both channels fails the payment; a repeat gets the same refusal", async () => {
    const opened = await openPayment();
    const settlement = recordingSettlement();
    await dial(opened.qris.slice(0, -2), { refuse: 400 });
    await expect(start(opened, { settlement })).rejects.toMatchObject({
      code: "provider_unavailable",
      meta: { deposit_id: "d-1" },
    });
    expect(await standOf(opened)).toMatchObject({
      state: "failed",
      charges: { qris: "failed", snap: "failed" },
    });
    expect(settlement.expiredIds).toEqual([opened.intent_id]);
    await twin("DELETE", `/_dials?match=${opened.qris.slice(0, -2)}`);
    await expect(start(await reopen(opened))).rejects.toMatchObject({
      code: "provider_unavailable",
    });
  });

  test("that acts and never answers leaves the payment in doubt and releases nothing", async () => {
    const opened = await openPayment();
    const settlement = recordingSettlement();
    const match = opened.qris.slice(0, -2);
    await dial(match, { timeOut: true });
    const impatient = contextWith({ timeoutMs: 200 });
    await expect(start(opened, { settlement }, impatient)).rejects.toMatchObject({
      code: "provider_unavailable",
      meta: { deposit_id: "d-1" },
    });
    expect(await standOf(opened)).toMatchObject({
      state: "pending",
      charges: { qris: "unknown", snap: "unknown" },
    });
    expect(settlement.expiredIds).toEqual([]);

    await twin("DELETE", `/_dials?match=${match}`);
    const started = await start(await reopen(opened));
    expect(started.qrCode).toMatch(/^000201/);
    expect((await standOf(opened)).charges).toEqual({ qris: "pending", snap: "pending" });
    const order = await twin("GET", `/_orders/${opened.qris}`);
    expect(order.transactions).toHaveLength(1);
  });

  test("a database that is away behind the answer does not take the answer back", async () => {
    const opened = await openPayment();
    const ctx = contextWith();
    const outage = {
      run: () => Promise.reject(new Error("away")),
      batch: () => Promise.reject(new Error("away")),
    };
    const broken = { ...ctx, db: Object.assign(Object.create(ctx.db), outage) };
    expect((await start(opened, {}, broken)).qrCode).not.toBeNull();
    expect((await standOf(opened)).charges).toEqual({ qris: "creating", snap: "creating" });
  });
});
