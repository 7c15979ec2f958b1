import type { Tell } from "../narrator.ts";

export const PLATFORMS = ["shopee", "lazada", "tokopedia"] as const;
export type Platform = (typeof PLATFORMS)[number];

/** Tokopedia's shops live on TikTok Shop. */
export const TITLES: Record<Platform, string> = {
  shopee: "Shopee",
  lazada: "Lazada",
  tokopedia: "Tokopedia",
};

/** The call that creates a product, by a part of its path. */
export const CREATES: Record<Platform, string> = {
  shopee: "/product/add_item",
  lazada: "/product/create",
  tokopedia: "/product/202309/products",
};

/** The calls that change prices. */
export const PRICES: Record<Platform, string> = {
  shopee: "/product/update_price",
  lazada: "/product/price_quantity/update",
  tokopedia: "/prices/update",
};

export function urlOf(
  { shopee, lazada, tiktokShop }: Pick<Tell, "shopee" | "lazada" | "tiktokShop">,
  platform: Platform,
): string {
  return { shopee, lazada, tokopedia: tiktokShop }[platform];
}

/** Does at a twin what a person would do there, or reads what it knows. */
export async function twin<T>(
  url: string,
  json?: unknown,
  method = json === undefined ? "GET" : "POST",
): Promise<T> {
  const headers = { "content-type": "application/json" };
  const body = json === undefined ? null : JSON.stringify(json);
  const response = await fetch(url, { method, headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** A shop as its twin has it. */
export interface RemoteShop {
  shops: { calls: Record<string, { all: number; limited: number }> }[];
  products: RemoteProduct[];
}

export interface RemoteProduct {
  id: string;
  name: string;
  status: string;
  skus: { sellerSku: string; price: number; stock: number; held: number }[];
}

export const readShop = (url: string, shopId: string): Promise<RemoteShop> =>
  twin<RemoteShop>(`${url}/_state?shop_id=${shopId}`);

/** Turns a twin's knobs for one shop, and no other. */
export const dial = (url: string, shopId: string, dials: object): Promise<unknown> =>
  twin(`${url}/_dials`, { ...dials, match: shopId }, "PUT");

export const undial = (url: string, shopId: string): Promise<unknown> =>
  twin(`${url}/_dials?match=${shopId}`, undefined, "DELETE");
