import { createHmac } from "node:crypto";
import type { MarketOptions } from "../common/market/market.ts";
import type { Answer } from "../testing/call.ts";
import { testPng } from "../testing/images.ts";
import { type Side, sideOf } from "../testing/market.ts";
import { type LazadaTwin, startLazadaTwin } from "./twin.ts";

export const appKey = "123456";
export const appSecret = "helloworld";

export interface Seller {
  shopId: string;
  token: string;
  refreshToken: string;
}

type Parameters = Record<string, string>;

export interface Lazada extends Side {
  twin: LazadaTwin;
  /** A signed call; `change` spoils it after the signature was made. */
  ask(
    method: "GET" | "POST",
    path: string,
    input: { seller?: Seller; with?: Parameters; change?: Parameters },
  ): Promise<Answer>;
  seller(): Promise<Seller>;
  upload(seller: Seller, bytes: Buffer): Promise<Answer>;
  /** Everything `/product/create` wants; changes of Product and of its one Sku. */
  product(
    seller: Seller,
    change?: Record<string, unknown>,
    sku?: Record<string, unknown>,
  ): Promise<string>;
  create(seller: Seller, sellerSku: string): Promise<{ itemId: number; skuId: number }>;
  stop(): Promise<void>;
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

function signed(path: string, now: number, given: Parameters): Parameters {
  const all: Parameters = {
    app_key: appKey,
    sign_method: "sha256",
    timestamp: String(now),
    ...given,
  };
  const text = Object.keys(all)
    .sort()
    .filter((name) => all[name] !== "")
    .map((name) => name + all[name])
    .join("");
  const sign = createHmac("sha256", appSecret)
    .update(path + text)
    .digest("hex")
    .toUpperCase();
  return { ...all, sign };
}

export async function startLazada(options: MarketOptions = {}): Promise<Lazada> {
  const twin = await startLazadaTwin({ appKey, appSecret, callsPerSecond: 1000, ...options });
  const now = options.clock ?? Date.now;
  const side = sideOf(twin.url);
  const ask: Lazada["ask"] = async (method, path, { seller, with: given = {}, change = {} }) => {
    const own: Parameters = seller ? { access_token: seller.token } : {};
    const form = new URLSearchParams({ ...signed(path, now(), { ...own, ...given }), ...change });
    const url = `${twin.url}/rest${path}`;
    if (method === "GET") return await read(await fetch(`${url}?${form}`));
    return await read(await fetch(url, { method, body: form }));
  };
  const upload: Lazada["upload"] = async (seller, bytes) => {
    const form = new FormData();
    const all = signed("/image/upload", now(), { access_token: seller.token });
    for (const [name, value] of Object.entries(all)) form.append(name, value);
    form.append("image", new Blob([new Uint8Array(bytes)]), "foto.png");
    return await read(await fetch(`${twin.url}/rest/image/upload`, { method: "POST", body: form }));
  };
  const product: Lazada["product"] = async (seller, change = {}, sku = {}) => {
    const url = (await upload(seller, testPng())).body.data.image.url;
    const attributes = {
      name: "Kopi Kelud",
      description: "<p>Kopi</p>",
      brand: "No Brand",
      coffee_type: "Robusta",
    };
    const one = {
      SellerSku: "KOPI-1",
      price: "45000",
      quantity: "10",
      package_length: "10",
      package_width: "10",
      package_height: "5",
      package_weight: "0.30",
      ...sku,
    };
    const whole = {
      PrimaryCategory: "10002003",
      Images: { Image: [url] },
      Attributes: attributes,
      Skus: { Sku: [one] },
    };
    return JSON.stringify({ Request: { Product: { ...whole, ...change } } });
  };
  return {
    ...side,
    twin,
    ask,
    upload,
    product,
    seller: async () => {
      const { shop_id: shopId, code } = (await side.hand("authorise", { name: "Toko Uji" })).body;
      const { body } = await ask("POST", "/auth/token/create", { with: { code } });
      return { shopId, token: body.access_token, refreshToken: body.refresh_token };
    },
    create: async (seller, sellerSku) => {
      const payload = await product(seller, {}, { SellerSku: sellerSku });
      const answer = await ask("POST", "/product/create", { seller, with: { payload } });
      if (answer.body.code !== "0") throw new Error(answer.text);
      const { item_id: itemId, sku_list: list } = answer.body.data;
      return { itemId, skuId: list[0].sku_id };
    },
    stop: () => twin.stop(),
  };
}
