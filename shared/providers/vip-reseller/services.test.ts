import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../testing/failures.ts";
import {
  answer,
  broken,
  FakeNetwork,
  type Reply,
  silent,
  stuckInBody,
} from "../testing/fake-network.ts";
import {
  fakeVipReseller,
  formOf,
  gameRow,
  no,
  ok,
  prepaidRow,
  replyTo,
  socialRow,
} from "../testing/vip-reseller.ts";
import { priceAt, type SupplierService } from "../vip-reseller.ts";
import { RowSplitter } from "./row-splitter.ts";

const network = new FakeNetwork();
const client = fakeVipReseller(network);
afterEach(() => {
  client.turns.length = 0;
  network.verify();
});

/** A JSON body in pieces of `size` bytes, cut wherever that falls. */
function inPieces(body: unknown, size: number): Reply {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return async () => {
    let at = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) controller.close();
        else controller.enqueue(bytes.slice(at, at + size));
        at += size;
      },
    });
    return new Response(stream, { status: 200 });
  };
}

describe("a price list", () => {
  test("of games is read as it is documented", async () => {
    replyTo(network, "game", answer(200, ok([gameRow()])));
    expect(await client.getServices()).toEqual([
      {
        family: "game",
        code: "ML86-S1",
        name: "86 Diamonds",
        brand: "Mobile Legends",
        category: "Mobile Legends",
        type: "game",
        note: "",
        priceIdr: { basic: 21_000, premium: 20_500, special: 20_000 },
        min: null,
        max: null,
        status: "available",
        server: "1",
        multiTrx: null,
        maintenance: null,
      },
    ]);
    expect(formOf(network.sent[0]?.body)).toMatchObject({ type: "services" });
    expect(client.turns).toEqual(["read"]);
  });

  test.each([
    ["23.30 - 00.30", "23:30 - 00:30"],
    ["1:00-2:05", "01:00 - 02:05"],
    ["23:00 s/d 01:00 WIB", "23:00 - 01:00"],
    ["25:00 - 26:00", null],
  ])("of prepaid services takes the hours %s for %j", async (maintenance, hours) => {
    const row = prepaidRow({ maintenance, maintenace: undefined });
    replyTo(network, "prepaid", answer(200, ok([row])));
    const [service] = await client.getPrepaidServices();
    expect(service?.maintenance).toBe(hours);
  });

  test("of prepaid services reads both spellings of maintenance", async () => {
    const right = { maintenace: undefined, maintenance: "01:00 - 02:00" };
    const misspelt = ["23:45 - 00:15", "entah", "00:00 - 00:00"];
    const rows = [...misspelt.map((maintenace) => prepaidRow({ maintenace })), prepaidRow(right)];
    replyTo(network, "prepaid", answer(200, ok(rows)));
    const services = await client.getPrepaidServices();
    const windows = services.map(({ maintenance }) => maintenance);
    expect(windows).toEqual(["23:45 - 00:15", null, "00:00 - 00:00", "01:00 - 02:00"]);
    expect(services[0]).toMatchObject({
      family: "prepaid",
      code: "S25",
      brand: "TELKOMSEL",
      category: "Pulsa Reguler",
      type: "pulsa-reguler",
      multiTrx: true,
    });
  });

  test("of social services has the numeric id as code, and its limits", async () => {
    replyTo(network, "social", answer(200, ok([socialRow(), socialRow({ min: null, max: "x" })])));
    expect(await client.getSocialMediaServices()).toMatchObject([
      { family: "social", code: "1001", min: 50, max: 20_000, brand: "Instagram Followers" },
      { min: null, max: null },
    ]);
  });

  test("calls empty whatever is not available", async () => {
    const words = ["available", "Available", "empty", "gangguan", "", null];
    replyTo(network, "game", answer(200, ok(words.map((status) => gameRow({ status })))));
    const states = (await client.getGameServices()).map(({ status }) => status);
    expect(states).toEqual(["available", "available", "empty", "empty", "empty", "empty"]);
  });

  test("rounds prices up, and takes an untold one for the dearest", async () => {
    const price = { basic: "1000.2", premium: 990, special: null };
    replyTo(network, "game", answer(200, ok([gameRow({ price })])));
    const [service] = await client.getGameServices();
    expect(service?.priceIdr).toEqual({ basic: 1001, premium: 990, special: 1001 });
    const prices = { basic: 3, premium: 2, special: 1 };
    expect([priceAt(prices, "special"), priceAt(prices, "premium"), priceAt(prices, null)]).toEqual(
      [1, 2, 3],
    );
  });

  test.each(["10.764", 10.764, "1.000", "10.764.000", "10,764", "Rp10764", "-5", {}])(
    "offers nothing of a row with the price %j, which could be several or is none",
    async (told) => {
      const rows = [
        gameRow({ price: { basic: told, premium: 10_557, special: 10_350 } }),
        gameRow({ price: { basic: 10_764, premium: 10_557, special: told } }),
        gameRow({}),
      ];
      replyTo(network, "game", answer(200, ok(rows)));
      const read: unknown[] = [];
      const counts = await client.eachService(
        "game",
        10,
        async (piece) => void read.push(...piece),
      );
      expect(counts).toEqual({ rows: 1, unreadable: 2, unpriced: 2 });
      expect(read).toHaveLength(1);
    },
  );

  test.each([
    ["10764", 10_764],
    ["10764.00", 10_764],
    ["10764.250", 10_765],
    ["12.5", 13],
    ["0.764", 1],
    [1234.567, 1235],
  ])("reads the price %j, which is one, as %d", async (told, price) => {
    const prices = { basic: told, premium: "", special: 0 };
    replyTo(network, "game", answer(200, ok([gameRow({ price: prices })])));
    const [service] = await client.getGameServices();
    expect(service?.priceIdr).toEqual({ basic: price, premium: price, special: price });
  });

  test("leaves out rows without code, name or price, and counts them", async () => {
    const broken = [
      gameRow({ code: "" }),
      gameRow({ name: null }),
      gameRow({ price: 20_000 }),
      gameRow({ price: { basic: 0, premium: 0, special: 0 } }),
      gameRow({ price: { basic: -5 } }),
    ];
    replyTo(network, "game", answer(200, ok([gameRow(), ...broken])));
    const taken: SupplierService[] = [];
    const counts = await client.eachService("game", 10, async (rows) => {
      taken.push(...rows);
    });
    expect(counts).toEqual({ rows: 1, unreadable: 5, unpriced: 2 });
    expect(taken.map(({ code }) => code)).toEqual(["ML86-S1"]);
  });

  test("keeps text that Postgres can hold", async () => {
    replyTo(network, "game", answer(200, ok([gameRow({ name: "A\u0000B \ud800" })])));
    const [service] = await client.getGameServices();
    expect(service?.name).toBe("AB \ufffd");
  });

  test.each([1, 3, 7, 64, 10_000])("arrives whole in pieces of %i bytes", async (size) => {
    const rows = Array.from({ length: 40 }, (_, i) =>
      socialRow({ id: i, name: `"kurung } ] { [ , \\ ${i} 🌾`, note: ["x", { y: "}" }] }),
    );
    replyTo(network, "social", inPieces(ok(rows, "a [b] {c}"), size));
    const sizes: number[] = [];
    const names: string[] = [];
    const counts = await client.eachService("social", 9, async (piece) => {
      sizes.push(piece.length);
      names.push(...piece.map(({ name }) => name));
    });
    expect(counts).toEqual({ rows: 40, unreadable: 0, unpriced: 0 });
    expect(sizes).toEqual([9, 9, 9, 9, 4]);
    expect(names).toEqual(rows.map(({ name }) => name));
  });

  test("that was refused fails, also with the verdict behind the rows", async () => {
    replyTo(network, "game", answer(200, no("API Signature not valid.")));
    expect(await failureOf(client.getGameServices())).toMatchObject({ code: "wrong_key" });
    const late = { data: [gameRow()], result: false, message: "IP 203.0.113.9 is not permitted" };
    replyTo(network, "game", answer(200, late));
    expect(await failureOf(client.getGameServices())).toMatchObject({
      code: "not_permitted_address",
    });
  });

  test("that broke off is never taken for a short one, and is not read twice", async () => {
    const text = JSON.stringify(ok([gameRow(), gameRow({ code: "ML2" }), gameRow()]));
    replyTo(network, "game", answer(200, text.slice(0, text.length - 40)));
    expect((await failureOf(client.getGameServices())).kind).toBe("bad_answer");
    expect(network.sent).toHaveLength(1);
  });

  test("is asked for again while no row has come", async () => {
    replyTo(network, "game", answer(502, "<html>"), broken(null), answer(200, ok([gameRow()])));
    expect(await client.getGameServices()).toHaveLength(1);
    expect(client.turns).toHaveLength(3);
  });

  test.each([
    ["a web page", answer(200, "<html><script>{[1,2]}</script>"), 3],
    ["another shape", answer(200, ok({ a: 1 })), 3],
    ["no list", answer(200, ok(null)), 3],
    ["nothing", answer(200, ""), 3],
    ["silence", silent, 1],
    ["half an answer", stuckInBody, 1],
    ["a redirect", answer(302, "", { location: "https://elsewhere.example/" }), 1],
  ] as [string, Reply, number][])("is not %s", async (_, reply, times) => {
    for (let i = 0; i < times; i += 1) replyTo(network, "prepaid", reply);
    const error = await failureOf(client.getPrepaidServices());
    expect(error.kind).toMatch(/bad_answer|timeout/);
    expect(error.message).not.toMatch(/APIKEY456|7001b3/);
  });

  test("passes on a failure of whoever takes the rows, unchanged", async () => {
    replyTo(network, "game", answer(200, ok([gameRow()])));
    const failure = new Error("the database is away");
    const taking = client.eachService("game", 1, () => Promise.reject(failure));
    await expect(taking).rejects.toBe(failure);
  });
});

describe("the row splitter", () => {
  test("bounds a row and what stands around the rows", () => {
    const endless = new RowSplitter();
    endless.push('{"data":[{"a":"');
    expect(() => endless.push("x".repeat(100_001))).toThrow(RangeError);
    expect(() => new RowSplitter().push(`{"message":"${"x".repeat(100_001)}`)).toThrow(RangeError);
  });
});

describe("a stock", () => {
  const stock = { code: "GP50", name: "Voucher", price: {}, description: "", stock: 7, server: 1 };

  test("is a number of a game service that must be the asked one", async () => {
    const told = ok({ ...stock, status: "available" }, "Stok tersedia.");
    replyTo(network, "game", answer(200, told), answer(200, told));
    expect(await client.getServiceStock("GP50")).toEqual({
      code: "GP50",
      name: "Voucher",
      stock: 7,
      status: "available",
    });
    expect(formOf(network.sent[0]?.body)).toMatchObject({ type: "service-stock", service: "GP50" });
    expect((await failureOf(client.getServiceStock("GP100"))).kind).toBe("bad_answer");
  });

  test("of a service that the supplier does not know is null", async () => {
    replyTo(network, "game", answer(200, no("Layanan tidak ditemukan.")));
    expect(await client.getServiceStock("NIX")).toBeNull();
  });
});
