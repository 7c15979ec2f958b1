import { afterEach, describe, expect, test } from "vitest";
import { failureOf, MISHAPS } from "../testing/failures.ts";
import { answer, broken, FakeNetwork, silent } from "../testing/fake-network.ts";
import {
  API_ID,
  API_KEY,
  BASE,
  fakeVipReseller,
  formOf,
  no,
  ok,
  orderRow,
  replyTo,
  SIGN,
} from "../testing/vip-reseller.ts";
import { createVipReseller } from "../vip-reseller.ts";
import { busy } from "./pace.ts";

const network = new FakeNetwork();
const client = fakeVipReseller(network);
const game = { service: "ML86-S1", target: "12345678", zone: "1234" };

afterEach(() => {
  client.turns.length = 0;
  network.verify();
});

describe("an order", () => {
  test("is one signed form, in the order lane, with the fields of its family", async () => {
    const signed = { key: API_KEY, sign: SIGN, type: "order" };
    const kinds = [
      ["game", () => client.createGameOrder(game), { data_no: "12345678", data_zone: "1234" }],
      [
        "game",
        () => client.createGameOrder({ service: "ML86-S1", target: "12345678", zone: null }),
        { data_no: "12345678" },
      ],
      [
        "prepaid",
        () => client.createPrepaidOrder({ service: "S25", target: "081234567890" }),
        { service: "S25", data_no: "081234567890" },
      ],
      [
        "social",
        () => client.createSocialMediaOrder({ service: "1001", quantity: 1_000, target: "@toko" }),
        { service: "1001", quantity: "1000", data: "@toko" },
      ],
    ] as const;
    for (const [path, order, fields] of kinds) {
      replyTo(
        network,
        path,
        answer(200, ok(orderRow(), "Pesanan berhasil, pesanan akan diproses.")),
      );
      expect(await order()).toMatchObject({ state: "accepted", order: { trxid: "VP1234567" } });
      const sent = network.sent.at(-1);
      expect(sent?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
      expect(formOf(sent?.body)).toEqual({ ...signed, service: "ML86-S1", ...fields });
    }
    expect(client.turns).toEqual(["order", "order", "order", "order"]);
  });

  test("that was accepted tells id, status, price and the balance after it", async () => {
    replyTo(network, "game", answer(200, ok(orderRow({ price: "20000.4", quantity: null }))));
    expect(await client.createGameOrder(game)).toEqual({
      state: "accepted",
      order: {
        trxid: "VP1234567",
        family: "game",
        target: "12345678",
        zone: "1234",
        service: "Mobile Legends - 86 Diamonds",
        code: null,
        status: "waiting",
        statusText: "waiting",
        note: "",
        priceIdr: 20_001,
        quantity: null,
        remain: null,
        startCount: null,
        balanceAfterIdr: 980_000,
      },
    });
  });

  test("is accepted also where the answer is a list of one, or comes with another status", async () => {
    replyTo(network, "game", answer(200, ok([orderRow()])), answer(404, ok(orderRow())));
    expect(await client.createGameOrder(game)).toMatchObject({ state: "accepted" });
    expect(await client.createGameOrder(game)).toMatchObject({ state: "accepted" });
  });

  test.each([
    ["Saldo Anda tidak cukup untuk melakukan pemesanan ini.", "low_balance"],
    ["saldo anda tidak cukup untuk melakukan pemesanan ini [1].", "low_balance"],
    ["IP 203.0.113.9 is not permitted", "not_permitted_address"],
    ["IP 2001:db8::1 is not permitted", "not_permitted_address"],
    ["IP 203.0.113.9 tidak diizinkan", "not_permitted_address"],
    ["Masih terdapat pesanan pending dengan target yang sama.", "duplicate_target"],
    ["Layanan tidak ditemukan atau saat ini tidak tersedia.", "unavailable"],
    ["Nomor salah.", "invalid_target"],
    ["Ada pemeliharaan sistem transaksi, coba lagi nanti.", "maintenance"],
    ["Transaksi dibatasi, coba lagi dalam 6 detik.", "other"],
    ["API Key not registered.", "other"],
    ["Pesanan Anda melebihi batas pesanan maksimum.", "other"],
  ])("refused with %j is surely not bought: %s", async (text, reason) => {
    replyTo(network, "prepaid", answer(200, no(text)));
    const order = client.createPrepaidOrder({ service: "S25", target: "081234567890" });
    expect(await order).toEqual({ state: "refused", reason, text });
  });

  test.each([
    ["words that nobody knows", answer(200, no("Terjadi kesalahan."))],
    ["no words", answer(200, { result: false, data: null })],
    ["a clash behind the counter", answer(200, no("Sistem Bentrok, coba lagi nanti!"))],
    ["a timeout behind the counter", answer(200, no("timeout dari provider"))],
    ["a refusal that has an id", answer(200, no("Nomor salah.", orderRow()))],
    ["an acceptance without an id", answer(200, ok(orderRow({ trxid: "" })))],
    ["an acceptance without data", answer(200, ok(null))],
    ["a gate's 403 page", answer(403, "<html>checking your browser</html>")],
    ["a gate's 429", answer(429, "slow down")],
    ["a 404 page", answer(404, "<html>")],
    ["no connection that ended well", broken(null)],
  ])("answered by %s may have been bought, and is not sent again", async (_, reply) => {
    replyTo(network, "game", reply);
    const error = await failureOf(client.createGameOrder(game));
    expect(error.outcome).toBe("unknown");
    expect(network.sent).toHaveLength(1);
  });

  test.each(MISHAPS)(
    "meets $name once, and never says 'not done' after an answer",
    async (mishap) => {
      replyTo(network, "social", mishap.reply);
      const order = { service: "1001", quantity: 100, target: "https://toko.example/p/rahasia" };
      const error = await failureOf(client.createSocialMediaOrder(order));
      const outcome = mishap.name === "a closed port" ? "not_done" : "unknown";
      expect(error).toMatchObject({ provider: "vip-reseller", outcome, kind: mishap.kind });
      expect(network.sent).toHaveLength(1);
      expect(error.message).not.toMatch(/APIKEY456|7001b3|rahasia/);
    },
  );

  test.each([
    [
      "no quantity",
      () => client.createSocialMediaOrder({ service: "1", quantity: 0, target: "a" }),
    ],
    ["half", () => client.createSocialMediaOrder({ service: "1", quantity: 1.5, target: "a" })],
    ["no target", () => client.createPrepaidOrder({ service: "S25", target: "  " })],
    ["two lines", () => client.createPrepaidOrder({ service: "S25", target: "08\n12" })],
    ["no service", () => client.createGameOrder({ ...game, service: "" })],
  ])("with %s is not sent at all", async (_, order) => {
    const failure = { kind: "invalid", outcome: "not_done", retryable: false };
    expect(await failureOf(order())).toMatchObject(failure);
    expect([network.sent, client.turns]).toEqual([[], []]);
  });
});

describe("the status of orders", () => {
  test("is asked by id or as a list, in the read lane, and tells what a social order left over", async () => {
    const row = orderRow({ status: "partial", quantity: 1000, remain: "250", count: 12 });
    replyTo(network, "social", answer(200, ok([row])), answer(200, ok([row, orderRow()])));
    const [order] = await client.getSocialMediaOrderStatus({ trxid: "VP1234567" });
    expect(order).toMatchObject({ status: "partial", quantity: 1000, remain: 250, startCount: 12 });
    expect(formOf(network.sent[0]?.body)).toMatchObject({ type: "status", trxid: "VP1234567" });
    expect(await client.getOrderStatus("social", { limit: 50 })).toHaveLength(2);
    expect(formOf(network.sent[1]?.body)).toMatchObject({ type: "status", limit: "50" });
    expect(client.turns).toEqual(["read", "read"]);
  });

  test("is asked in the visitors' lane for who looks on", async () => {
    replyTo(network, "social", answer(200, ok([orderRow()])));
    await client.getOrderStatus("social", { trxid: "VP1234567", visitorMs: 1_000 });
    expect(client.turns).toEqual(["visitor"]);
  });

  test("is not guessed at: what could be 1 or 1,000 of price or remainder is not told", async () => {
    const row = orderRow({ status: "partial", quantity: 5000, remain: "1.000", price: "10.764" });
    replyTo(network, "social", answer(200, ok([row])));
    const [order] = await client.getSocialMediaOrderStatus({ trxid: "VP1234567" });
    expect(order).toMatchObject({ status: "partial", remain: null, priceIdr: null });
  });

  test("is read from an object as well, and never from another order", async () => {
    const other = orderRow({ trxid: "VP999", status: "error" });
    replyTo(network, "prepaid", answer(200, ok(orderRow({ status: "Success", note: "SN 1" }))));
    replyTo(network, "prepaid", answer(200, ok([other])));
    expect(await client.getPrepaidOrderStatus({ trxid: "VP1234567" })).toMatchObject([
      { status: "success", note: "SN 1" },
    ]);
    expect(await client.getPrepaidOrderStatus({ trxid: "VP1234567" })).toEqual([]);
  });

  test.each([
    ["success", "", "1234-5678", "1234-5678"],
    ["success", "SN: 1234-5678", "1234-5678", "SN: 1234-5678"],
    ["success", "Transaction completed", "1234-5678", "Transaction completed / 1234-5678"],
    ["terkirim", "", "1234-5678", "1234-5678"],
    ["error", "Nomor salah.", "1234-5678", "Nomor salah."],
    ["processing", "", "1234-5678", ""],
  ])("of a %s order with note %j and serial %j tells of %j", async (status, note, sn, told) => {
    replyTo(network, "prepaid", answer(200, ok([orderRow({ status, note, sn })])));
    expect(await client.getPrepaidOrderStatus({ trxid: "VP1234567" })).toMatchObject([
      { note: told },
    ]);
  });

  test("is read as the longest list that is ever asked for, with a token in each row", async () => {
    const note = "1234-5678-9012-3456-7890/NAMA PELANGGAN/R1/1300 VA/32,7 kWh";
    const more = { code: "PLN50", service: "PLN Token Listrik 50.000", status: "success", note };
    const rows = Array.from({ length: 5_000 }, (_, n) => orderRow({ trxid: `VP${n}`, ...more }));
    replyTo(network, "prepaid", answer(200, ok(rows)));
    const listed = await client.getPrepaidOrderStatus({ limit: 5_000, whole: true });
    expect(listed).toHaveLength(5_000);
  });

  test("of an id that the supplier does not know is an empty list", async () => {
    replyTo(network, "game", answer(200, no("Transaksi tidak ditemukan.")), answer(200, ok([])));
    expect(await client.getGameOrderStatus({ trxid: "VP1" })).toEqual([]);
    expect(await client.getGameOrderStatus({ trxid: "VP1" })).toEqual([]);
  });

  test("that cannot be read is a failure, never 'no such order'", async () => {
    const replies = [no("Kesalahan lain."), ok(null), ok("VP1"), ok([{ trxid: "VP1" }])];
    for (const body of replies) {
      replyTo(network, "game", answer(200, body));
      expect((await failureOf(client.getGameOrderStatus({ trxid: "VP1" }))).kind).toMatch(
        /refused|bad_answer/,
      );
    }
  });

  test.each([0, -1, 1.5, 5_001])("a list of %s orders is not asked for", async (limit) => {
    expect(await failureOf(client.getGameOrderStatus({ limit }))).toMatchObject({
      kind: "invalid",
    });
  });

  test.each([
    ["waiting", "waiting"],
    ["pending", "waiting"],
    ["process", "processing"],
    ["In Progress", "processing"],
    [" SUCCESS ", "success"],
    ["completed", "success"],
    ["delivered", "success"],
    ["error", "error"],
    ["failed", "error"],
    ["rejected", "error"],
    ["canceled", "error"],
    ["cancelled", "error"],
    ["refunded", "error"],
    ["partial", "partial"],
    ["toString", "unknown"],
    ["hold", "unknown"],
  ])("%j means %s", async (word, status) => {
    replyTo(network, "game", answer(200, ok([orderRow({ status: word })])));
    const [order] = await client.getGameOrderStatus({ trxid: "VP1234567" });
    expect(order).toMatchObject({ status, statusText: word.trim().toLowerCase() });
  });
});

describe("reads", () => {
  test("are repeated after a passing failure, each time with a turn of its own", async () => {
    const status = answer(200, ok([orderRow()]));
    replyTo(network, "game", answer(503, "busy"), broken(null), status);
    expect(await client.getGameOrderStatus({ trxid: "VP1234567" })).toHaveLength(1);
    expect(client.turns).toEqual(["read", "read", "read"]);
  });

  test("end as they failed where there is no other turn", async () => {
    let turns = 0;
    const one = createVipReseller({
      ...{ apiId: API_ID, apiKey: API_KEY, baseUrl: BASE, timeoutMs: 25, fetch: network.fetch },
      pace: async () => {
        turns += 1;
        if (turns > 1) throw busy("no turn");
      },
      sleep: async () => undefined,
    });
    replyTo(network, "prepaid", answer(502, "<html>"));
    const failure = await failureOf(one.getPrepaidOrderStatus({ trxid: "VP1" }));
    expect([failure.status, failure.code, turns]).toEqual([502, undefined, 2]);
  });

  test("give up after three attempts, and at once after a timeout or a refusal", async () => {
    replyTo(network, "game", answer(500, ""), answer(500, ""), answer(500, ""));
    expect((await failureOf(client.getGameOrderStatus({ limit: 1 }))).kind).toBe("unavailable");
    replyTo(network, "game", silent);
    expect((await failureOf(client.getGameOrderStatus({ limit: 1 }))).kind).toBe("timeout");
    replyTo(network, "profile", answer(200, no("IP 203.0.113.9 is not permitted")));
    expect(await failureOf(client.getProfile())).toMatchObject({
      kind: "unauthorised",
      code: "not_permitted_address",
      retryable: false,
    });
    expect(client.turns).toHaveLength(5);
  });
});
