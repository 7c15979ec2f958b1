import { until } from "../http.ts";
import type { Tell } from "../narrator.ts";
import { ask, type Caller, refusalOf } from "./calls.ts";

export interface Goods {
  family: "prepaid" | "game" | "social";
  /** The supplier's code. */
  service: string;
  target: string;
  zone?: string;
  quantity?: number;
}

/** An order as its owner sees it. */
export interface Order {
  orderNumber: string;
  externalId: string | null;
  status: string;
  totalAmount: number;
  refundedAmount: number;
  sn: string | null;
}

const PATHS = { prepaid: "/api/orders/prepaid", social: "/api/orders/social-media" };

const bodyOf = ({ family, service, target, zone, quantity }: Goods) =>
  family === "prepaid"
    ? { service, phoneNumber: target }
    : family === "social"
      ? { service, target, quantity }
      : { service, gameId: target, zone };

interface Placed {
  data: { orderNumber: string };
}

/** Orders and pays from the wallet; a game's order is placed first and paid by `process`. Answers with its number. */
export async function order(tell: Tell, customer: Caller, goods: Goods): Promise<string> {
  const json = bodyOf(goods);
  if (goods.family !== "game") {
    const { data } = await ask<Placed>(tell, PATHS[goods.family], customer, json);
    return data.orderNumber;
  }
  const { data } = await ask<Placed>(tell, "/api/orders/game", customer, json);
  await ask(tell, "/api/orders/process", customer, { orderNumber: data.orderNumber });
  return data.orderNumber;
}

/** Orders what the supplier will refuse; answers with the words that the customer reads. */
export async function orderInVain(
  tell: Tell,
  customer: Caller,
  goods: Goods & { family: "prepaid" | "social" },
): Promise<string> {
  return (await refusalOf(tell, PATHS[goods.family], customer, bodyOf(goods))).words;
}

/** An order by its number, as somebody may see it. */
export async function readOrder(tell: Tell, caller: Caller, number: string): Promise<Order> {
  const path = `/api/orders/process?orderNumber=${number}`;
  return (await ask<{ data: Order }>(tell, path, caller)).data;
}

/** Waits for the supplier's callback to end an order, and asks nobody meanwhile. */
export async function awaitEnd(
  tell: Tell,
  customer: Caller,
  number: string,
  end: string,
): Promise<Order> {
  return await until(
    `order ${number} is ${end}`,
    () => readOrder(tell, customer, number),
    ({ status }) => status === end,
  );
}

/** A lost wake-up costs a minute, and an attempt whose Worker was restarted under it the rest of its lease. */
const DOUBT_MS = 180_000;

/** Waits until the order's purchase is known: told by the supplier's answer, or found in its history. */
export async function awaitPurchase(tell: Tell, customer: Caller, number: string): Promise<string> {
  const { externalId } = await until(
    `the purchase of ${number} is known`,
    () => readOrder(tell, customer, number),
    (found) => found.externalId !== null,
    DOUBT_MS,
  );
  return externalId ?? "";
}

/** Opens the order's page, which asks the supplier, until it has ended. */
export async function askUntilEnd(
  tell: Tell,
  customer: Caller,
  number: string,
  end: string,
): Promise<Order> {
  const trxid = await awaitPurchase(tell, customer, number);
  return await until(
    `order ${number} is ${end}`,
    async () => {
      await ask(tell, `/api/orders/process?trxId=${trxid}`, customer);
      return await readOrder(tell, customer, number);
    },
    ({ status }) => status === end,
  );
}
