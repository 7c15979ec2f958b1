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

describe("history", () => {
  const row = (id: number, ReferenceId: string | null, Status: number) => ({
    ...transaction({ TransactionId: id, ReferenceId, Status }),
  });
  const pageOf = (rows: unknown[], total_pages = 1) =>
    answer(200, ok({ Transaction: rows, Pagination: { total: 1, total_pages } }));
  const since = new Date("2026-11-21T02:00:00Z");

  test("is asked for from a day on, newest first, a page at a time", async () => {
    network.on("POST", at("/history"), pageOf([row(2, "ELSE", 1), row(1, "ORD-2026-0001", 0)], 3));
    expect(await client().history(since, 2)).toEqual({
      rows: [
        { transactionId: "2", providerRef: "ELSE", status: "paid" },
        { transactionId: "1", providerRef: "ORD-2026-0001", status: "pending" },
      ],
      pages: 3,
      highest: 2,
    });
    expect(network.firstJson()).toEqual({
      date: "created_at",
      startdate: "2026-11-21",
      enddate: "2026-11-21",
      page: 2,
      limit: 20,
      orderBy: "id",
      order: "DESC",
    });
  });

  test("is read past rows of another kind", async () => {
    const withdrawal = { TransactionId: "W-1", Amount: -5, Status: "?" };
    const moved = { ...row(1, null, 1), TransactionId: "M-7" };
    network.on(
      "POST",
      at("/history"),
      pageOf([withdrawal, null, moved, row(2, null, 1), row(4, "A", 1)]),
    );
    const { rows, highest } = await client().history(since, 1);
    const ids = rows.map(({ transactionId }) => transactionId);
    expect([ids, highest]).toEqual([["M-7", "2", "4"], 4]);
    network.on("POST", at("/history"), pageOf([withdrawal]));
    expect(await client().history(since, 1)).toEqual({ rows: [], pages: 1, highest: null });
  });

  test.each(["Total_Page", "Total_Pages"])(
    "is read in the envelope of the vendor's docs too, with %s",
    async (name) => {
      const Data = { Total: 1, [name]: 7, Results: [row(1, "ORD-2026-0001", 1)] };
      network.on("POST", at("/history"), answer(200, ok(Data)));
      expect(await client().history(since, 1)).toMatchObject({ pages: 7, highest: 1 });
    },
  );

  test("that does not begin with the newest is a bad answer: nobody could read on from it", async () => {
    network.on("POST", at("/history"), pageOf([row(1, "A", 1), row(2, "B", 1)]));
    const error = await failureOf(client().history(since, 1));
    expect(error).toMatchObject({ kind: "bad_answer", retryable: true });
  });

  test("has days that hold in any zone that the provider may count in", async () => {
    network.on("POST", at("/history"), pageOf([]));
    await client().history(new Date(NOW.getTime() - 12 * 3_600_000), 1);
    expect(network.firstJson()).toMatchObject({ startdate: "2026-11-20", enddate: "2026-11-21" });
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
