import type { TestUser } from "../../testing/factories.ts";
import type { Order } from "../orders/order.ts";
import { placeGame, placePrepaid } from "../orders/place.ts";
import { processOrder } from "../orders/process.ts";
import { type BenchOptions, bench } from "./bench.ts";
import { ordersOf, runOrderJob, theOrderOf } from "./outcomes.ts";
import {
  customer,
  dial,
  newPhone,
  SERVICES,
  shelve,
  supplierService,
  type TestService,
} from "./shop.ts";

export const FUNDS = 1_000_000;
/** What the supplier's twin does with an order that is in doubt after it. */
export const NOT_BOUGHT = { refuse: { value: 503, count: 1 } };
export const BOUGHT = { timeOut: { value: true, count: 1 } };

export interface Doubt {
  user: TestUser;
  order: Order;
}
interface Wish {
  target?: string;
  zone?: string;
  fault?: Record<string, unknown>;
  /** Ahead of the real time. */
  laterMs?: number;
}

/** A player's order that the supplier does so with; without a fault it is bought. */
export async function orderGame(
  item: TestService,
  { target = newPhone(), zone = "", fault = {}, laterMs = 0 }: Wish = {},
): Promise<Doubt> {
  const user = await customer(FUNDS);
  await dial(target, { stay: true, ...fault });
  const input = { service: item.code, gameId: target, zone };
  const { number: orderNumber } = await placeGame(bench({ actor: user, laterMs }).ctx, input);
  const { ctx, settle } = bench({ actor: user, laterMs, timeoutMs: patienceFor(fault) });
  const { order } = await processOrder(ctx, { orderNumber });
  await settle();
  return { user, order };
}

/** The same of phone credit. */
export async function orderCredit({
  target = newPhone(),
  fault = {},
  laterMs = 0,
}: Wish = {}): Promise<Doubt> {
  const user = await customer(FUNDS);
  await dial(target, { stay: true, ...fault });
  const { ctx, settle } = bench({ actor: user, laterMs, timeoutMs: patienceFor(fault) });
  await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber: target });
  await settle();
  const order = (await ordersOf(target)).find(({ userId }) => userId === user.userId);
  if (!order) throw new Error(`no order of ${target}`);
  return { user, order };
}

/** The same by this user, as a call of his whose supplier may misbehave; answers with what he was told. */
export async function buyCredit(
  user: TestUser,
  phoneNumber: string,
  options: BenchOptions = {},
  more: { confirm?: boolean } = {},
): Promise<unknown> {
  const { ctx, settle } = bench({ actor: user, ...options });
  const input = { service: SERVICES.credit.code, phoneNumber, ...more };
  const told = await placePrepaid(ctx, input).catch((error: unknown) => error);
  await settle();
  return told;
}

const patienceFor = (fault: Record<string, unknown>) => ("timeOut" in fault ? 150 : 3_000);

/** Looks at these moments, with the supplier's words as `twist` has them. */
export async function lookAt(
  order: Order,
  moments: readonly number[],
  twist?: (text: string) => string,
): Promise<Order> {
  for (const laterMs of moments) await runOrderJob(order, { laterMs, ...(twist && { twist }) });
  return await theOrderOf(order.target);
}

/** Puts a service on the shelf that has the name of the diamonds, from another server, at another price. */
export async function shelveNamesake(): Promise<TestService> {
  const namesake: TestService = { ...SERVICES.diamonds, code: "ML86-S2" };
  const told = await supplierService(namesake.code, {});
  namesake.name = told.name;
  namesake.supplierPrice = told.price.basic;
  namesake.price = Math.ceil(told.price.basic * 1.07);
  await shelve(namesake);
  return namesake;
}
