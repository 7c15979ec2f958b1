import { describe, expect, test } from "vitest";
import { FakeNetwork } from "../testing/fake-network.ts";
import { fakeVipReseller, orderRow, SIGN } from "../testing/vip-reseller.ts";
import { createVipReseller } from "../vip-reseller.ts";

const client = fakeVipReseller(new FakeNetwork());
const own = new Headers({ "X-Client-Signature": SIGN });
const parse = (body: unknown, headers: Headers) =>
  client.parseCallback(typeof body === "string" ? body : JSON.stringify(body), headers);
const row = orderRow({ status: "success", note: "SN 1234-5678" });

describe("the supplier's own form", () => {
  const read = {
    form: "provider",
    trxid: "VP1234567",
    status: "success",
    statusText: "success",
    note: "SN 1234-5678",
    sn: null,
    target: "12345678",
    priceIdr: 20_000,
  };
  const form = new URLSearchParams(
    Object.entries(row).map(([name, value]) => [`data[${name}]`, String(value)]),
  );
  const listed = new URLSearchParams(
    Object.entries(row).map(([name, value]) => [`data[0][${name}]`, String(value)]),
  );

  test.each([
    ["an object", { data: row }],
    ["a list of one", { result: true, data: [row], message: "" }],
    ["a form", form.toString()],
    ["a form with a list", listed.toString()],
    ["a form with JSON in it", new URLSearchParams({ data: JSON.stringify(row) }).toString()],
    ["flat JSON", row],
  ])("is read from %s", async (_, body) => {
    expect(await parse(body, own)).toEqual(read);
  });

  test.each([
    ["no signature", new Headers()],
    ["an empty one", new Headers({ "x-client-signature": "" })],
    [
      "key and id the wrong way round",
      new Headers({ "x-client-signature": "984564a04cec8d2364899912912d4854" }),
    ],
    [
      "that of empty credentials",
      new Headers({ "x-client-signature": "d41d8cd98f00b204e9800998ecf8427e" }),
    ],
    [
      "a formula that is nobody's",
      new Headers({ "x-signature": "e53707102b3c12fe05a764178412b654" }),
    ],
    ["the right one in another header", new Headers({ signature: SIGN })],
    [
      "the specification's",
      new Headers({ "x-client-signature": "b8894acebf3075f6e995df2943bf396c" }),
    ],
  ])("is refused with %s", async (_, headers) => {
    expect(await parse({ data: row }, headers)).toBeNull();
  });

  test.each([
    ["no JSON", "halo"],
    ["nothing", ""],
    ["a list", [row]],
    ["a number", "12"],
    ["no id", { data: { ...row, trxid: undefined } }],
    ["no status", { data: { ...row, status: 7 } }],
    ["an endless id", { data: { ...row, trxid: "V".repeat(101).padEnd(9_000, "P") } }],
  ])("without sense (%s) is refused also when it is signed", async (_, body) => {
    const claim = await parse(body, own);
    if (claim) expect(claim.trxid.length).toBeLessThanOrEqual(100);
    else expect(claim).toBeNull();
  });
});

describe("the specification's form", () => {
  const body = {
    trx_id: "VP1234567",
    status: "success",
    sn: "1234-5678",
    note: "Transaksi selesai",
  };
  const signature = "b8894acebf3075f6e995df2943bf396c";
  const read = {
    form: "specification",
    trxid: "VP1234567",
    status: "success",
    note: "Transaksi selesai",
    sn: "1234-5678",
  };

  test.each(["x-vip-signature", "signature", "x-client-signature"])(
    "is signed in %s",
    async (name) => {
      expect(await parse(body, new Headers({ [name]: signature }))).toMatchObject(read);
      const upper = new Headers({ [name]: ` ${signature.toUpperCase()} ` });
      expect(await parse(new URLSearchParams(body).toString(), upper)).toMatchObject(read);
    },
  );

  test.each([
    ["another status", { ...body, status: "error" }],
    ["another order", { ...body, trx_id: "VP1234568" }],
    ["nested data", { data: { ...body, trxid: "VP1234567" } }],
  ])("is refused with %s", async (_, changed) => {
    expect(await parse(changed, new Headers({ signature }))).toBeNull();
  });
});

describe("a callback that lists several orders", () => {
  const other = orderRow({ trxid: "VP7654321", status: "error" });
  const form = new URLSearchParams(
    [row, other].flatMap((one, n) =>
      Object.entries(one).map(([name, value]) => [`data[${n}][${name}]`, String(value)]),
    ),
  );
  test.each([
    ["JSON", JSON.stringify({ data: [row, { trxid: 7 }, other] })],
    ["a form", form.toString()],
  ])("is read to its end, as %s", async (_, body) => {
    const read = await client.parseCallbacks(body, own);
    expect(read.map(({ trxid, status }) => [trxid, status])).toEqual([
      ["VP1234567", "success"],
      ["VP7654321", "error"],
    ]);
    expect(await client.parseCallbacks(body, new Headers())).toEqual([]);
  });
});

test("without credentials nothing is believed", async () => {
  const nobody = createVipReseller({
    apiId: "",
    apiKey: "",
    baseUrl: "https://vip-reseller.example/api",
    timeoutMs: 25,
    fetch: new FakeNetwork().fetch,
    pace: async () => undefined,
  });
  const headers = new Headers({ "x-client-signature": "d41d8cd98f00b204e9800998ecf8427e" });
  expect(await nobody.parseCallback(JSON.stringify({ data: row }), headers)).toBeNull();
});

test("an account with a key of 64 letters signs as the vector says", async () => {
  const long = createVipReseller({
    apiId: "AbCdEf12",
    apiKey: "A".repeat(64),
    baseUrl: "https://vip-reseller.example/api",
    timeoutMs: 25,
    fetch: new FakeNetwork().fetch,
    pace: async () => undefined,
  });
  const headers = new Headers({ "x-client-signature": "3981b143017f9e432c3ae5720c2b9a70" });
  expect(await long.parseCallback(JSON.stringify({ data: row }), headers)).not.toBeNull();
});

test.each(["\u0000", "success\ud800"])(
  "a status like %j, which cannot be kept, is none",
  async (status) => {
    expect(await parse({ data: { ...row, status } }, own)).toBeNull();
  },
);
