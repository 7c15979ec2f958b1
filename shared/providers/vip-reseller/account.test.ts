import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import {
  API_KEY,
  fakeVipReseller,
  formOf,
  no,
  ok,
  replyTo,
  SIGN,
} from "../testing/vip-reseller.ts";

const network = new FakeNetwork();
const client = fakeVipReseller(network);
afterEach(() => network.verify());

const profile = {
  full_name: "Toko Uji",
  username: "tokouji",
  balance: 1_250_000,
  point: 7,
  level: "Special",
  registered: "2024-01-01 08:00:00",
};

describe("the account", () => {
  test("tells balance and level; the call is signed and has no other field", async () => {
    const message = "Successfully got your account details.";
    replyTo(network, "profile", answer(200, ok(profile, message)), answer(200, ok(profile)));
    expect(await client.getProfile()).toEqual({
      fullName: "Toko Uji",
      username: "tokouji",
      balance: 1_250_000,
      point: 7,
      level: "special",
    });
    expect(formOf(network.sent[0]?.body)).toEqual({ key: API_KEY, sign: SIGN });
    expect(await client.getBalance()).toEqual({ balance: 1_250_000 });
  });

  test("rounds a balance down and does not guess at a level", async () => {
    replyTo(network, "profile", answer(200, ok({ ...profile, balance: "99.9", level: "Gold" })));
    expect(await client.getProfile()).toMatchObject({ balance: 99, level: null });
  });

  test.each(["1.250", "100.500", 99.125])(
    "does not guess what a balance %j means",
    async (told) => {
      replyTo(network, "profile", answer(200, ok({ ...profile, balance: told })));
      expect((await failureOf(client.getBalance())).kind).toBe("bad_answer");
    },
  );

  test("without a balance is a bad answer", async () => {
    replyTo(network, "profile", answer(200, ok({ ...profile, balance: null })));
    expect((await failureOf(client.getProfile())).kind).toBe("bad_answer");
  });
});

describe("a nickname", () => {
  const player = { code: "mobile-legends", target: "12345678", additionalTarget: "1234" };

  test("is asked with code, target and zone, and is the plain data", async () => {
    replyTo(network, "game", answer(200, ok(" Harimau ")), answer(200, ok("Macan")));
    expect(await client.getNickname(player)).toBe("Harimau");
    expect(formOf(network.sent[0]?.body)).toEqual({
      key: API_KEY,
      sign: SIGN,
      type: "get-nickname",
      code: "mobile-legends",
      target: "12345678",
      additional_target: "1234",
    });
    await client.getNickname({ code: "free-fire", target: "1" });
    expect(formOf(network.sent[1]?.body)).not.toHaveProperty("additional_target");
    expect(client.turns.slice(-2)).toEqual(["visitor", "visitor"]);
  });

  test("of nobody is null", async () => {
    for (const text of ["Nomor salah.", "Nomor tidak diketahui.", "Data tidak ditemukan"]) {
      replyTo(network, "game", answer(200, no(text)));
      expect(await client.getNickname(player)).toBeNull();
    }
  });

  test.each([
    "Saldo akun minimum Anda adalah 100.000.",
    "IP 203.0.113.9 is not permitted",
    "Layanan tidak ditemukan.",
    "API Key not registered.",
  ])("%j speaks of us, not of the player", async (text) => {
    replyTo(network, "game", answer(200, no(text)));
    expect((await failureOf(client.getNickname(player))).kind).toMatch(/refused|unauthorised/);
  });

  test("that is no text is a bad answer", async () => {
    replyTo(network, "game", answer(200, ok({ nickname: "Harimau" })));
    expect((await failureOf(client.getNickname(player))).kind).toBe("bad_answer");
  });
});
