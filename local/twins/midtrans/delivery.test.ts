import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { call, newOrderId } from "../testing/call.ts";
import { type Received, type Receiver, startReceiver } from "../testing/receiver.ts";
import { signature } from "./bodies.ts";
import { type MidtransTwin, startMidtransTwin } from "./twin.ts";

const serverKey = "SB-Mid-server-TESTKEY0001";
const authorization = `Basic ${Buffer.from(`${serverKey}:`).toString("base64")}`;
let twin: MidtransTwin;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  twin = await startMidtransTwin({ serverKey, notifyUrl: receiver.url });
});
beforeEach(() => receiver.answers.splice(0));
afterAll(async () => {
  await twin.stop();
  await receiver.stop();
});

const charge = (id: string, headers: Record<string, string> = {}) =>
  call(
    "POST",
    `${twin.url}/v2/charge`,
    { payment_type: "qris", transaction_details: { order_id: id, gross_amount: 10_000 } },
    { authorization, ...headers },
  );
/** A charge whose pending notice has come, so that what follows is the test's own. */
const charged = async () => {
  const id = newOrderId();
  await charge(id);
  await receiver.until(1, ofOrder(id));
  return id;
};
const dial = (match: string, dials: Record<string, unknown>) =>
  call("PUT", `${twin.url}/_dials`, { match, ...dials });
const hand = (what: string, id: string, body: unknown = {}) =>
  call("POST", `${twin.url}/_${what}/${id}`, body);
const ofOrder = (id: string) => (one: Received) => one.body.order_id === id;
const isSigned = ({ body }: Received) =>
  body.signature_key === signature(body.order_id, body.status_code, body.gross_amount, serverKey);
const words = (list: Received[]) => list.map((one) => one.body.transaction_status);

describe("repeats as documented", () => {
  const cases: [number, number][] = [
    [500, 1],
    [503, 4],
    [400, 2],
    [404, 2],
    [302, 0],
    [418, 5],
  ];
  it.each(cases)("an answer of %i is tried again %i times", async (answer, retries) => {
    const id = await charged();
    await dial(id, { retryScale: 0 });
    receiver.answers.push(...Array.from({ length: retries + 1 }, () => ({ status: answer })));
    await hand("pay", id);
    await receiver.until(retries + 2, ofOrder(id));
    await expect
      .poll(() => twin.notices(id)[1])
      .toMatchObject({ state: "failed", attempts: { length: retries + 1 } });
  });

  it("stops at the first success, and follows 307 with POST", async () => {
    const id = await charged();
    await dial(id, { retryScale: 0 });
    receiver.answers.push({ status: 503 }, { status: 307, location: "/moved" });
    await hand("pay", id);
    const got = await receiver.until(4, ofOrder(id));
    expect(got.map((one) => one.path)).toEqual(["/hook", "/hook", "/hook", "/moved"]);
    await expect
      .poll(() => twin.notices(id)[1])
      .toMatchObject({ state: "delivered", attempts: [{ status: 503 }, { status: 200 }] });
  });

  it("goes where the call's own header says, up to three addresses", async () => {
    const id = newOrderId();
    const root = receiver.url.replace("/hook", "");
    await charge(id, { "x-override-notification": `${root}/a, ${root}/b` });
    const got = await receiver.until(2, ofOrder(id));
    expect(got.map((one) => one.path).sort()).toEqual(["/a", "/b"]);
    const other = newOrderId();
    await charge(other, { "x-append-notification": `${root}/c` });
    const more = await receiver.until(2, ofOrder(other));
    expect(more.map((one) => one.path).sort()).toEqual(["/c", "/hook"]);
  });
});

it("tells of an expiry by itself when its time has come", async () => {
  const id = newOrderId();
  const began = new Date(Date.now() + 7 * 3_600_000 - 18_800).toISOString();
  const order_time = began.slice(0, 19).replace("T", " ");
  const custom_expiry = { order_time, expiry_duration: 20, unit: "second" };
  const details = { order_id: id, gross_amount: 10_000 };
  const body = { payment_type: "qris", transaction_details: details, custom_expiry };
  await call("POST", `${twin.url}/v2/charge`, body, { authorization });
  expect(words(await receiver.until(2, ofOrder(id)))).toEqual(["pending", "expire"]);
});

describe("dials on notices touch only what they match", () => {
  it("lose, duplicate, forge, reorder", async () => {
    const [lost, doubled, forged, reordered, plain] = await Promise.all(
      Array.from({ length: 5 }, charged),
    );
    if (!lost || !doubled || !forged || !reordered || !plain) throw new Error("no orders");
    await dial(lost, { lose: true });
    await dial(doubled, { duplicate: 2 });
    await dial(forged, { forge: { count: 1 } });
    await dial(reordered, { reorder: { count: 1 } });
    for (const id of [lost, doubled, forged, reordered, plain]) await hand("pay", id);
    await hand("chargeback", reordered);
    expect(words(await receiver.until(4, ofOrder(doubled)))).toEqual([
      "pending",
      "settlement",
      "settlement",
      "settlement",
    ]);
    expect((await receiver.until(2, ofOrder(forged))).map(isSigned)).toEqual([true, false]);
    expect(words(await receiver.until(3, ofOrder(reordered)))).toEqual([
      "pending",
      "chargeback",
      "settlement",
    ]);
    expect((await receiver.until(2, ofOrder(plain))).map(isSigned)).toEqual([true, true]);
    expect(receiver.got.filter(ofOrder(lost))).toHaveLength(1);
    expect(twin.notices(lost)[1]).toMatchObject({ state: "lost" });
  });

  it("a hand sends other fields, signed, forged or under the old signature", async () => {
    const id = await charged();
    await hand("pay", id);
    await hand("notify", id, { status: "pending" });
    await hand("notify", id, { gross_amount: "1.00" });
    await hand("notify", id, { gross_amount: "2.00", sign: "keep" });
    await hand("notify", id, { sign: false });
    await hand("notify", id, { times: 3 });
    const got = (await receiver.until(9, ofOrder(id))).slice(2);
    expect(got.map(isSigned)).toEqual([true, true, false, false, true, true, true]);
    expect(got[0]?.body).toMatchObject({ transaction_status: "pending", status_code: "201" });
    expect(got[1]?.body).toMatchObject({ gross_amount: "1.00" });
  });

  it("a payment of another amount shows in the query too", async () => {
    const id = await charged();
    await hand("pay", id, { gross_amount: 5000 });
    const status = await call("GET", `${twin.url}/v2/${id}/status`, undefined, { authorization });
    expect(status.body).toMatchObject({ gross_amount: "5000.00", status_code: "200" });
  });
});

describe("dials on requests touch only what they match", () => {
  it("refuse, rubbish and down do not act; a count is spent", async () => {
    const id = newOrderId();
    await dial(id, { refuse: { value: 500, count: 1 } });
    expect((await charge(newOrderId())).status).toBe(200);
    expect((await charge(id)).status).toBe(500);
    await dial(id, { rubbish: { count: 1 } });
    const rubbish = await charge(id);
    expect(rubbish).toMatchObject({ status: 200, text: expect.stringContaining("<html>") });
    await dial(id, { down: { count: 1 } });
    await expect(charge(id)).rejects.toThrow("fetch failed");
    expect((await charge(id)).body).toMatchObject({ status_code: "201" });
  });

  it("timeOut acts and never answers; a fault that acts leaves the charge behind", async () => {
    const id = newOrderId();
    await dial(id, { timeOut: { count: 1 } });
    const given = fetch(`${twin.url}/v2/charge`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({
        payment_type: "qris",
        transaction_details: { order_id: id, gross_amount: 10_000 },
      }),
      signal: AbortSignal.timeout(200),
    });
    await expect(given).rejects.toThrow();
    expect((await charge(id)).body).toMatchObject({ status_code: "406" });
    const other = newOrderId();
    await dial(other, { down: { count: 1, acts: true } });
    await expect(charge(other)).rejects.toThrow();
    expect((await charge(other)).body).toMatchObject({ status_code: "406" });
  });

  it("match holds for calls that name a transaction, and for anything in the charge", async () => {
    const id = newOrderId();
    const made = await charge(id);
    await dial(id, { refuse: 503, path: "/status" });
    const path = `${twin.url}/v2/${made.body.transaction_id}/status`;
    expect((await call("GET", path, undefined, { authorization })).status).toBe(503);
    await call("DELETE", `${twin.url}/_dials?match=${id}`);
    expect((await call("GET", path, undefined, { authorization })).status).toBe(200);
  });

  it("one scope is set without touching another, and an unknown dial is named", async () => {
    const [one, other] = [newOrderId(), newOrderId()];
    await dial(one, { refuse: 500 });
    await dial(other, { refuse: 502 });
    await dial(one, {});
    expect((await charge(one)).status).toBe(200);
    expect((await charge(other)).status).toBe(502);
    const wrong = await dial(one, { explode: true });
    expect(wrong).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("explode") },
    });
  });

  it("httpErrors gives errors the HTTP status of their body code", async () => {
    const id = newOrderId();
    await dial(id, { httpErrors: true });
    const path = `${twin.url}/v2/${id}/status`;
    expect((await call("GET", path, undefined, { authorization })).status).toBe(404);
  });
});

it("says in clear words that a port is taken", async () => {
  await expect(startMidtransTwin({ serverKey, port: twin.port })).rejects.toThrow(
    `port ${twin.port} is taken by another program`,
  );
});

it("shows people the orders, escaped, with buttons", async () => {
  const id = await charged();
  const page = await call("GET", `${twin.url}/`);
  expect(page.text).toContain(id);
  expect(page.text).toContain(`action="/_pay/${id}"`);
  const paid = await fetch(`${twin.url}/_pay/${id}`, {
    method: "POST",
    redirect: "manual",
    headers: { accept: "text/html" },
    body: new URLSearchParams(),
  });
  expect(paid.status).toBe(303);
  expect((await call("GET", `${twin.url}/_orders/${id}`)).body.status).toBe("settlement");
});
