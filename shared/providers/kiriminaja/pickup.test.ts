import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import { fakeKiriminAja, parcel, pickup, replyTo } from "../testing/kiriminaja.ts";

const network = new FakeNetwork();
const client = () => fakeKiriminAja(network);

afterEach(() => {
  network.verify();
});

describe("requestPickup", () => {
  const details = [
    { order_id: "LB1001", kj_order_id: "OKA1", awb: null, service: "jne", service_type: "REG23" },
  ];
  const accepted = {
    status: true,
    text: "Request pickup berhasil",
    method: "request_pickup",
    payment_status: "unpaid",
    payment_method: "va",
    qr_url: "https://qr.example.com/1",
    pickup_number: "EPR-1782355684",
    details,
  };

  test("sends the documented field names, a Jakarta time and a plain phone number", async () => {
    replyTo(network, "pickup", answer(200, accepted));
    await client().requestPickup({ ...pickup, payment: { method: "qris" } });
    expect(network.firstJson()).toEqual({
      name: "Toko Wafero",
      phone: "081200000001",
      address: "Jalan Contoh No. 1, Blitar",
      kecamatan_id: 5788,
      zipcode: "66111",
      latitude: -8.1,
      longitude: 112.16,
      schedule: "2026-11-22 10:00:00",
      platform_name: "lumbung",
      payment_method: "qris",
      packages: [
        {
          order_id: "LB1001",
          destination_name: "Pembeli Uji",
          destination_phone: "081200000002",
          destination_address: "Jalan Tujuan No. 2, Lampung",
          destination_kecamatan_id: 3175,
          destination_kelurahan_id: 31_554,
          weight: 1000,
          width: 30,
          length: 20,
          height: 15,
          qty: 2,
          item_name: "Sepatu",
          item_value: 250_000,
          shipping_cost: 64_000,
          service: "jne",
          service_type: "REG23",
          package_type_id: 7,
          insurance_amount: 0,
          add_cost: 0,
          cod: 0,
          drop: false,
        },
      ],
    });
  });

  test("gives the pickup number and the bill's state; the waybill comes later", async () => {
    replyTo(network, "pickup", answer(200, accepted));
    expect(await client().requestPickup(pickup)).toEqual({
      pickupNumber: "EPR-1782355684",
      paymentStatus: "unpaid",
      qrUrl: "https://qr.example.com/1",
      details: [{ orderRef: "LB1001", courierOrderId: "OKA1", awb: null }],
    });
  });

  test("an answer without the bill's state counts as pending", async () => {
    const { payment_status: _, ...older } = accepted;
    replyTo(network, "pickup", answer(200, { ...older, qr_url: null }));
    expect(await client().requestPickup(pickup)).toMatchObject({
      paymentStatus: "pending",
      qrUrl: null,
    });
  });

  test.each([
    ["4002", { status: false, code: 4002, text: "Saldo tidak mencukupi" }, "refused"],
    [
      "422",
      { status: false, code: 422, text: "The destination kecamatan id field is required." },
      "invalid",
    ],
    ["BALANCE_NOT_ENOUGH", { status: false, results: { error: "BALANCE_NOT_ENOUGH" } }, "refused"],
    ["PIN_INVALID", { status: true, results: { error: "PIN_INVALID" } }, "refused"],
    [undefined, { status: false, text: "Gagal" }, "refused"],
  ] as const)("a refusal %s in the body of a 200 is surely not done", async (code, body, kind) => {
    replyTo(network, "pickup", answer(200, body));
    const error = await failureOf(client().requestPickup(pickup));
    expect(error).toMatchObject({ kind, outcome: "not_done", retryable: false, status: 200 });
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/Saldo|Pembeli|Jalan/);
  });

  test("an answer about other orders is a bad answer in doubt", async () => {
    replyTo(network, "pickup", answer(200, { ...accepted, details: [{ order_id: "LB9" }] }));
    expect(await failureOf(client().requestPickup(pickup))).toMatchObject({
      kind: "bad_answer",
      outcome: "unknown",
    });
  });

  test("is sent once, whatever happens to the answer", async () => {
    replyTo(network, "pickup", answer(502, ""));
    expect(await failureOf(client().requestPickup(pickup))).toMatchObject({ outcome: "unknown" });
    expect(network.sent).toHaveLength(1);
  });

  test.each([
    ["a UUID as order number", { orderRef: "0d8178e1-c6c7-4ab4-81a6-893be9d924ab" }, "orderRef"],
    ["an order number without a letter", { orderRef: "1001" }, "orderRef"],
    ["a short address", { destination: { ...parcel.destination, address: "Jl. 1" } }, "address"],
    ["a foreign phone", { destination: { ...parcel.destination, phone: "+1 555 0100" } }, "phone"],
    ["no weight", { weightGram: 0 }, "weightGram"],
    ["a value below the least", { itemValueIdr: 999 }, "itemValueIdr"],
  ])("%s is refused before anything is sent, and the field is named", async (_, changes, field) => {
    const call = client().requestPickup({ ...pickup, packages: [{ ...parcel, ...changes }] });
    const error = await failureOf(call);
    expect(error).toMatchObject({ kind: "invalid", outcome: "not_done", retryable: false });
    expect(error.message).toContain(field);
    expect(network.sent).toEqual([]);
  });
});
