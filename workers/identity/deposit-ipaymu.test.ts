import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { confirmCharge, depositSettlement } from "../../shared/payments/index.ts";
import { api, standIns, testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { deliverTo, noticeMessage, twin } from "../testing/orders.ts";

const deposit = (user: TestUser, key = unique("k")) =>
  api("/api/wallet/deposit", {
    method: "POST",
    token: user.token,
    json: { amount: 50_000, method: "ipaymu" },
    headers: { "idempotency-key": key },
  });

/** A deposit whose page is open at the twin, and its reference there. */
async function opened(user: TestUser) {
  const { body } = await deposit(user);
  const [charge] = await testContext().db.run(
    rows(
      sql`select c.provider_ref as ref from payments_charges c join payments_intents i on i.id = c.intent_id
        where i.purpose = 'deposit' and i.purpose_id = ${body.data.deposit_id}`,
      z.object({ ref: z.string() }),
    ),
  );
  if (!charge) throw new Error("no charge was made");
  return { ref: charge.ref, url: String(body.data.payment_url) };
}

const Notices = z.object({
  notices: z.array(
    z.object({ event: z.string(), body: z.string(), headers: z.record(z.string(), z.string()) }),
  ),
});

/** The callbacks that the twin has made so far, as it would send them. */
async function callbacksOf(ref: string) {
  const answer = await fetch(`${standIns().ipaymu}/_orders/${ref}`);
  return Notices.parse(await answer.json()).notices;
}

const atTwin = (path: string, body?: unknown, method?: string) =>
  twin(standIns().ipaymu, path, body, method);
const dial = (match: string, faults: Record<string, unknown>) =>
  atTwin("/_dials", { match, ...faults }, "PUT");

/** A callback on its way: the route judges it, and the queue brings what it has taken. */
async function send({ body, headers }: { body: string; headers: Record<string, string> }) {
  const answer = await api("/api/payment/callback", { method: "POST", body, headers });
  if (answer.status === 200) await deliverTo("webhooks", noticeMessage("ipaymu", body));
  return answer;
}

async function walletOf(user: TestUser) {
  const { body } = await api("/api/wallet", { token: user.token });
  return body.data;
}

describe("a deposit by iPaymu", () => {
  test("answers a page to pay on and no code, the same one for the same key", async () => {
    const user = await createUser();
    const key = unique("k");
    const { status, body } = await deposit(user, key);
    expect(status).toBe(201);
    expect(body.data).toEqual({
      deposit_id: expect.any(String),
      payment_url: expect.stringContaining(`${standIns().ipaymu}/payment/`),
      qr_code: null,
    });
    expect((await deposit(user, key)).body.data).toEqual(body.data);
    const page = await fetch(body.data.payment_url);
    expect(await page.text()).toContain("50.000");
  });

  test("asked for many times at once by one key, is one page for everybody", async () => {
    const user = await createUser();
    const key = unique("k");
    const answers = await Promise.all(Array.from({ length: 8 }, () => deposit(user, key)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
    const [first, ...others] = answers.map(({ body }) => body.data);
    for (const other of others) expect(other).toEqual(first);
    expect((await deposit(user, key)).body.data).toEqual(first);
  });

  test("paid, its signed callbacks fill the wallet once, whatever their order and number", async () => {
    const user = await createUser();
    const { ref } = await opened(user);
    await atTwin(`/_pay/${ref}`);
    const callbacks = await callbacksOf(ref);
    expect(callbacks.map(({ event }) => event)).toEqual(["pending", "berhasil"]);
    for (const callback of [...callbacks].reverse().concat(callbacks)) {
      expect(await send(callback)).toMatchObject({ status: 200, body: { success: true } });
    }
    expect(await walletOf(user)).toMatchObject({
      balance: 50_000,
      entries: [{ amount: 50_000, reason: "Isi saldo" }],
    });
  });

  test.each([
    { jsonNotice: true },
    { signatureInBody: true },
    { signatureForm: "raw-utf8" },
    { signatureForm: "without-empty" },
    { signatureForm: "integers" },
    { extraFields: true },
    { escrowWord: true },
    { leanForm: true },
    { unsettled: true },
    { numbersAsText: true },
    { jsonNotice: true, extraFields: true, unsettled: true },
  ])("is understood with the vendor's variant %j", async (variant) => {
    const user = await createUser();
    const { ref } = await opened(user);
    await dial(ref, variant);
    await atTwin(`/_pay/${ref}`);
    for (const callback of await callbacksOf(ref)) {
      expect((await send(callback)).status).toBe(200);
    }
    expect((await walletOf(user)).balance).toBe(50_000);
  });

  test("a forged callback is refused, an altered one too", async () => {
    const user = await createUser();
    const { ref } = await opened(user);
    await dial(ref, { forge: true });
    await atTwin(`/_pay/${ref}`);
    for (const callback of await callbacksOf(ref)) {
      const { status, body } = await send(callback);
      expect({ status, body }).toEqual({
        status: 400,
        body: { error: "Invalid signature", status: 400 },
      });
    }
    await atTwin(`/_dials?match=${ref}`, {}, "DELETE");
    expect((await walletOf(user)).balance).toBe(0);
  });

  test("a callback for a payment that the provider calls unpaid fills nothing", async () => {
    const [user, payer] = [await createUser(), await createUser()];
    const [mine, other] = [await opened(user), await opened(payer)];
    await atTwin(`/_pay/${other.ref}`);
    const [, paid] = await callbacksOf(other.ref);
    if (!paid) throw new Error("no callback was made");
    const forged = paid.body.replace(other.ref, mine.ref);
    await deliverTo("webhooks", noticeMessage("ipaymu", forged));
    expect((await walletOf(user)).balance).toBe(0);
  });

  test("whose callbacks were lost is found in the provider's history", async () => {
    const user = await createUser();
    const { ref } = await opened(user);
    await atTwin(`/_pay/${ref}`);
    const found = await confirmCharge(testContext(), ref, [depositSettlement]);
    expect(found).toEqual({ kind: "done" });
    expect((await walletOf(user)).balance).toBe(50_000);
  });

  test("that expires at the provider stays unpaid", async () => {
    const user = await createUser();
    const { ref, url } = await opened(user);
    const picked = new URLSearchParams({ channel: "va/bca" });
    await fetch(`${url}/pick`, { method: "POST", body: picked, redirect: "manual" });
    await atTwin(`/_expire/${ref}`);
    const callbacks = await callbacksOf(ref);
    expect(callbacks.map(({ event }) => event)).toEqual(["pending", "expired"]);
    for (const callback of callbacks) expect((await send(callback)).status).toBe(200);
    const [charge] = await testContext().db.run(
      rows(
        sql`select c.state from payments_charges c where c.provider_ref = ${ref}`,
        z.object({ state: z.string() }),
      ),
    );
    expect(charge?.state).toBe("expired");
    expect((await walletOf(user)).balance).toBe(0);
  });
});
