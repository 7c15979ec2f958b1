import { createProduct, type TestProduct } from "../../../testing/factories.ts";
import { createShop, type TestShop } from "../../testing/catalogue.ts";
import { ask, rowOf, type ScriptTurn, script } from "./talk.ts";

export const done: ScriptTurn = { blocks: [{ text: "Menunggu Anda." }] };
export const calling = (tool: string, input: unknown): ScriptTurn => ({
  blocks: [{ tool, input }],
});

export interface Talk extends TestShop {
  product: TestProduct;
  sessionId: string;
  /** What the model was asked in this talk. */
  match: string;
  text: string;
}

/** A talk in which the model has called a tool with this input. */
export async function talkOf(
  callsOf: (product: TestProduct, shop: TestShop) => [string, unknown][],
  fields: Parameters<typeof createProduct>[1] = {},
  makeShop = createShop,
): Promise<Talk> {
  const shop = await makeShop();
  const product = await createProduct(shop.store, { price: 50_000, ...fields });
  const blocks = callsOf(product, shop).map(([tool, input]) => ({ tool, input }));
  const match = await script([{ blocks }, done, { blocks: [{ text: "Lain." }] }]);
  const { sessionId, text } = await ask(shop.seller, match);
  return { ...shop, product, sessionId, match, text };
}

/** A talk whose proposals its user has agreed to, all of them. */
export async function agreedTalkOf(...given: Parameters<typeof talkOf>): Promise<Talk> {
  const talk = await talkOf(...given);
  await ask(talk.seller, "konfirmasi semua", talk.sessionId);
  return talk;
}

export const halved = (product: TestProduct): [string, unknown][] => [
  ["update_product", { product_id: product.id, price: 1_000 }],
];
export const priceOf = async ({ id }: TestProduct) => (await rowOf("market_products", id)).price;
export const codesIn = (text: string) =>
  [...text.matchAll(/\[([0-9A-Z]{4})\]/g)].map(([, code]) => code ?? "");
