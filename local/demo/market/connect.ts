import { request } from "../http.ts";
import { check, type Tell } from "../narrator.ts";
import type { Person } from "../sale/seller.ts";
import { consent } from "./consent.ts";
import { PLATFORMS, type Platform, TITLES } from "./twins.ts";

const BASE = "/api/seller/marketplace";

/** The seller's shop on each marketplace, by its id there. */
export type Shops = Record<Platform, string>;

/** The seller grants access on each marketplace's own page, and the code that comes back connects the shop. */
export async function connectAll(tell: Tell, { token }: Person): Promise<Shops> {
  const shops: Shops = { shopee: "", lazada: "", tokopedia: "" };
  const lines: string[] = [];
  for (const platform of PLATFORMS) {
    const link = await request<{ url: string; state: string }>(
      tell.app,
      `${BASE}/authorise/${platform}`,
      { token },
    );
    const back = await consent(link.url);
    check(`the state that ${TITLES[platform]} gives back`, back.get("state"), link.state);
    const shopId = back.get("shop_id");
    const json = { platform, code: back.get("code"), state: link.state };
    const connected = await request<{ shop: { id: string; name: string | null } }>(
      tell.app,
      `${BASE}/connect`,
      { method: "POST", token, json: { ...json, ...(shopId ? { shop_id: shopId } : {}) } },
    );
    shops[platform] = connected.shop.id;
    const { id, name } = connected.shop;
    lines.push(`${TITLES[platform]}: shop ${id}${name && name !== id ? ` "${name}"` : ""}`);
  }
  tell.step("Connected to three marketplaces by their own pages", lines.join("\n    "));
  return shops;
}

interface RemoteAttribute {
  id: string;
  required: boolean;
  options: { id: string }[];
}

/** The seller says once where products of a category go, with what the marketplace wants to know of them. */
export async function mapCoffee(tell: Tell, { token }: Person): Promise<void> {
  const categories = await request<{ id: string; slug: string }[]>(
    tell.app,
    "/api/buyer/categories",
  );
  const own = categories.find(({ slug }) => slug === "makanan-minuman");
  if (!own) throw new Error("there is no category makanan-minuman");
  const lines: string[] = [];
  for (const platform of PLATFORMS) {
    const place = `${BASE}/categories/${platform}`;
    const found = await request<{ id: string; path: string[] }[]>(
      tell.app,
      `${place}?search=kopi`,
      { token },
    );
    const leaf = found.find(({ path }) => path.at(-1) === "Kopi");
    if (!leaf) throw new Error(`${TITLES[platform]} has no category Kopi`);
    const wanted = await request<RemoteAttribute[]>(
      tell.app,
      `${place}/${encodeURIComponent(leaf.id)}/attributes`,
      { token },
    );
    const attributes = wanted
      .filter(({ required }) => required)
      .map(({ id, options: [option] }) =>
        option ? { id, optionIds: [option.id] } : { id, text: "Robusta" },
      );
    const json = { platform, category_id: own.id, remote_category_id: leaf.id, attributes };
    await request(tell.app, `${BASE}/mappings`, { method: "PUT", token, json });
    lines.push(`${TITLES[platform]}: ${leaf.path.join(" > ")}, ${attributes.length} attributes`);
  }
  tell.step("The seller maps Makanan & Minuman once for each", lines.join("\n    "));
}
