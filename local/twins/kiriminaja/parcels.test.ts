import { afterAll, describe, expect, it } from "vitest";
import { call, newOrderId } from "../testing/call.ts";
import { authorization, type Courier, ofOrder, startCourier } from "../testing/courier.ts";

const courier: Courier = await startCourier();
const { twin, receiver, ask, dial, move, track, processed } = courier;
afterAll(() => courier.stop());

describe("the way of a parcel", () => {
  it("goes to the buyer step by step, told and tracked", async () => {
    const id = await processed();
    await move(id, "shipped");
    expect((await track(id)).body).toMatchObject({ status_code: 106, method: "shTracking" });
    await move(id, "finished");
    const tracked = (await track(id)).body;
    expect(tracked).toMatchObject({
      status: true,
      status_code: 200,
      details: { delivered: true, refunded: false, status_code: null },
    });
    expect(tracked.histories[0]).toMatchObject({ status_code: 200, receiver: "Budi" });
    const told = await receiver.until(3, ofOrder(id));
    expect(told.map((one) => one.body.method)).toEqual([
      "processed_packages",
      "shipped_packages",
      "finished_packages",
    ]);
    expect((await move(id, "returned")).status).toBe(409);
  });

  it("may come back, be rejected or be lost", async () => {
    const back = await processed();
    for (const to of ["shipped", "returning", "returned"]) await move(back, to);
    const told = (await receiver.until(4, ofOrder(back))).slice(2).map((one) => one.body.data[0]);
    expect(told.map((one) => one.returned_at)).toEqual([null, expect.any(String)]);
    expect((await track(back)).body).toMatchObject({
      status_code: 400,
      details: { refunded: true },
    });
    const refused = await processed();
    await move(refused, "rejected");
    expect((await receiver.until(2, ofOrder(refused)))[1]?.body).toMatchObject({
      method: "rejected_packages",
      data: [{ rejected_at: expect.any(String), reason: expect.any(String) }],
    });
    const lost = await processed();
    await move(lost, "shipped");
    await move(lost, "lost");
    expect((await track(lost)).body.status_code).toBe(701);
  });

  it("is cancelled by AWB before the courier has it, by query or by body", async () => {
    const cancel = async (id: string, asQuery: boolean) => {
      await dial(id, { cancelDelayMs: 0 });
      const { awb } = (await track(id)).body.details;
      const values = { awb, reason: "Stok habis" };
      const query = asQuery ? `?${new URLSearchParams(values)}` : "";
      return await ask(`v3/cancel_shipment${query}`, asQuery ? {} : values);
    };
    for (const asQuery of [true, false]) {
      const id = await processed();
      const answer = await cancel(id, asQuery);
      expect(answer.body).toMatchObject({ status: true, data: { success: "pending" } });
      expect((await receiver.until(2, ofOrder(id)))[1]?.body).toMatchObject({
        method: "canceled_packages",
        data: [{ reason: "Stok habis", date: expect.any(String) }],
      });
      expect((await track(id)).body.status_code).toBe(300);
    }
    for (const place of ["collected", "shipped"]) {
      const fetched = await processed();
      await move(fetched, place);
      expect((await cancel(fetched, false)).body).toMatchObject({ status: false });
    }
    const twice = await processed();
    await dial(twice, { cancelDelayMs: 60_000 });
    const { awb } = (await track(twice)).body.details;
    const ask350 = () => ask("v3/cancel_shipment", { awb, reason: "Stok habis" });
    expect((await ask350()).body).toMatchObject({ status: true });
    expect((await ask350()).body).toMatchObject({ status: false, code: 422 });
    const short = await ask("v3/cancel_shipment", { awb: "x", reason: "abc" });
    expect(short.body).toMatchObject({ status: false, code: 422 });
  });
});

describe("callbacks", () => {
  it("come in the full form by dial, with ISO dates, payment and packages", async () => {
    const id = await processed();
    await dial(id, { full: true });
    await move(id, "shipped");
    const [, told] = await receiver.until(2, ofOrder(id));
    expect(told?.body).toMatchObject({
      method: "shipped_packages",
      data: [{ shipped_at: expect.stringMatching(/T.*Z$/), finished_at: null, returned_at: null }],
      payment: { status_code: "0" },
      packages: [{ order_id: id, service: "jne" }],
    });
  });

  it("are not repeated after an error, save by dial; and are forged by dial", async () => {
    const id = await processed();
    receiver.answers.push({ status: 500 });
    await move(id, "shipped");
    expect(twin.notices(id)[1]).toMatchObject({ state: "failed", attempts: { length: 1 } });
    await dial(id, { forge: { count: 1 }, resend: 2, retryScale: 0 });
    receiver.answers.push({ status: 500 });
    await move(id, "finished");
    const got = await receiver.until(4, ofOrder(id));
    expect(got.slice(2).map((one) => one.headers.authorization === authorization)).toEqual([
      false,
      false,
    ]);
    await call("POST", `${twin.url}/_notify/${id}`, { method: "canceled_packages" });
    const [last] = (await receiver.until(5, ofOrder(id))).slice(-1);
    expect(last).toMatchObject({
      headers: { authorization },
      body: { method: "canceled_packages" },
    });
  });

  it("go where set_callback says, which must be a URL", async () => {
    expect((await ask("set_callback", { url: "nowhere" })).body.status).toBe(false);
    const moved = receiver.url.replace("/hook", "/moved");
    expect((await ask("set_callback", { url: moved })).body.status).toBe(true);
    const id = await processed();
    expect(receiver.got.filter(ofOrder(id))[0]?.path).toBe("/moved");
    await ask("set_callback", { url: receiver.url });
  });
});

it("faults hold for calls that name the parcel by its AWB, and for its buyer's name", async () => {
  const name = `Buyer ${newOrderId()}`;
  const id = await processed({ destination_name: name });
  const { awb } = (await track(id)).body.details;
  await dial(name, { refuse: { value: 500, count: 1 } });
  expect((await track(awb)).status).toBe(500);
  expect((await track(awb)).status).toBe(200);
  await dial(name, { httpErrors: true });
  expect((await ask("tracking", { order_id: name })).status).toBe(404);
});

it("shows people the parcels with their next steps", async () => {
  const id = await processed();
  const page = await call("GET", `${twin.url}/`);
  expect(page.text).toContain(`action="/_move/${id}"`);
  expect((await call("GET", `${twin.url}/_orders/${id}`)).body).toMatchObject({ order_id: id });
});
