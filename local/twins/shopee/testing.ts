import { createHmac } from "node:crypto";
import type { Answer } from "../testing/call.ts";
import { testPng } from "../testing/images.ts";
import { type Side, sideOf } from "../testing/market.ts";
import { type ShopeeOptions, type ShopeeTwin, startShopeeTwin } from "./twin.ts";

export const partnerId = 2_001_887;
export const partnerKey = "test_partner_key_0001";
export const pushKey = "test_push_key_0001";

export interface Seller {
  shopId: string;
  token: string;
  refreshToken: string;
}

export interface Shopee extends Side {
  twin: ShopeeTwin;
  /** A signed call: of the app alone, or with the token of a shop; `change` spoils the query. */
  ask(
    method: "GET" | "POST",
    path: string,
    input: {
      seller?: Seller;
      query?: Record<string, string>;
      body?: unknown;
      change?: Record<string, string>;
    },
  ): Promise<Answer>;
  /** A shop that has just been connected. */
  seller(): Promise<Seller>;
  upload(bytes: Buffer): Promise<Answer>;
  /** Everything `add_item` wants; a change of undefined leaves a field out. */
  item(change?: Record<string, unknown>): Promise<Record<string, unknown>>;
  add(seller: Seller, change?: Record<string, unknown>): Promise<number>;
  stop(): Promise<void>;
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : null,
  };
}

export async function startShopee(options: Partial<ShopeeOptions> = {}): Promise<Shopee> {
  const twin = await startShopeeTwin({ partnerId, partnerKey, callsPerSecond: 1000, ...options });
  const now = options.clock ?? Date.now;
  const signed = (path: string, seller?: Seller, more: Record<string, string> = {}) => {
    const timestamp = String(Math.floor(now() / 1000));
    const tail = seller ? seller.token + seller.shopId : "";
    const sign = createHmac("sha256", partnerKey)
      .update(partnerId + path + timestamp + tail)
      .digest("hex");
    const own = seller ? { access_token: seller.token, shop_id: seller.shopId } : {};
    return new URLSearchParams({ partner_id: String(partnerId), timestamp, sign, ...own, ...more });
  };
  const ask: Shopee["ask"] = async (method, path, { seller, query = {}, body, change = {} }) => {
    const url = `${twin.url}/api/v2/${path}?${signed(`/api/v2/${path}`, seller, { ...query, ...change })}`;
    const json = {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body ?? {}),
    };
    return await read(await fetch(url, { method, ...(method === "POST" && json) }));
  };
  const upload: Shopee["upload"] = async (bytes) => {
    const form = new FormData();
    form.append("image", new Blob([new Uint8Array(bytes)]), "foto.png");
    const path = "/api/v2/media_space/upload_image";
    return await read(
      await fetch(`${twin.url}${path}?${signed(path)}`, { method: "POST", body: form }),
    );
  };
  const side = sideOf(twin.url);
  const item: Shopee["item"] = async (change = {}) => ({
    item_name: "Kopi Robusta Kelud 250 g",
    description: "Kopi bubuk robusta dari lereng Kelud.",
    original_price: 45_000,
    weight: 0.3,
    category_id: 100_003,
    image: { image_id_list: [(await upload(testPng())).body.response.image_info.image_id] },
    logistic_info: [{ logistic_id: 8003, enabled: true }],
    seller_stock: [{ stock: 10 }],
    brand: { brand_id: 0, original_brand_name: "NoBrand" },
    attribute_list: [{ attribute_id: 200, attribute_value_list: [{ value_id: 202 }] }],
    item_sku: "KOPI-1",
    ...change,
  });
  return {
    ...side,
    twin,
    ask,
    upload,
    item,
    seller: async () => {
      const { shop_id: shopId, code } = (await side.hand("authorise", { name: "Toko Uji" })).body;
      const body = { code, partner_id: partnerId, shop_id: Number(shopId) };
      const { body: tokens } = await ask("POST", "auth/token/get", { body });
      return { shopId, token: tokens.access_token, refreshToken: tokens.refresh_token };
    },
    add: async (seller, change = {}) => {
      const answer = await ask("POST", "product/add_item", { seller, body: await item(change) });
      if (answer.body.error) throw new Error(answer.text);
      return answer.body.response.item_id;
    },
    stop: () => twin.stop(),
  };
}
