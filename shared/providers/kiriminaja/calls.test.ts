import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import { fakeKiriminAja, KEY, replyTo, tracking } from "../testing/kiriminaja.ts";

const network = new FakeNetwork();
const client = () => fakeKiriminAja(network);

afterEach(() => {
  network.verify();
});

describe("searchAreas", () => {
  test("asks by JSON with the bearer key and gives ids as texts", async () => {
    const data = [{ id: 5789, text: "Ngemplak, Kabupaten Sleman, DI Yogyakarta" }];
    replyTo(network, "areas", answer(200, { status: true, text: "Success", data }));
    expect(await client().searchAreas("  Ngemplak ")).toEqual([
      { areaId: "5789", label: "Ngemplak, Kabupaten Sleman, DI Yogyakarta" },
    ]);
    expect(network.sent[0]?.headers).toEqual({
      accept: "application/json",
      authorization: `Bearer ${KEY}`,
      "content-type": "application/json",
      "user-agent": "lumbung/1",
    });
    expect(network.firstJson()).toEqual({ search: "Ngemplak" });
  });

  test("of fewer than 3 characters is not sent", async () => {
    expect(await failureOf(client().searchAreas(" ab "))).toMatchObject({ kind: "invalid" });
  });
});

describe("getRates", () => {
  const input = {
    originAreaId: "5783",
    destinationAreaId: "5507",
    weightGram: 321.2,
    itemValueIdr: 149_990,
  };
  const rate = {
    service: "jne",
    service_name: "JNE Express Reguler",
    service_type: "REG23",
    cost: "12000",
    etd: "2-3",
    cod: true,
    group: "regular",
    drop: true,
    force_insurance: false,
    discount_amount: 360,
    setting: { cod_fee: "0.03" },
    insurance: 2500,
  };

  test("sends numbers and reads the price from its text", async () => {
    replyTo(network, "rates", answer(200, { status: true, results: [rate] }));
    expect(await client().getRates({ ...input, couriers: ["jne"] })).toEqual([
      {
        courierCode: "jne",
        courierName: "JNE",
        serviceCode: "REG23",
        serviceName: "JNE Express Reguler",
        priceIdr: 12_000,
        duration: "2-3",
        type: "regular",
        insuranceIdr: 2_500,
        insuranceForced: false,
      },
    ]);
    expect(network.firstJson()).toEqual({
      origin: 5783,
      destination: 5507,
      weight: 322,
      length: 1,
      width: 1,
      height: 1,
      insurance: 0,
      item_value: 149_990,
      courier: ["jne"],
    });
  });

  test("knows no courier by name? then its code in capitals; insurance as a text of v5 is read", async () => {
    const results = [{ ...rate, service: "baru", insurance: "2500", etd: null, group: null }];
    replyTo(network, "rates", answer(200, { status: true, results }));
    expect(await client().getRates({ ...input, couriers: [] })).toMatchObject([
      { courierName: "BARU", insuranceIdr: 2_500, duration: "", type: "regular" },
    ]);
    expect(network.firstJson()).not.toHaveProperty("courier");
  });

  test("no courier serves the way: an empty list", async () => {
    replyTo(network, "rates", answer(200, { status: true, results: [] }));
    expect(await client().getRates(input)).toEqual([]);
  });

  test("a price with a fraction or none at all is a bad answer", async () => {
    const odd = answer(200, { status: true, results: [{ ...rate, cost: "12000.75" }] });
    replyTo(network, "rates", odd, odd, odd);
    expect(await failureOf(client().getRates(input))).toMatchObject({ kind: "bad_answer" });
  });

  test("an area id that is no number is not sent", async () => {
    const call = client().getRates({ ...input, originAreaId: "5783; drop" });
    expect(await failureOf(call)).toMatchObject({ kind: "invalid", outcome: "not_done" });
  });
});

describe("track", () => {
  test("tells state, waybill and Jakarta times", async () => {
    replyTo(network, "tracking", answer(200, tracking));
    expect(await client().track("LB1001")).toEqual({
      statusCode: 200,
      status: "delivered",
      cancelAsked: false,
      text: "Delivered to BAGUS",
      awb: "DEVEL-000000004",
      shippedAt: new Date("2021-07-13T10:44:04Z"),
      deliveredAt: new Date("2021-10-17T09:53:00Z"),
      returnedAt: null,
      histories: [
        {
          at: new Date("2021-07-14T09:00:00Z"),
          description: "Delivered to BAGUS",
          statusCode: 200,
        },
        {
          at: new Date("2021-07-14T02:53:00Z"),
          description: "With delivery courier",
          statusCode: 100,
        },
      ],
    });
    expect(network.firstJson()).toEqual({ order_id: "LB1001" });
  });

  test("a parcel without waybill is pending", async () => {
    const details = { ...tracking.details, awb: null, shipped_at: null, delivered_at: null };
    replyTo(
      network,
      "tracking",
      answer(200, { ...tracking, status_code: 100, details, histories: [] }),
    );
    expect(await client().track("LB1001")).toMatchObject({
      status: "pending",
      awb: null,
      shippedAt: null,
    });
  });

  test("an unknown order is refused", async () => {
    replyTo(network, "tracking", answer(200, { status: false, text: "Data tidak ditemukan" }));
    expect(await failureOf(client().track("LB1"))).toMatchObject({
      kind: "refused",
      outcome: "not_done",
    });
  });

  test("the tracking of another parcel is a bad answer", async () => {
    replyTo(network, "tracking", answer(200, tracking));
    expect(await failureOf(client().track("LB2"))).toMatchObject({ kind: "bad_answer" });
  });
});

describe("cancel and getPayment", () => {
  test("cancel sends waybill and reason in the body and nothing in the address", async () => {
    const data = { success: "pending", date: "2024-06-17 02:00:00" };
    replyTo(network, "cancel", answer(200, { status: true, method: "cancel_shipment", data }));
    expect(await client().cancel("DEVEL-000000004", "Data paket salah")).toEqual({
      final: false,
      at: new Date("2024-06-16T19:00:00Z"),
    });
    expect(network.firstJson()).toEqual({ awb: "DEVEL-000000004", reason: "Data paket salah" });
  });

  test("a reason that KiriminAja would refuse is not sent", async () => {
    expect(await failureOf(client().cancel("AWB", "no"))).toMatchObject({ kind: "invalid" });
  });

  test.each([
    ["9", "unpaid"],
    ["0", "paid"],
    [0, "paid"],
    ["5", "unknown"],
  ])("a bill with code %j is %s", async (status_code, status) => {
    const data = {
      payment_id: "EPR-1",
      qr_content: "0002",
      status_code,
      amount: 65_000,
      paid_at: null,
    };
    replyTo(network, "payment", answer(200, { status: true, data }));
    expect(await client().getPayment("EPR-1")).toEqual({
      pickupNumber: "EPR-1",
      status,
      amountIdr: 65_000,
      qrString: "0002",
      paidAt: null,
    });
  });

  test("the bill of an instant pickup comes under another name", async () => {
    const result = {
      payment_id: "EPR-1",
      qr_content: null,
      status_code: 0,
      amount: 54_000,
      pay_time: null,
    };
    replyTo(network, "payment", answer(200, { status: true, result }));
    expect(await client().getPayment("EPR-1")).toMatchObject({ status: "paid", qrString: null });
  });
});

describe("verifyCallback", () => {
  test.each([`Bearer ${KEY}`, `bearer  ${KEY}`, KEY])("accepts %j", async (header) => {
    expect(await client().verifyCallback(header)).toBe(true);
  });

  test.each([
    "",
    "Bearer",
    "Bearer ",
    `Bearer ${KEY}x`,
    `Basic ${KEY}`,
    KEY.slice(1),
    null,
    undefined,
  ])("refuses %j", async (header) => {
    expect(await client().verifyCallback(header)).toBe(false);
  });
});
