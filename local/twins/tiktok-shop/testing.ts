import { createHmac } from "node:crypto";
import type { MarketOptions } from "../common/market/market.ts";
import type { Answer } from "../testing/call.ts";
import { testPng } from "../testing/images.ts";
import { type Side, sideOf } from "../testing/market.ts";
import { startTiktokShopTwin, type TiktokShopTwin } from "./twin.ts";

export const appKey = "testkey123";
export const appSecret = "testsecret456";
export const serviceId = "7000000000000000001";
export const warehouseId = "7068517275539719942";

export interface Seller {
  shopId: string;
  token: string;
  refreshToken: string;
  cipher: string;
}

export interface Tiktok extends Side {
  twin: TiktokShopTwin;
  /** A signed call of a seller's shop; `change` spoils the query, `cipher: null` leaves the shop out. */
  ask(
    method: string,
    path: string,
    input: {
      seller: Seller;
      query?: Record<string, string>;
      body?: unknown;
      change?: Record<string, string>;
      cipher?: string | null;
      headers?: Record<string, string>;
    },
  ): Promise<Answer>;
  token(query: Record<string, string>, what?: "get" | "refresh"): Promise<Answer>;
  seller(): Promise<Seller>;
  upload(seller: Seller, bytes: Buffer, useCase?: string): Promise<Answer>;
  /** Everything a product wants; a change of undefined leaves a field out. */
  product(seller: Seller, change?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** A product that is live. */
  create(seller: Seller, sellerSku: string): Promise<{ id: string; skuId: string }>;
  stop(): Promise<void>;
}

function sign(path: string, query: Record<string, string>, body: string): string {
  const text = Object.keys(query)
    .sort()
    .map((name) => name + query[name])
    .join("");
  const whole = appSecret + path + text + body + appSecret;
  return createHmac("sha256", appSecret).update(whole).digest("hex");
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

export async function startTiktok(options: MarketOptions = {}): Promise<Tiktok> {
  const twin = await startTiktokShopTwin({
    appKey,
    appSecret,
    serviceId,
    callsPerSecond: 1000,
    ...options,
  });
  const now = options.clock ?? Date.now;
  const side = sideOf(twin.url);
  const query = (path: string, more: Record<string, string>, body: string) => {
    const all = { app_key: appKey, timestamp: String(Math.floor(now() / 1000)), ...more };
    return { ...all, sign: sign(path, all, body) };
  };
  const ask: Tiktok["ask"] = async (method, path, input) => {
    const { seller, body, change = {}, cipher = seller.cipher, headers = {} } = input;
    const text = body === undefined ? "" : JSON.stringify(body);
    const shop: Record<string, string> = cipher === null ? {} : { shop_cipher: cipher };
    const all = new URLSearchParams({
      ...query(path, { ...shop, ...input.query }, text),
      ...change,
    });
    const response = await fetch(`${twin.url}${path}?${all}`, {
      method,
      headers: {
        "x-tts-access-token": seller.token,
        "content-type": "application/json",
        ...headers,
      },
      ...(text && { body: text }),
    });
    return await read(response);
  };
  const token: Tiktok["token"] = async (given, what = "get") => {
    const all = new URLSearchParams({ app_key: appKey, app_secret: appSecret, ...given });
    return await read(await fetch(`${twin.url}/api/v2/token/${what}?${all}`));
  };
  const upload: Tiktok["upload"] = async (seller, bytes, useCase = "MAIN_IMAGE") => {
    const path = "/product/202309/images/upload";
    const form = new FormData();
    form.append("data", new Blob([new Uint8Array(bytes)]), "foto.png");
    form.append("use_case", useCase);
    const headers = { "x-tts-access-token": seller.token };
    const all = new URLSearchParams(query(path, {}, ""));
    return await read(
      await fetch(`${twin.url}${path}?${all}`, { method: "POST", headers, body: form }),
    );
  };
  const product: Tiktok["product"] = async (seller, change = {}) => ({
    save_mode: "LISTING",
    title: "Kopi Robusta Kelud bubuk halus 250 gram",
    description: "<p>Kopi</p>",
    category_id: "600003",
    category_version: "v2",
    main_images: [{ uri: (await upload(seller, testPng())).body.data.uri }],
    listing_platforms: ["TOKOPEDIA"],
    package_weight: { value: "0.3", unit: "KILOGRAM" },
    product_attributes: [{ id: "200", values: [{ id: "202" }] }],
    skus: [
      {
        seller_sku: "KOPI-1",
        price: { amount: "45000", currency: "IDR" },
        inventory: [{ warehouse_id: warehouseId, quantity: 10 }],
      },
    ],
    ...change,
  });
  return {
    ...side,
    twin,
    ask,
    token,
    upload,
    product,
    seller: async () => {
      const { shop_id: shopId, code } = (await side.hand("authorise", { name: "Toko Uji" })).body;
      const { body } = await token({ auth_code: code, grant_type: "authorized_code" });
      const { access_token, refresh_token } = body.data;
      const bare = { shopId, token: access_token, refreshToken: refresh_token, cipher: "" };
      const shops = await ask("GET", "/authorization/202309/shops", { seller: bare, cipher: null });
      return { ...bare, cipher: shops.body.data.shops[0].cipher };
    },
    create: async (seller, sellerSku) => {
      const [sku] = (await product(seller)).skus as Record<string, unknown>[];
      const body = await product(seller, { skus: [{ ...sku, seller_sku: sellerSku }] });
      const answer = await ask("POST", "/product/202309/products", { seller, body });
      if (answer.body.code !== 0) throw new Error(answer.text);
      const { product_id: id, skus } = answer.body.data;
      await ask("POST", "/product/202309/products/activate", {
        seller,
        body: { product_ids: [id] },
      });
      return { id, skuId: skus[0].id };
    },
    stop: () => twin.stop(),
  };
}
