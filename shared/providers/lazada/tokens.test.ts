import { afterEach, describe, expect, test } from "vitest";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork, silent } from "../testing/fake-network.ts";
import { AT, AUTH, fakeLazada, no } from "../testing/lazada.ts";

const network = new FakeNetwork();
const client = () => fakeLazada(network);
const SYSTEM = "app_key=123456&timestamp=1517820392000&sign_method=sha256&sign=";
const CREATE = `${AUTH}/rest/auth/token/create?${SYSTEM}76E54FD7B7CF0488A715EE5976FA08311360864AA8B9B957265BB9C24A8A8473`;
const REFRESH = `${AUTH}/rest/auth/token/refresh?${SYSTEM}5320E665079F5B795A5BA788C613DAE6E26408612B8E60A928F6A560B0231220`;

afterEach(() => {
  network.verify();
});

const later = (seconds: number) => new Date(AT.getTime() + seconds * 1000);
const given = {
  access_token: "access-1",
  refresh_token: "refresh-1",
  expires_in: 864_000,
  refresh_expires_in: 4_320_000,
  country: "id",
  account: "toko@example.com",
  account_platform: "seller_center",
  country_user_info: [
    { country: "sg", user_id: "1", seller_id: "1001", short_code: "SG1" },
    { country: "id", user_id: "2", seller_id: "9999", short_code: "ID2" },
  ],
  code: "0",
  request_id: "r",
};

test("the page for sellers carries app, way back, country and state", async () => {
  const url = await client().authoriseUrl({ state: "s1", redirectUrl: "https://app.example/back" });
  expect(url).toBe(
    `${AUTH}/oauth/authorize?response_type=code&force_auth=true&redirect_uri=https%3A%2F%2Fapp.example%2Fback&client_id=123456&country=id&state=s1`,
  );
});

describe("redeeming a code", () => {
  const redeem = () => client().exchangeCode({ code: "0_100132_sample" });

  test("takes the Indonesian shop and the life times of the answer", async () => {
    network.on("POST", CREATE, answer(200, given));
    expect(await redeem()).toEqual({
      tokens: {
        accessToken: "access-1",
        accessExpiresAt: later(864_000),
        refreshToken: "refresh-1",
        refreshExpiresAt: later(4_320_000),
      },
      shops: [{ shopId: "9999", name: "ID2", shopCipher: null }],
    });
    expect(network.sent[0]?.body).toBe("code=0_100132_sample");
  });

  test("of a seller of another country is refused in words", async () => {
    const others = { ...given, country_user_info: given.country_user_info.slice(0, 1) };
    network.on("POST", CREATE, answer(200, others));
    const error = await marketFailureOf(redeem());
    expect(error).toMatchObject({ fault: "rejected" });
    expect(error.reason).toContain("Indonesia");
  });

  test("that was used is refused, under HTTP 200", async () => {
    network.on("POST", CREATE, answer(200, no("InvalidCode", "Invalid authorization code")));
    expect(await marketFailureOf(redeem())).toMatchObject({
      fault: "rejected",
      reason: expect.stringContaining("Ulangi"),
    });
  });
});

describe("refreshing", () => {
  const refresh = () => client().refresh({ refreshToken: "sample_refresh", shopId: "9999" });

  test("gives what is left of the refresh token's life, not a new one", async () => {
    const { country_user_info, ...rest } = given;
    const next = { ...rest, country_user_info_list: country_user_info, refresh_expires_in: 60 };
    network.on("POST", REFRESH, answer(200, next));
    expect(await refresh()).toMatchObject({ refreshExpiresAt: later(60) });
    expect(network.sent[0]?.body).toBe("refresh_token=sample_refresh");
  });

  test("with a token at its end: only the seller can help", async () => {
    network.on("POST", REFRESH, answer(200, no("IllegalRefreshToken", "expired")));
    expect(await marketFailureOf(refresh())).toMatchObject({ fault: "token_revoked" });
  });

  test("in silence is not repeated", async () => {
    network.on("POST", REFRESH, silent);
    expect(await marketFailureOf(refresh())).toMatchObject({ fault: "unknown" });
  });
});
