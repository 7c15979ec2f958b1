import { request } from "../local/demo/http.ts";
import type { Tell } from "../local/demo/narrator.ts";
import { makeBuyer } from "../local/demo/sale/buyer.ts";
import { makeSeller, openStore, type Person, type Store } from "../local/demo/sale/seller.ts";
import type { Platform } from "./platform.ts";

export interface Product {
  id: string;
  name: string;
  /** What lay on the shelf before the first order. */
  stock: number;
}

/** One store with buyers in front of it. */
export interface Market {
  store: Store;
  seller: Person;
  buyers: Person[];
  promo: string;
  /** The district that parcels go to, and the cheapest rate there for a parcel of one piece. */
  areaId: string;
  rateId: string;
  products: Product[];
}

const PRICE = 25_000;
export const WEIGHT_GRAM = 350;

/** The demo's own steps without their narration. */
export const silently = (platform: Platform): Tell => ({
  ...platform,
  step: () => undefined,
  end: () => undefined,
});

/** Opens a store with a promo and signs buyers up, all over HTTP. */
export async function openMarket(platform: Platform, buyers: number): Promise<Market> {
  const tell = silently(platform);
  const seller = await makeSeller(tell);
  const store = await openStore(tell, seller);
  const market: Market = {
    store,
    seller,
    buyers: [],
    promo: await makePromo(platform, seller),
    areaId: "",
    rateId: "",
    products: [],
  };
  for (let made = 0; made < buyers; made += 1) market.buyers.push(await makeBuyer(tell));
  Object.assign(market, await askRate(platform, market));
  return market;
}

export async function listProduct(
  platform: Platform,
  market: Market,
  { name, stock }: { name: string; stock: number },
): Promise<Product> {
  const { id } = await request<{ id: string }>(platform.app, "/api/seller/products", {
    method: "POST",
    token: market.seller.token,
    json: { name, price: PRICE, stock, weight_gram: WEIGHT_GRAM, status: "active", images: [] },
  });
  const product = { id, name, stock };
  market.products.push(product);
  return product;
}

async function makePromo({ app }: Platform, seller: Person): Promise<string> {
  const code = `UJI${crypto.randomUUID().slice(0, 8)}`.toUpperCase();
  const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString();
  const json = {
    code,
    type: "percentage",
    value: 10,
    max_uses: 10,
    starts_at: hours(-1),
    ends_at: hours(24),
  };
  await request(app, "/api/seller/promo", { method: "POST", token: seller.token, json });
  return code;
}

async function askRate({ app }: Platform, { store, buyers }: Market) {
  const [area] = await request<{ area_id: string }[]>(app, "/api/buyer/areas?input=tebet");
  const areaId = area?.area_id ?? "";
  const query = `store_id=${store.id}&destination_area_id=${areaId}&weight=${WEIGHT_GRAM}&value=${PRICE}`;
  const token = buyers[0]?.token ?? "";
  const [rate] = await request<{ id: string }[]>(app, `/api/buyer/shipping?${query}`, { token });
  if (!rate) throw new Error("no courier goes there");
  return { areaId, rateId: rate.id };
}
