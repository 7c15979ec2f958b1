import { afterEach, describe, expect, test } from "vitest";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork, silent } from "../testing/fake-network.ts";
import { AUTH, BASE, fakeTikTokShop, no, ok } from "../testing/tiktok-shop.ts";

const network = new FakeNetwork();
const client = () => fakeTikTokShop(network);
const GET = `${AUTH}/api/v2/token/get?auth_code=once&grant_type=authorized_code&app_key=testkey123&app_secret=testsecret456`;
const REFRESH = `${AUTH}/api/v2/token/refresh?refresh_token=refresh-1&grant_type=refresh_token&app_key=testkey123&app_secret=testsecret456`;
const SHOPS = `${BASE}/authorization/202309/shops?app_key=testkey123&timestamp=1700000000&sign=6cb7f37fa025418888267f9f83457f86ca593efbf50bd88e554efe9ef8aff57d`;

afterEach(() => {
  network.verify();
});

const given = {
  access_token: "access-1",
  access_token_expire_in: 1_700_604_800,
  refresh_token: "refresh-1",
  refresh_token_expire_in: 4_824_739_200,
  open_id: "o",
  seller_name: "Toko Wafero",
  seller_base_region: "ID",
  user_type: 0,
  granted_scopes: ["seller.product.write"],
};
const shop = (changes: object) => ({
  id: "7494049642642441621",
  code: "IDLC1",
  name: "Wafero",
  region: "ID",
  seller_type: "LOCAL",
  cipher: "cipher-1",
  ...changes,
});

test("the page for sellers carries service and state, and goes back where the service says", async () => {
  const url = await client().authoriseUrl({ state: "s 1", redirectUrl: "https://app.example/x" });
  expect(url).toBe(
    "https://services.tts.example/open/authorize?service_id=7300000000000000001&state=s+1",
  );
});

describe("redeeming a code", () => {
  const redeem = () => client().exchangeCode({ code: "once" });

  test("reads points in time, then asks for the shops and their ciphers", async () => {
    network.on("GET", GET, answer(200, ok(given)));
    const shops = [shop({}), shop({ id: "1", region: "SG" })];
    network.on("GET", SHOPS, answer(200, ok({ shops })));
    expect(await redeem()).toEqual({
      tokens: {
        accessToken: "access-1",
        accessExpiresAt: new Date(1_700_604_800_000),
        refreshToken: "refresh-1",
        refreshExpiresAt: new Date(4_824_739_200_000),
      },
      shops: [{ shopId: "7494049642642441621", name: "Wafero", shopCipher: "cipher-1" }],
    });
    expect(network.sent[1]?.headers["x-tts-access-token"]).toBe("access-1");
  });

  test("of one who is no seller, or has no Indonesian shop, is refused in words", async () => {
    network.on("GET", GET, answer(200, ok({ ...given, user_type: 1 })));
    expect(await marketFailureOf(redeem())).toMatchObject({ code: "not_a_seller" });
    network.on("GET", GET, answer(200, ok(given)));
    network.on("GET", SHOPS, answer(200, ok({ shops: [shop({ region: "SG" })] })));
    const error = await marketFailureOf(redeem());
    expect(error.reason).toContain("Indonesia");
  });

  test("that was used is refused; the secret stands in no message", async () => {
    network.on("GET", GET, answer(200, no(36004004, "auth code is expired")));
    const error = await marketFailureOf(redeem());
    expect(error).toMatchObject({ fault: "rejected" });
    expect(`${error.message} ${error.reason} ${error.stack}`).not.toContain("testsecret456");
  });
});

describe("refreshing", () => {
  const refresh = () => client().refresh({ refreshToken: "refresh-1", shopId: "1" });

  test("gives a new pair", async () => {
    network.on("GET", REFRESH, answer(200, ok({ ...given, refresh_token: "refresh-2" })));
    expect(await refresh()).toMatchObject({ refreshToken: "refresh-2" });
  });

  test.each([
    ["a refusal", no(36004005, "refresh token is invalid"), "token_revoked"],
    ["a wrong app", no(36004001, "app_secret is wrong"), "misconfigured"],
    ["an internal error", no(36009003, "internal error"), "unknown"],
    ["a limit", no(36009002, "too many requests"), "rate_limited"],
  ])("%s", async (_name, body, fault) => {
    network.on("GET", REFRESH, answer(200, body));
    expect(await marketFailureOf(refresh())).toMatchObject({ fault });
  });

  test("in silence is not repeated", async () => {
    network.on("GET", REFRESH, silent);
    expect(await marketFailureOf(refresh())).toMatchObject({ fault: "unknown" });
  });
});
