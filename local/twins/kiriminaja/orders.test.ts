import { afterAll, describe, expect, it } from "vitest";
import { call, newOrderId } from "../testing/call.ts";
import {
  apiKey,
  authorization,
  type Courier,
  ofOrder,
  parcel,
  pickup,
  startCourier,
} from "../testing/courier.ts";

const courier: Courier = await startCourier();
const { twin, receiver, ask, dial, move, track, processed } = courier;
afterAll(() => courier.stop());

const idOf = async (search: string) =>
  (await ask("v2/get_address_by_name", { search })).body.data[0].id as number;

describe("before an order", () => {
  it("refuses another key with 401 and unknown paths with 404", async () => {
    expect((await ask("province", {}, { authorization: "Bearer other" })).status).toBe(401);
    expect((await ask("province", {}, { authorization: apiKey })).status).toBe(401);
    expect((await ask("v5/shipping_price")).status).toBe(404);
  });

  it("finds real districts by words of at least three letters", async () => {
    const blitar = await ask("v2/get_address_by_name", { search: "blitar" });
    expect(blitar.body.data.length).toBeGreaterThan(5);
    expect(blitar.body.data[0]).toEqual({
      id: expect.any(Number),
      text: "Kepanjenkidul, Kota Blitar, Jawa Timur",
    });
    expect((await ask("v2/get_address_by_name", { search: "bl" })).body.status).toBe(false);
    expect((await ask("v2/get_address_by_name", { search: "atlantis" })).body.data).toEqual([]);
    const provinces = (await ask("province")).body.datas;
    expect(provinces.length).toBeGreaterThan(10);
    const cities = (await ask("city", { provinsi_id: provinces[0].id })).body.datas;
    const inside = await ask("kecamatan", { kabupaten_id: cities[0].id });
    expect(inside.body.datas[0]).toMatchObject({ kecamatan_name: "Kepanjenkidul" });
  });

  it("prices by distance and by the larger of weight and volume; cost is a string", async () => {
    const origin = await idOf("Kepanjenkidul");
    const price = async (place: string, weight: number, more: Record<string, unknown> = {}) => {
      const destination = await idOf(place);
      const body = { origin, destination, weight, item_value: 10_000, courier: ["jne"], ...more };
      const answer = await ask("v6.1/shipping_price", body);
      const reg = answer.body.results.find((one: { service_type: string }) =>
        one.service_type.startsWith("REG"),
      );
      return reg.cost as string;
    };
    const near = Number(await price("Sananwetan", 1000));
    const far = Number(await price("Menteng", 1000));
    expect(await price("Menteng", 1000)).toBe(String(far));
    expect(near).toBeLessThan(far);
    expect(far).toBeLessThan(Number(await price("Abepura", 1000)));
    expect(await price("Menteng", 1001)).toBe(String(far * 2));
    const box = { length: 30, width: 20, height: 30 };
    expect(await price("Menteng", 1000, box)).toBe(String(far * 3));
  });

  it("gives prices of the asked couriers only, and Pos only between villages", async () => {
    const body = { origin: 1000, destination: 1160, weight: 1000, item_value: 10_000 };
    const codes = async (more: Record<string, unknown>) => {
      const answer = await ask("v6.1/shipping_price", { ...body, ...more });
      return [
        ...new Set(answer.body.results.map((one: { service: string }) => one.service)),
      ] as string[];
    };
    expect(await codes({ courier: ["jnt", "sicepat", "posindonesia"] })).toEqual([
      "jnt",
      "sicepat",
    ]);
    const villages = { subdistrict_origin: 10_000, subdistrict_destination: 11_600 };
    expect(await codes(villages)).toContain("posindonesia");
    const wrong = await ask("v6.1/shipping_price", { ...body, weight: "1000" });
    expect(wrong).toMatchObject({ status: 200, body: { status: false, code: 422 } });
    expect((await ask("v6.1/shipping_price", { ...body, origin: 5 })).body.status).toBe(false);
  });
});

describe("a pickup", () => {
  it("has no AWB in its answer; the callback brings it, with the account's key", async () => {
    const id = newOrderId("L");
    const answer = await ask("v6.1/request_pickup", pickup([parcel(id)]));
    expect(answer.body).toMatchObject({
      status: true,
      method: "request_pickup",
      payment_status: "paid",
      qr_url: null,
      pickup_number: expect.any(String),
      details: [{ order_id: id, kj_order_id: expect.any(String), awb: null, service: "jne" }],
    });
    const [told] = await receiver.until(1, ofOrder(id));
    expect(told?.headers).toMatchObject({
      authorization,
      "user-agent": "KiriminAja-Push-Services",
    });
    expect(told?.body).toMatchObject({
      method: "processed_packages",
      data: [{ order_id: id, awb: expect.stringMatching(/^JNE\d+$/) }],
    });
    const awb = told?.body.data[0].awb;
    expect((await track(awb)).body).toMatchObject({ details: { awb, order_id: id } });
  });

  const wrong: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ["an order id without a letter first", {}, { order_id: "123" }],
    ["an order id of 21 characters", {}, { order_id: `L${"1".repeat(20)}` }],
    ["an item value under 1000", {}, { item_value: 999 }],
    ["a weight in text", {}, { weight: "500" }],
    ["a height of zero", {}, { height: 0 }],
    ["a buyer's phone from abroad", {}, { destination_phone: "+15551234567" }],
    ["a short address", {}, { destination_address: "Jalan 1" }],
    ["a long name", {}, { destination_name: "x".repeat(51) }],
    ["an unknown district", {}, { destination_kecamatan_id: 7 }],
    ["an unknown service", {}, { service_type: "WARP" }],
    ["no cod field", {}, { cod: undefined }],
    ["a cod that does not add up", {}, { cod: 1 }],
    ["a note of 51 characters", {}, { note: "x".repeat(51) }],
    ["a sender's phone of 8 digits", { phone: "08123456" }, {}],
    ["a sender's phone of 14 digits", { phone: "08123456789012" }, {}],
    ["a schedule in ISO form", { schedule: "2099-01-01T10:00:00Z" }, {}],
    ["a schedule in the past", { schedule: "2001-01-01 10:00:00" }, {}],
    ["no packages", { packages: [] }, {}],
    ["Lion without the sender's place", {}, { service: "lion", service_type: "REGPACK" }],
  ];
  it.each(wrong)("is refused as a whole for %s", async (_name, sender, change) => {
    const id = newOrderId("L");
    const good = parcel(newOrderId("L"));
    const body = pickup([good, parcel(id, change)], sender);
    const answer = await ask("v6.1/request_pickup", body);
    expect(answer).toMatchObject({ status: 200, body: { status: false, code: 422 } });
    expect((await track(good.order_id)).body.status).toBe(false);
  });

  it("is refused for a used order id, unless the dial lets it ship twice", async () => {
    const id = await processed();
    const again = () => ask("v6.1/request_pickup", pickup([parcel(id)]));
    expect((await again()).body).toMatchObject({ status: false });
    await dial(id, { repeatOrder: true });
    expect((await again()).body).toMatchObject({ status: true });
  });

  it("waits for its payment on an account without credit terms", async () => {
    const id = newOrderId("L");
    await dial(id, { prepaid: true });
    const answer = await ask(
      "v6.2/request_pickup",
      pickup([parcel(id)], { payment_method: "qris" }),
    );
    const payment_id = answer.body.pickup_number;
    expect(answer.body).toMatchObject({ payment_status: "unpaid", payment_method: "qris" });
    expect((await fetch(answer.body.qr_url)).headers.get("content-type")).toBe("image/svg+xml");
    const unpaid = await ask("v2/get_payment", { payment_id });
    expect(unpaid.body.data).toMatchObject({ status_code: "9", paid_at: null });
    expect((await move(id, "shipped")).status).toBe(409);
    expect((await track(id)).body).toMatchObject({ details: { awb: null }, status_code: 101 });
    await call("POST", `${twin.url}/_pay/${payment_id}`, {});
    const paid = await ask("v2/get_payment", { payment_id });
    expect(paid.body.data).toMatchObject({ status_code: "0", paid_at: expect.any(String) });
    expect((await receiver.until(1, ofOrder(id)))[0]?.body.method).toBe("processed_packages");
  });

  it("by credit wants the PIN, the balance, and no COD", async () => {
    const credit = (change: Record<string, unknown>, one: Record<string, unknown> = {}) =>
      ask(
        "v6.2/request_pickup",
        pickup([parcel(newOrderId("L"), one)], { payment_method: "credit", ...change }),
      );
    expect((await credit({ pin: "000000" })).body).toMatchObject({ status: false, code: 4001 });
    const huge = { shipping_cost: 99_000_000 };
    expect((await credit({ pin: "123456" }, huge)).body).toMatchObject({ code: 4002 });
    const cod = { cod: 43_000 };
    expect((await credit({ pin: "123456" }, cod)).body).toMatchObject({ code: 4003 });
    expect((await credit({ pin: "123456" })).body).toMatchObject({
      status: true,
      payment_status: "paid",
      credit_balance_after: 9_982_000,
    });
  });
});
