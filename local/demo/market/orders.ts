import { request, until } from "../http.ts";
import { check, rupiah, type Tell } from "../narrator.ts";
import type { Person } from "../sale/seller.ts";
import type { Shops } from "./connect.ts";
import type { Item } from "./shop.ts";
import { arrived } from "./sync.ts";
import { TITLES, twin, urlOf } from "./twins.ts";

interface SellerOrder {
  number: string;
  status: string;
  source: string;
  total_amount: number;
}

const PIECES = 2;

/** Somebody buys on Shopee: its push brings the order here, and the stock goes down on the other two. */
export async function sellElsewhere(
  tell: Tell,
  seller: Person,
  shops: Shops,
  item: Item,
): Promise<void> {
  const shopee = urlOf(tell, "shopee");
  const bought = await twin<{ id: string }>(`${shopee}/_buy`, {
    shop_id: shops.shopee,
    seller_sku: item.id,
    quantity: PIECES,
  });
  const path = `/api/seller/orders?search=${encodeURIComponent(bought.id)}`;
  const read = () => request<SellerOrder[]>(tell.app, path, { token: seller.token });
  const orders = await until("Shopee's order is here", read, (found) => found.length > 0, 90_000);
  check("orders made of one at Shopee", orders.length, 1);
  const [order] = orders;
  check("where the order comes from", order?.source, "marketplace");
  tell.step(
    `Somebody bought ${PIECES} on ${TITLES.shopee}; its push brought order ${order?.number}`,
    `${order?.status}, ${rupiah(order?.total_amount ?? 0)}`,
  );
  const before = item.stock;
  item.stock -= PIECES;
  await twin(`${shopee}/_notify/${bought.id}`, { times: 3 });
  await arrived(tell, shops, [item]);
  const here = await request<Item>(tell.app, `/api/seller/products/${item.id}`, {
    token: seller.token,
  });
  check("the stock here", here.stock, item.stock);
  check("orders after the push came three times more", (await read()).length, 1);
  tell.step("Stock is down here and on all three, once", `${before} -> ${item.stock}`);
}
