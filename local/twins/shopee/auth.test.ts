import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { press } from "../testing/market.ts";
import { partnerId, type Seller, type Shopee, startShopee } from "./testing.ts";

let shopee: Shopee;
let now = Date.parse("2026-11-21T12:00:00+07:00");

beforeAll(async () => {
  shopee = await startShopee({ clock: () => now });
});
afterAll(() => shopee.stop());

const refresh = (seller: Seller, token = seller.refreshToken) =>
  shopee.ask("POST", "auth/access_token/get", {
    body: { refresh_token: token, partner_id: partnerId, shop_id: Number(seller.shopId) },
  });
const info = (seller: Seller) => shopee.ask("GET", "shop/get_shop_info", { seller });

it("sends a seller who agrees back with code, shop and state, and the code buys tokens once", async () => {
  const link = new URLSearchParams({
    partner_id: String(partnerId),
    auth_type: "seller",
    response_type: "code",
    redirect_uri: "https://shop.example/kembali?platform=shopee",
    state: "s&1",
  });
  const answer = await press(`${shopee.url}/auth?${link}`, "Hubungkan toko baru");
  const back = new URL(answer.headers.get("location") ?? "");
  expect(back.origin + back.pathname).toBe("https://shop.example/kembali");
  expect(back.searchParams.get("platform")).toBe("shopee");
  expect(back.searchParams.get("state")).toBe("s&1");
  const body = {
    code: back.searchParams.get("code"),
    shop_id: Number(back.searchParams.get("shop_id")),
    partner_id: partnerId,
  };
  const first = await shopee.ask("POST", "auth/token/get", { body });
  expect(first.body).toMatchObject({ error: "", expire_in: 14_400 });
  const second = await shopee.ask("POST", "auth/token/get", { body });
  expect(second.body.error).toBe("invalid_code");
});

it("refuses a code after ten minutes, and one for another shop", async () => {
  const { body: late } = await shopee.hand("authorise");
  now += 10 * 60_000;
  const ask = (code: string, shopId: string) =>
    shopee.ask("POST", "auth/token/get", {
      body: { code, partner_id: partnerId, shop_id: Number(shopId) },
    });
  expect((await ask(late.code, late.shop_id)).body.error).toBe("invalid_code");
  const { body: mine } = await shopee.hand("authorise");
  expect((await ask(mine.code, late.shop_id)).body.error).toBe("invalid_shop_id");
});

describe("tokens", () => {
  it("last four hours; the old one works five more minutes after a refresh", async () => {
    const seller = await shopee.seller();
    const { body: pair } = await refresh(seller);
    const fresh = { ...seller, token: pair.access_token };
    now += 4 * 60_000;
    expect((await info(seller)).body.error).toBe("");
    now += 2 * 60_000;
    expect((await info(seller)).body.error).toBe("invalid_acceess_token");
    expect((await info(fresh)).body.error).toBe("");
    now += 4 * 3_600_000;
    expect((await info(fresh)).body.error).toBe("invalid_acceess_token");
  });

  it("a refresh token works once", async () => {
    const seller = await shopee.seller();
    const { body: pair } = await refresh(seller);
    expect(pair.refresh_token).not.toBe(seller.refreshToken);
    const again = await refresh(seller);
    expect(again.body).toMatchObject({ error: "error_auth", message: "Invalid refresh_token." });
    expect((await refresh(seller, pair.refresh_token)).body.error).toBe("");
  });

  it("a refresh token dies after thirty days, or by hand", async () => {
    const seller = await shopee.seller();
    now += 30 * 86_400_000;
    expect((await refresh(seller)).body.error).toBe("refresh_token_expired");
    const other = await shopee.seller();
    await shopee.hand(`age/${other.shopId}`, { seconds: 30 * 86_400 });
    expect((await refresh(other)).body.error).toBe("refresh_token_expired");
  });

  it("a revoked shop is not linked, for calls and refreshes alike", async () => {
    const seller = await shopee.seller();
    await shopee.hand(`revoke/${seller.shopId}`);
    expect((await info(seller)).body.error).toBe("shop_no_linked");
    expect((await refresh(seller)).body.error).toBe("shop_no_linked");
    expect((await shopee.state(seller.shopId)).body.shops[0].connected).toBe(false);
  });

  it("of one shop do not open another", async () => {
    const [mine, other] = [await shopee.seller(), await shopee.seller()];
    expect((await info({ ...mine, shopId: other.shopId })).body.error).toBe("error_auth");
  });
});

describe("a call is refused", () => {
  const cases: [string, string, Record<string, string>][] = [
    ["with another partner", "invalid_partner_id", { partner_id: "1" }],
    ["with a wrong signature", "error_sign", { sign: "0".repeat(64) }],
    ["with a timestamp in milliseconds", "error_param", { timestamp: "1655714431000" }],
    ["with a timestamp of six minutes ago", "error_param", { timestamp: "old" }],
    ["without a token", "error_param", { access_token: "" }],
    ["without a shop", "error_param", { shop_id: "" }],
  ];
  it.each(cases)("%s", async (_name, error, change) => {
    const seller = await shopee.seller();
    const old = String(Math.floor(now / 1000) - 360);
    const spoilt = change.timestamp === "old" ? { timestamp: old } : change;
    const answer = await shopee.ask("GET", "shop/get_shop_info", { seller, change: spoilt });
    expect(answer).toMatchObject({ status: 403, body: { error } });
  });

  it("signed without token and shop, as only public calls are", async () => {
    const seller = await shopee.seller();
    const change = { access_token: seller.token, shop_id: seller.shopId };
    const answer = await shopee.ask("GET", "shop/get_shop_info", { change });
    expect(answer.body.error).toBe("error_sign");
  });
});
