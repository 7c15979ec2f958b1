import type { Tell } from "../narrator.ts";
import { buy, findRate, makeBuyer } from "./buyer.ts";
import { followParcel, pay, readMails } from "./outside.ts";
import { makeSeller, openStore, readEarnings, readStock, sellProduct } from "./seller.ts";

/** One real sale over HTTP, from the seller's registration to his money. Throws at the first step that fails. */
export async function makeSale(tell: Tell): Promise<void> {
  const seller = await makeSeller(tell);
  const store = await openStore(tell, seller);
  const goods = await sellProduct(tell, seller, store);

  const buyer = await makeBuyer(tell);
  const rate = await findRate(tell, buyer, store, goods);
  const order = await buy(tell, buyer, { store, goods, rate });
  await pay(tell, buyer, order);
  await readStock(tell, seller, goods);
  await readMails(tell, seller, buyer, order);
  const delivered = await followParcel(tell, buyer, order);
  await readEarnings(tell, seller, delivered);
  tell.end(`Order ${delivered.number} was sold, paid, shipped and paid out.`);
}
