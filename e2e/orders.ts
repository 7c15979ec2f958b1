import type { Answer } from "../local/demo/http.ts";
import { tryRequest } from "../local/demo/http.ts";
import type { Person } from "../local/demo/sale/seller.ts";
import type { Market, Product } from "./market.ts";
import type { Platform } from "./platform.ts";

export interface Wish {
  buyer: Person;
  product: Product;
  promo?: string;
  /** One click, however often it is sent. */
  key: string;
}

export interface Placed {
  order_id: string;
  qr_code: string | null;
  payment_url: string;
}

export type OrderAnswer = Answer<Placed>;

/** A wish of any of the buyers, in turn. */
export function wishFor(market: Market, product: Product, turn: number): Wish {
  const buyer = market.buyers[turn % market.buyers.length];
  if (!buyer) throw new Error("the market has no buyers");
  return { buyer, product, key: crypto.randomUUID() };
}

/** Sends one checkout once. Null: no answer came. */
export async function order(
  platform: Platform,
  market: Market,
  { buyer, product, promo, key }: Wish,
): Promise<OrderAnswer | null> {
  const json = {
    store_id: market.store.id,
    items: [{ product_id: product.id, quantity: 1 }],
    ...(promo ? { promo_code: promo } : {}),
    courier: market.rateId,
    shipping_address: {
      name: "Pembeli Setia",
      phone: "081298765432",
      street: "Jl. Tebet Raya No. 5, RT 02 RW 03",
      city: "Jakarta Selatan",
      province: "DKI Jakarta",
      area_id: market.areaId,
    },
  };
  try {
    return await tryRequest<Placed>(platform.app, "/api/buyer/orders", {
      method: "POST",
      token: buyer.token,
      headers: { "idempotency-key": key },
      json,
    });
  } catch {
    return null;
  }
}

/** Sends a checkout, with the same key again after what may pass; the last answer counts. */
export async function orderStubbornly(
  platform: Platform,
  market: Market,
  wish: Wish,
  attempts = 20,
): Promise<OrderAnswer | null> {
  let answer: OrderAnswer | null = null;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    answer = await order(platform, market, wish);
    const isFinal = answer !== null && answer.status !== 503 && answer.status !== 409;
    if (isFinal || (answer?.status === 409 && !isBusy(answer))) return answer;
    await new Promise((wake) => setTimeout(wake, 200));
  }
  return answer;
}

/** 409 also means sold out; only an equal call that still runs is worth waiting for. */
const isBusy = ({ body }: OrderAnswer) => /sedang/.test(body.error ?? "");

export async function placed(platform: Platform, market: Market, wish: Wish): Promise<string> {
  const answer = await orderStubbornly(platform, market, wish);
  if (answer?.status === 201) return answer.body.data.order_id;
  throw new Error(`a checkout answered ${answer?.status}: ${answer?.body.error}`);
}

/** The buyer does not want it any more. No answer, or one that it is too late, is the caller's to live with. */
export async function giveUp({ app }: Platform, { buyer }: Wish, orderId: string): Promise<void> {
  const path = `/api/buyer/orders/${orderId}/cancel`;
  const call = { method: "POST", token: buyer.token };
  const answer = await tryRequest(app, path, call).catch(() => null);
  if (answer && ![200, 409, 503].includes(answer.status))
    throw new Error(`a cancel answered ${answer.status}: ${answer.body.error}`);
}

export interface Charge {
  ref: string;
  channel: "qris" | "snap";
}

/** By what the payment twin knows an order. */
export async function chargesOf(platform: Platform, orderId: string): Promise<Charge[]> {
  return await platform.sql<Charge>(
    `select c.provider_ref as ref, c.channel from payments_charges c
      join market_orders o on o.payment_id = c.intent_id where o.id = $1 order by c.channel`,
    [orderId],
  );
}

export async function refOf(
  platform: Platform,
  orderId: string,
  channel: Charge["channel"] = "qris",
): Promise<string> {
  const found = (await chargesOf(platform, orderId)).find((charge) => charge.channel === channel);
  if (!found) throw new Error(`order ${orderId} has no charge by ${channel}`);
  return found.ref;
}

/** Does at a twin what a person would do there. False: the twin says that it cannot be done. */
export async function hand(url: string, body: unknown = {}, method = "POST"): Promise<boolean> {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.ok) return true;
  if (response.status === 404 || response.status === 409) return false;
  throw new Error(`${url} answered ${response.status}: ${text}`);
}

export const payAt = (platform: Platform, ref: string, body: unknown = {}) =>
  hand(`${platform.midtrans}/_pay/${ref}`, body);

/** Turns a twin's knobs, for what names `match` alone. */
export const dial = (twin: string, match: string, dials: object) =>
  hand(`${twin}/_dials`, { ...dials, match }, "PUT");
