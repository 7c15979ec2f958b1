import { readFileSync } from "node:fs";
import { buy, findRate, makeBuyer } from "./demo/buyer.ts";
import { type Addresses, createNarrator } from "./demo/narrator.ts";
import { followParcel, pay, readMails } from "./demo/outside.ts";
import { makeSeller, openStore, readStock, readWallet, sellProduct } from "./demo/seller.ts";

/** `npm run demo`: one real sale over HTTP against a running `npm run dev`, step by step. */
async function sale(addresses: Addresses): Promise<void> {
  const tell = createNarrator(addresses);
  const seller = await makeSeller(tell);
  const store = await openStore(tell, seller);
  const goods = await sellProduct(tell, seller, store);
  const before = await readWallet(tell, seller);

  const buyer = await makeBuyer(tell);
  const rate = await findRate(tell, buyer, store, goods);
  const order = await buy(tell, buyer, { store, goods, rate });
  await pay(tell, buyer, order);
  await readStock(tell, seller, goods);
  await readMails(tell, seller, buyer, order);
  const delivered = await followParcel(tell, buyer, order);
  await readWallet(tell, seller, before + delivered.sale);
  tell.end(delivered.number);
}

const file = ".lumbung/addresses.json";
try {
  await sale(JSON.parse(readFileSync(file, "utf8")) as Addresses);
} catch (error) {
  const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
  console.error(missing ? "Start the platform first: npm run dev" : error);
  process.exitCode = 1;
}
