import { afterEach, describe, expect, test } from "vitest";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork, silent } from "../testing/fake-network.ts";
import { AT, address, BASE, fakeShopee, no } from "../testing/shopee.ts";

const network = new FakeNetwork();
const client = () => fakeShopee(network);
const TOKEN_URL = `${BASE}/api/v2/auth/token/get?partner_id=2001887&timestamp=1655714431&sign=ce14694a970fefe08798e36a67310fb889a762561f8d15cc94393e68544de890`;
const REFRESH_URL = `${BASE}/api/v2/auth/access_token/get?partner_id=2001887&timestamp=1655714431&sign=fd8afc6922f70fc0844d275eca3e28f7146312a8de298baa8b4379de79e53eef`;

afterEach(() => {
  network.verify();
});

const given = {
  access_token: "access-1",
  refresh_token: "refresh-1",
  expire_in: 14_400,
  request_id: "r",
  error: "",
  message: "",
};
const later = (seconds: number) => new Date(AT.getTime() + seconds * 1000);

test("the page for sellers carries app, way back and state, and is not signed", async () => {
  const url = await client().authoriseUrl({
    state: "a b&c",
    redirectUrl: "https://app.example/back?x=1",
  });
  expect(url).toBe(
    "https://open.shopee.example/auth?partner_id=2001887&auth_type=seller&redirect_uri=https%3A%2F%2Fapp.example%2Fback%3Fx%3D1&response_type=code&state=a+b%26c",
  );
});

test("the older link is signed for now, and carries the state in its way back", async () => {
  const url = await fakeShopee(network, { authLink: "signed" }).authoriseUrl({
    state: "s1",
    redirectUrl: "https://app.example/back?x=1",
  });
  expect(url).toBe(
    `${BASE}/api/v2/shop/auth_partner?partner_id=2001887&timestamp=1655714431&sign=6e9296d1aa46111dcbbd6d0df4079f25d6f984c31c2b3374570dd61ec03206c6&redirect=https%3A%2F%2Fapp.example%2Fback%3Fx%3D1%26state%3Ds1`,
  );
});

describe("redeeming a code", () => {
  test("names the shop of the callback and reads four hours and thirty days", async () => {
    network.on("POST", TOKEN_URL, answer(200, given));
    expect(await client().exchangeCode({ code: "once", shopId: "14701711" })).toEqual({
      tokens: {
        accessToken: "access-1",
        accessExpiresAt: later(14_400),
        refreshToken: "refresh-1",
        refreshExpiresAt: later(30 * 86_400),
      },
      shops: [{ shopId: "14701711", name: null, shopCipher: null }],
    });
    expect(network.firstJson()).toEqual({ code: "once", partner_id: 2001887, shop_id: 14701711 });
  });

  test("of a main account gives all of its shops", async () => {
    network.on("POST", TOKEN_URL, answer(200, { ...given, shop_id_list: [1, 2] }));
    const grant = await client().exchangeCode({ code: "once", mainAccountId: "99" });
    expect(grant.shops.map(({ shopId }) => shopId)).toEqual(["1", "2"]);
    expect(network.firstJson()).toEqual({ code: "once", partner_id: 2001887, main_account_id: 99 });
  });

  test("without the shop of the callback is not sent", async () => {
    const error = await marketFailureOf(client().exchangeCode({ code: "once" }));
    expect(error).toMatchObject({ fault: "rejected", code: "shop_id_missing" });
    expect(error.reason).toContain("shop_id");
  });

  test("a point in time where a span belongs is read as one", async () => {
    network.on("POST", TOKEN_URL, answer(200, { ...given, expire_in: 1_767_001_812 }));
    const { tokens } = await client().exchangeCode({ code: "once", shopId: "1" });
    expect(tokens.accessExpiresAt).toEqual(new Date(1_767_001_812_000));
  });

  test("a used code is refused, and never sent twice", async () => {
    network.on("POST", TOKEN_URL, answer(200, no("invalid_code", "Invalid code")));
    const call = client().exchangeCode({ code: "used", shopId: "1" });
    expect(await marketFailureOf(call)).toMatchObject({
      fault: "rejected",
      reason: "Invalid code",
    });
  });
});

describe("refreshing", () => {
  const refresh = () => client().refresh({ refreshToken: "refresh-1", shopId: "14701711" });

  test("gives the next pair", async () => {
    network.on("POST", REFRESH_URL, answer(200, { ...given, refresh_token: "refresh-2" }));
    expect(await refresh()).toMatchObject({ refreshToken: "refresh-2" });
    expect(network.firstJson()).toEqual({
      refresh_token: "refresh-1",
      partner_id: 2001887,
      shop_id: 14701711,
    });
  });

  test.each([
    ["error_auth", "Invalid refresh_token"],
    ["error_shop_refresh_token", "Your refresh token is error"],
    ["refresh_token_expired", "Your refresh_token expired."],
    ["shop_access_expired", "Your access to shop has expired."],
    ["common.shop_no_linked", "Partner and shop has no linked."],
    ["shop_banned", "The shop account has been banned."],
  ])("%s: only the seller can help", async (code, message) => {
    network.on("POST", REFRESH_URL, answer(200, no(code, message)));
    const error = await marketFailureOf(refresh());
    expect(error).toMatchObject({ fault: "token_revoked", kind: "unauthorised" });
    expect(error.reason.length).toBeGreaterThan(10);
  });

  test("a wrong signature is ours to mend, not the seller's", async () => {
    network.on("POST", REFRESH_URL, answer(403, no("error_sign", "Wrong sign.")));
    expect(await marketFailureOf(refresh())).toMatchObject({ fault: "misconfigured" });
  });

  test("silence leaves open whether the token was used up, and is not repeated", async () => {
    network.on("POST", REFRESH_URL, silent);
    expect(await marketFailureOf(refresh())).toMatchObject({
      fault: "unknown",
      outcome: "unknown",
    });
  });

  test("an internal error is no reason to send the seller away", async () => {
    network.on(
      "POST",
      await address("auth/access_token/get", {}, null),
      answer(200, no("error_server")),
    );
    expect(await marketFailureOf(refresh())).toMatchObject({ fault: "unknown" });
  });
});
