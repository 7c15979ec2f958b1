import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import { BASE, fakeIpaymu, NOW, ok, transaction } from "../testing/ipaymu.ts";
import { mapStatus } from "./transaction.ts";

const network = new FakeNetwork();
const client = () => fakeIpaymu(network);
const at = (path: string) => `${BASE}${path}`;

afterEach(() => {
  network.verify();
});

describe("findByReference", () => {
  const row = (id: number, ReferenceId: string | null, Status: number) => ({
    ...transaction({ TransactionId: id, ReferenceId, Status }),
  });
  const pageOf = (rows: unknown[], total_pages = 1) =>
    answer(200, ok({ Transaction: rows, Pagination: { total: 1, total_pages } }));
  const since = { since: new Date("2026-11-21T02:00:00Z") };

  test("looks from the day of the order on, newest first, and asks the transaction itself", async () => {
    network.on("POST", at("/history"), pageOf([row(2, "ELSE", 1), row(1, "ORD-2026-0001", 0)]));
    network.on("POST", at("/transaction"), answer(200, ok(row(1, "ORD-2026-0001", 1))));
    const found = await client().findByReference("ORD-2026-0001", since);
    expect(found).toMatchObject({ transactionId: "1", status: "paid" });
    expect(network.firstJson()).toEqual({
      date: "created_at",
      startdate: "2026-11-21",
      enddate: "2026-11-21",
      page: 1,
      limit: 20,
      orderBy: "id",
      order: "DESC",
    });
  });

  test("prefers the paid one of several, and reads no further page then", async () => {
    const mine = [
      row(9, "ORD-2026-0001", -2),
      row(8, "ORD-2026-0001", 6),
      row(7, "ORD-2026-0001", 0),
    ];
    network.on("POST", at("/history"), pageOf(mine, 3));
    network.on("POST", at("/transaction"), answer(200, ok(row(8, "ORD-2026-0001", 6))));
    const found = await client().findByReference("ORD-2026-0001", since);
    expect(found?.transactionId).toBe("8");
  });

  test("reads page after page, past rows of another kind, and knows when there is none", async () => {
    const withdrawal = { TransactionId: "W-1", Amount: -5, Status: "?" };
    network.on("POST", at("/history"), pageOf([withdrawal, null, row(1, null, 1)], 2));
    network.on("POST", at("/history"), pageOf([], 2));
    expect(await client().findByReference("ORD-2026-0001", since)).toBeNull();
    expect(JSON.parse(network.sent[1]?.body ?? "")).toMatchObject({ page: 2 });
  });

  test("reads the envelope of the vendor's docs too", async () => {
    const Data = { Total: 1, Total_Page: 1, Results: [row(1, "ORD-2026-0001", 1)] };
    network.on("POST", at("/history"), answer(200, ok(Data)));
    network.on("POST", at("/transaction"), answer(200, ok(row(1, "ORD-2026-0001", 1))));
    expect((await client().findByReference("ORD-2026-0001", since))?.status).toBe("paid");
  });

  const asked = () => network.sent.map(({ body }) => JSON.parse(body ?? "{}"));

  test("finds a payment among more transactions than are read, by the status", async () => {
    network.on("POST", at("/history"), pageOf([row(9, "ELSE", -2)], 61));
    network.on("POST", at("/history"), pageOf([row(8, "ELSE", 1)], 2));
    network.on("POST", at("/history"), pageOf([row(7, "ORD-2026-0001", 1)], 2));
    network.on("POST", at("/transaction"), answer(200, ok(row(7, "ORD-2026-0001", 1))));
    const found = await client().findByReference("ORD-2026-0001", since);
    expect(found).toMatchObject({ transactionId: "7", status: "paid" });
    expect(asked().map(({ status, page }) => [status, page])).toEqual([
      [undefined, 1],
      [1, 1],
      [1, 2],
      [undefined, undefined],
    ]);
  });

  test("of a long history no status is left out before there is none", async () => {
    network.on("POST", at("/history"), pageOf([], 61));
    for (let n = 0; n < 11; n += 1) network.on("POST", at("/history"), pageOf([], 1));
    expect(await client().findByReference("ORD-2026-0001", since)).toBeNull();
    expect(asked().map(({ status }) => status)).toEqual([
      undefined,
      1,
      6,
      3,
      7,
      0,
      5,
      4,
      2,
      -2,
      1,
      6,
    ]);
  });

  test("a history whose paid ones alone are too many is no proof that nothing was paid", async () => {
    for (let n = 0; n < 61; n += 1) network.on("POST", at("/history"), pageOf([], 1000));
    const error = await failureOf(client().findByReference("ORD-2026-0001", since));
    expect(error).toMatchObject({ code: "history_too_long", retryable: true });
  });

  test("a row whose transaction is of another reference is a bad answer", async () => {
    network.on("POST", at("/history"), pageOf([row(1, "ORD-2026-0001", 1)]));
    network.on("POST", at("/transaction"), answer(200, ok(row(1, "ELSE", 1))));
    const error = await failureOf(client().findByReference("ORD-2026-0001", since));
    expect(error.kind).toBe("bad_answer");
  });

  test("the days hold in any zone that the provider may count in", async () => {
    network.on("POST", at("/history"), pageOf([]));
    const opened = { since: new Date(NOW.getTime() - 12 * 3_600_000) };
    await client().findByReference("ORD-2026-0001", opened);
    expect(network.firstJson()).toMatchObject({ startdate: "2026-11-20", enddate: "2026-11-21" });
  });

  test("the days end with the payment, so that an old one is not looked for in ever more of them", async () => {
    network.on("POST", at("/history"), pageOf([]));
    const opened = {
      since: new Date(NOW.getTime() - 90 * 86_400_000),
      until: new Date(NOW.getTime() - 89 * 86_400_000),
    };
    await client().findByReference("ORD-2026-0001", opened);
    expect(network.firstJson()).toMatchObject({ startdate: "2026-08-23", enddate: "2026-08-24" });
  });
});

describe("listChannels", () => {
  const channel = {
    Code: "bca",
    Name: "BCA",
    Description: "Virtual account BCA",
    Logo: "https://sandbox.ipaymu.com/asset/images/bca.png",
    FeatureStatus: "active",
    HealthStatus: "online",
    TransactionFee: { ActualFee: 3500, ActualFeeType: "FLAT", AdditionalFee: 0 },
  };

  test("signs the empty object, and reads every group", async () => {
    const off = { Code: "bni", FeatureStatus: "inactive" };
    const sick = { ...channel, Code: "bri", HealthStatus: "offline" };
    const Data = [
      { Code: "va", Name: "VA", Channels: [channel, off, sick] },
      { Code: "ewallet-asia", Name: "E-wallet" },
    ];
    network.on("GET", at("/payment-channels"), answer(200, ok(Data)));
    const listed = await client().listChannels();
    expect(listed.map(({ code, isOpen }) => [code, isOpen])).toEqual([
      ["bca", true],
      ["bni", false],
      ["bri", false],
    ]);
    expect(listed[0]).toMatchObject({ group: "va", name: "BCA", fee: channel.TransactionFee });
    expect(network.sent[0]?.headers.signature).toBe(
      "1314afccb7b736d42cd93f8c14798ccdac54f78b76e49a66727eef8f1185a463",
    );
  });
});

test.each([
  [1, "paid"],
  [6, "paid"],
  [0, "pending"],
  [-1, "expired"],
  [-2, "expired"],
  [2, "cancelled"],
  [4, "failed"],
  [5, "failed"],
  [3, "refunded"],
  [7, "review"],
  [99, "review"],
] as const)("status %i is %s", (code, status) => {
  expect(mapStatus(code)).toBe(status);
});
