import { describe, expect, test } from "vitest";
import { type CourierEventKind, parseCallback, splitCallback } from "./callback.ts";

const parse = (body: unknown) => parseCallback(JSON.stringify(body));

/** The full form as in the vendor's samples. */
function full(method: string, changes: Record<string, unknown> = {}) {
  return {
    method,
    data: [
      {
        order_id: "LB1001",
        awb: "DEVEL-000000004",
        date: "2025-01-09T06:02:03.000000Z",
        shipped_at: null,
        finished_at: null,
        returned_at: null,
        rejected_at: null,
        reason: null,
        ...changes,
      },
    ],
    payment: {
      payment_id: "EPR-1",
      amount: 11_200,
      status_code: 0,
      qr_content: null,
      pay_time: null,
    },
    packages: [{ awb: "DEVEL-000000004", order_id: "LB1001", service: "jne", status: 105 }],
  };
}

describe("the short form", () => {
  test("of a new waybill", () => {
    const data = [{ order_id: "LB1001", awb: "JNE-1", sorting_code: "JOG-JOG1000" }];
    expect(parse({ method: "processed_packages", data })).toEqual([
      {
        kind: "awb_made",
        method: "processed_packages",
        orderRef: "LB1001",
        awb: "JNE-1",
        occurredAt: null,
        reason: null,
        eventKey: "processed_packages:LB1001:awb_made::JNE-1",
      },
    ]);
  });

  test("has Jakarta times, and one event for each parcel", () => {
    const data = [
      { order_id: "LB1", shipped_at: "2026-11-21 07:00:00" },
      { order_id: "LB2", shipped_at: "2026-11-21 08:00:00" },
    ];
    const events = parse({ method: "shipped_packages", data });
    expect(
      events?.map(({ orderRef, occurredAt }) => [orderRef, occurredAt?.toISOString()]),
    ).toEqual([
      ["LB1", "2026-11-21T00:00:00.000Z"],
      ["LB2", "2026-11-21T01:00:00.000Z"],
    ]);
  });

  test("of a cancellation tells reason and time", () => {
    const data = [
      {
        order_id: "LB1",
        date: "2026-11-21 06:00:00",
        canceled_at: "2026-11-21 07:00:00",
        reason: "Batal",
      },
    ];
    expect(parse({ method: "canceled_packages", data })?.[0]).toMatchObject({
      kind: "cancelled",
      occurredAt: new Date("2026-11-21T00:00:00Z"),
      reason: "Batal",
    });
  });
});

describe("the full form", () => {
  const rows: [string, Record<string, unknown>, CourierEventKind, string][] = [
    ["processed_packages", {}, "awb_made", "2025-01-09T06:02:03.000Z"],
    [
      "shipped_packages",
      { shipped_at: "2025-01-10T01:00:00.000000Z" },
      "picked_up",
      "2025-01-10T01:00:00.000Z",
    ],
    ["canceled_packages", {}, "cancelled", "2025-01-09T06:02:03.000Z"],
    [
      "finished_packages",
      { finished_at: "2025-01-11T01:00:00Z" },
      "delivered",
      "2025-01-11T01:00:00.000Z",
    ],
    ["returned_packages", {}, "returning", "2025-01-09T06:02:03.000Z"],
    [
      "returned_packages",
      { returned_at: "2025-01-12T01:00:00Z" },
      "returned",
      "2025-01-12T01:00:00.000Z",
    ],
    ["return_finished_packages", {}, "returned", "2025-01-09T06:02:03.000Z"],
    [
      "rejected_packages",
      { rejected_at: "2025-01-12T01:00:00Z" },
      "problem",
      "2025-01-12T01:00:00.000Z",
    ],
    ["validated_packages", {}, "validated", "2025-01-09T06:02:03.000Z"],
    ["brand_new_packages", {}, "unknown", "2025-01-09T06:02:03.000Z"],
  ];

  test.each(rows)("%s %j is %s", (method, changes, kind, at) => {
    const [event] = parse(full(method, changes)) ?? [];
    expect(event).toMatchObject({
      kind,
      orderRef: "LB1001",
      awb: "DEVEL-000000004",
      occurredAt: new Date(at),
    });
  });

  test("a repeat has the same event key, the next news another", () => {
    const key = (changes: Record<string, unknown>) =>
      parse(full("returned_packages", changes))?.[0]?.eventKey;
    expect(key({})).toBe(key({ reason: "again" }));
    expect(key({})).not.toBe(key({ returned_at: "2025-01-12T01:00:00Z" }));
  });
});

describe("the single object of instant couriers", () => {
  test.each([
    ["picked_up", "picked_up"],
    ["sent", "in_transit"],
    ["delivered", "delivered"],
    ["cancel", "cancelled"],
    ["return", "returning"],
    ["returned", "returned"],
    ["no_driver", "problem"],
    ["dancing", "unknown"],
  ])("status %s is %s", (status, kind) => {
    const data = { order_id: "LB1001", status, date: "2026-11-21 07:00:00" };
    expect(parse({ method: "update_instant_packages", data })).toMatchObject([
      { kind, orderRef: "LB1001" },
    ]);
  });
});

describe("a callback of many parcels", () => {
  test("comes in pieces that fit on a queue, hold each parcel once and are the same each time", () => {
    const many = full("finished_packages", { reason: "é".repeat(500) });
    const data = Array.from({ length: 200 }, (_, i) => ({ ...many.data[0], order_id: `LB${i}` }));
    const body = JSON.stringify({ ...many, data });
    const pieces = splitCallback(body);
    expect(pieces.length).toBeGreaterThan(1);
    for (const piece of pieces) {
      const message = new TextEncoder().encode(JSON.stringify({ body: piece }));
      expect(message.byteLength).toBeLessThan(128_000);
    }
    expect(pieces.flatMap((piece) => parseCallback(piece))).toEqual(parseCallback(body));
    expect(splitCallback(body)).toEqual(pieces);
  });

  test.each([
    ["one parcel of 200 KB", { reason: "x".repeat(200_000) }],
    ["70,000 quote marks", { reason: '"'.repeat(70_000) }],
    ["25,000 control characters", { reason: "\u0001".repeat(25_000) }],
    ["half a letter where it is cut", { reason: "\u{1f4e6}".repeat(50_000) }],
    ["200 KB that we do not read", { items: Array.from({ length: 20_000 }, () => "kaos") }],
    ["a number too long to be one", { order_id: "L".repeat(200_000) }],
  ])("with %s fits on a queue all the same, and loses nothing that we read", (_, changes) => {
    const body = JSON.stringify(full("finished_packages", changes));
    const pieces = splitCallback(body);
    for (const piece of pieces) {
      const message = new TextEncoder().encode(JSON.stringify({ body: piece }));
      expect(message.byteLength).toBeLessThan(100_000);
    }
    const keys = (text: string) =>
      parseCallback(text)?.map((event) => [event.kind, event.eventKey]);
    expect(pieces.flatMap((piece) => keys(piece))).toEqual(keys(body));
    expect(splitCallback(body)).toEqual(pieces);
  });

  test("of few is left as it came", () => {
    const body = ` ${JSON.stringify(full("finished_packages"))}`;
    expect(splitCallback(body)).toEqual([body]);
  });
});

describe("odd bodies", () => {
  test.each([
    "",
    "null",
    "[]",
    "{}",
    '{"method":"x"}',
    '{"method":1,"data":[]}',
    '{"method":"x","data":"y"}',
    "nope",
  ])("%j is no callback", (body) => {
    expect(parseCallback(body)).toBeNull();
  });

  test("an item that cannot be read is kept as unknown beside those that can", () => {
    const data = [{ awb: "no order" }, 7, { order_id: "LB1", finished_at: 12 }];
    const events = parse({ method: "finished_packages", data });
    expect(events?.map(({ kind, orderRef }) => [kind, orderRef])).toEqual([
      ["unknown", null],
      ["unknown", null],
      ["delivered", "LB1"],
    ]);
  });
});

describe("text that cannot be kept", () => {
  test.each(["\u0000", "\ud800"])("of %j makes no reference, waybill or reason", (odd) => {
    expect(parse({ method: `x${odd}`, data: [] })).toBeNull();
    const [event] = parse(full("shipped_packages", { order_id: odd })) ?? [];
    expect(event).toMatchObject({ orderRef: null, eventKey: "shipped_packages:?" });
    const [other] = parse(full("shipped_packages", { awb: odd, reason: odd })) ?? [];
    expect(other).toMatchObject({ orderRef: "LB1001", awb: null, reason: null });
  });
});
