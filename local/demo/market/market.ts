import { check, type Tell } from "../narrator.ts";
import { talkPrices } from "./chat.ts";
import { connectAll, mapCoffee } from "./connect.ts";
import { schedulePost } from "./instagram.ts";
import { sellElsewhere } from "./orders.ts";
import { payOut } from "./payout.ts";
import { fillShelf, type Item, openShop } from "./shop.ts";
import { arrived, checkListed, repriceSome, syncAll } from "./sync.ts";

/**
 * One seller keeps 200 products in step on three marketplaces that misbehave, talks to the assistant, posts, sells and
 * is paid. Throws at the first step that fails.
 */
export async function runMarket(tell: Tell): Promise<void> {
  const shop = await openShop(tell);
  const { seller } = shop;
  const shops = await connectAll(tell, seller);
  await mapCoffee(tell, seller);
  const goods = await fillShelf(tell, seller);
  await syncAll(tell, seller, shops, goods);
  await checkListed(tell, shops, goods);
  const [talked, bought, sold] = lastThree(goods.fit);
  await sellElsewhere(tell, seller, shops, bought);
  await repriceSome(tell, seller, shops, goods);
  await talkPrices(tell, seller, shops, talked);
  await schedulePost(tell, seller, talked);
  await payOut(tell, shop, sold);
  await arrived(tell, shops, goods.fit);
  await checkListed(tell, shops, goods);
  tell.end("Our books, three marketplaces' and the bank's agree.");
}

function lastThree(items: Item[]): [Item, Item, Item] {
  const [first, second, third] = items.slice(-3);
  check("products that fit", first !== undefined && second !== undefined, true);
  if (!first || !second || !third) throw new Error("too few products fit");
  return [first, second, third];
}
