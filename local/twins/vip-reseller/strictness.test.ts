import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../testing/call.ts";
import { accountSign } from "./signature.ts";
import { apiId, apiKey, newTarget, type Reseller, sign, startReseller } from "./testing.ts";
import { startVipResellerTwin } from "./twin.ts";

let reseller: Reseller;

beforeAll(async () => {
  reseller = await startReseller();
});
afterAll(() => reseller.stop());

const refusal = (message: string) => ({
  status: 200,
  body: { result: false, data: null, message },
});

describe("a call is refused with HTTP 200 and words", () => {
  const cases: [string, Record<string, string | undefined>, string][] = [
    ["with the API id as key", { key: apiId }, "API Key not registered."],
    ["with the sign reversed", { sign: accountSign(apiKey, apiId) }, "API Signature not valid."],
    ["with the sign in capitals", { sign: sign.toUpperCase() }, "API Signature not valid."],
    ["of an unknown type", { type: "orders" }, "Type 'orders' is not valid"],
    ["of the type `service`", { type: "service" }, "Type 'service' is not valid"],
    ["of a game's type elsewhere", { type: "get-nickname" }, "Type 'get-nickname' is not valid"],
    ["without a type", {}, "Type '' is not valid"],
  ];
  it.each(cases)("%s", async (_name, fields, message) => {
    expect(await reseller.ask("prepaid", fields)).toMatchObject(refusal(message));
  });

  it("without key or sign, or as JSON", async () => {
    const without = await reseller.ask("profile", { key: undefined });
    expect(without.body).toMatchObject({ result: false, message: "Request not detected." });
    const asJson = await call("POST", `${reseller.twin.url}/api/profile`, { key: apiKey, sign });
    expect(asJson.body).toMatchObject({ result: false, message: "Request not detected." });
  });

  it("by another path or method", async () => {
    expect((await reseller.ask("postpaid")).body.message).toBe("Request not detected.");
    const get = await call("GET", `${reseller.twin.url}/api/profile`);
    expect(get.body.result).toBe(false);
  });

  it("from an address that is not on the list, until it is put there", async () => {
    const target = newTarget();
    await reseller.dial(target, { callerAddress: "2001:db8::1" });
    const order = { type: "order", service: "S10", data_no: target };
    expect(await reseller.ask("prepaid", order)).toMatchObject(
      refusal("IP 2001:db8::1 is not permitted"),
    );
    expect((await reseller.ask("profile")).body.result).toBe(true);
    const account = `${reseller.twin.url}/_account`;
    await call("POST", account, { whitelist: "127.0.0.1, 2001:db8::1" });
    expect((await reseller.ask("prepaid", order)).body.result).toBe(true);
  });
});

it("takes multipart forms as well", async () => {
  const body = new FormData();
  body.set("key", apiKey);
  body.set("sign", sign);
  const answer = await fetch(`${reseller.twin.url}/api/profile`, { method: "POST", body });
  expect(await answer.json()).toMatchObject({ result: true });
});

const empty = "Masih ada parameter yang kosong.";
const notForSale = "Layanan tidak ditemukan atau saat ini tidak tersedia.";

describe("an order is refused and costs nothing", () => {
  const joki = { service: "JOKI3-S1", data_no: "budi@example.com", data_zone: "rahasia" };
  const cases: [string, string, Record<string, string>, string][] = [
    ["prepaid without service", "prepaid", { data_no: "0812345678" }, empty],
    ["prepaid without target", "prepaid", { service: "S10" }, empty],
    [
      "prepaid with a target that is no number",
      "prepaid",
      { service: "S10", data_no: "budi" },
      "Nomor salah.",
    ],
    ["an unknown service", "prepaid", { service: "NOPE", data_no: "0812345678" }, notForSale],
    [
      "a game's service as prepaid",
      "prepaid",
      { service: "FF50-S1", data_no: "0812345678" },
      notForSale,
    ],
    [
      "a service that is empty",
      "game-feature",
      { service: "ML13-S1", data_no: "1", data_zone: "2" },
      notForSale,
    ],
    ["a game without its zone", "game-feature", { service: "ML86-S1", data_no: "12345" }, empty],
    ["boosting without its login", "game-feature", { ...joki, quantity: "3" }, empty],
    [
      "boosting of two stars",
      "game-feature",
      { ...joki, additional_data: "a|b|c|d", quantity: "2" },
      "Pesanan Anda kurang dari jumlah pesanan minimum.",
    ],
    [
      "two boosting packages",
      "game-feature",
      { ...joki, service: "JOKI1-S1", additional_data: "a|b|c|d", quantity: "2" },
      "Pesanan Anda melebihi batas pesanan maksimum.",
    ],
    ["social media with `target`", "social-media", { service: "1001", quantity: "100" }, empty],
    [
      "social media of too few",
      "social-media",
      { service: "1001", data: "budi", quantity: "49" },
      "Pesanan Anda kurang dari jumlah pesanan minimum.",
    ],
    [
      "social media of too many",
      "social-media",
      { service: "1001", data: "budi", quantity: "10001" },
      "Pesanan Anda melebihi batas pesanan maksimum.",
    ],
  ];
  it.each(cases)("%s", async (_name, endpoint, fields, message) => {
    const answer = await reseller.ask(endpoint, { type: "order", ...fields });
    expect(answer).toMatchObject(refusal(message));
  });

  it("beyond the balance", async () => {
    const poor = await startReseller({ balance: 10_763 });
    expect((await poor.buy()).body).toMatchObject(
      refusal("Saldo Anda tidak cukup untuk melakukan pemesanan ini.").body,
    );
    await call("POST", `${poor.twin.url}/_account`, { balance: 10_764 });
    expect((await poor.buy()).body).toMatchObject({ result: true, data: { balance: 0 } });
    await poor.stop();
  });

  it("social media for a target with an open order", async () => {
    const data = newTarget("a");
    const fields = { type: "order", service: "1001", data, quantity: "100" };
    await reseller.dial(data, { stay: true });
    const { trxid } = (await reseller.ask("social-media", fields)).body.data;
    const again = () => reseller.ask("social-media", fields);
    expect(await again()).toMatchObject(
      refusal("Masih terdapat pesanan pending dengan target yang sama."),
    );
    await reseller.hand("succeed", trxid);
    expect((await again()).body.result).toBe(true);
  });
});

describe("questions are refused", () => {
  const cases: [string, string, Record<string, string>, string][] = [
    ["status without order or limit", "prepaid", { type: "status" }, empty],
    ["an unknown order", "prepaid", { type: "status", trxid: "VP1" }, "Transaksi tidak ditemukan."],
    [
      "services by an unknown filter",
      "prepaid",
      { type: "services", filter_type: "game", filter_value: "PLN" },
      "Layanan tidak ditemukan.",
    ],
    [
      "services of a brand that is none",
      "prepaid",
      { type: "services", filter_type: "brand", filter_value: "NOPE" },
      "Layanan tidak ditemukan.",
    ],
    [
      "stock of an unknown service",
      "game-feature",
      { type: "service-stock", service: "NOPE" },
      "Layanan tidak ditemukan.",
    ],
    ["a nickname without target", "game-feature", { type: "get-nickname", code: "pubgm" }, empty],
    [
      "a nickname by the names of other clients",
      "game-feature",
      { type: "get-nickname", code: "pubgm", data_no: "12345" },
      empty,
    ],
    [
      "a nickname of a retired game",
      "game-feature",
      { type: "get-nickname", code: "hago", target: "12345" },
      "Layanan tidak ditemukan.",
    ],
    [
      "a nickname without its zone",
      "game-feature",
      { type: "get-nickname", code: "mobile-legends", target: "12345" },
      empty,
    ],
    [
      "a nickname that nobody has",
      "game-feature",
      { type: "get-nickname", code: "free-fire", target: "012345" },
      "Nomor tidak diketahui.",
    ],
  ];
  it.each(cases)("%s", async (_name, endpoint, fields, message) => {
    expect(await reseller.ask(endpoint, fields)).toMatchObject(refusal(message));
  });

  it("an order of another endpoint", async () => {
    const { trxid } = (await reseller.buy()).body.data;
    const answer = await reseller.ask("game-feature", { type: "status", trxid });
    expect(answer).toMatchObject(refusal("Transaksi tidak ditemukan."));
  });

  it("a region, with too little in the account", async () => {
    const poor = await startReseller({ balance: 99_999 });
    const fields = { type: "get-nickname", target: "12345", additional_target: "2001" };
    const region = await poor.ask("game-feature", { ...fields, code: "mobile-legends-region" });
    expect(region).toMatchObject(refusal("Saldo akun minimum Anda adalah 100000."));
    expect(
      (await poor.ask("game-feature", { ...fields, code: "mobile-legends" })).body,
    ).toMatchObject({ result: true });
    await poor.stop();
  });
});

it("says in clear words that a port is taken", async () => {
  await expect(startVipResellerTwin({ apiId, apiKey, port: reseller.twin.port })).rejects.toThrow(
    `VIP-Reseller twin: port ${reseller.twin.port} is taken by another program`,
  );
});
