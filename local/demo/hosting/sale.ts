import { request, until } from "../http.ts";
import { check, rupiah, type Tell } from "../narrator.ts";
import { signIn } from "../sale/seller.ts";
import { ask, type Caller, hand } from "./calls.ts";

const PASSWORD = "pelanggan-rahasia-1";
const PLAN = "Business";

export interface Order {
  id: string;
  price: number;
  duration: number;
  status: string;
  paymentUrl: string | null;
  invoiceNumber: string | null;
  renewsSubscriptionId: string | null;
  subscription: { id: string; status: string; endDate: string } | null;
}

export const ordersOf = async (tell: Tell, caller: Caller): Promise<Order[]> =>
  (await ask<{ orders: Order[] }>(tell, "/api/orders", caller)).orders;

export async function orderOf(tell: Tell, caller: Caller, id: string): Promise<Order> {
  return (await ask<{ order: Order }>(tell, `/api/orders/${id}`, caller)).order;
}

/** Somebody who has bought nothing yet. */
export async function makeCustomer(tell: Tell): Promise<Caller> {
  const email = `pelanggan-${crypto.randomUUID().slice(0, 12)}@contoh.example`;
  await request(tell.app, "/api/auth/register", {
    method: "POST",
    json: { email, password: PASSWORD, full_name: "Ratna Dewi", role: "buyer" },
  });
  tell.step("Customer registered and signed in", email);
  return { email, token: await signIn(tell, email, PASSWORD) };
}

interface Plan {
  displayName: string;
  type: string;
  price: number;
}

/** Looks at the plans and orders one for a month; the same click twice is the same order. */
export async function orderPlan(tell: Tell, caller: Caller, domain: string): Promise<Order> {
  const { data } = await ask<{ data: Plan[] }>(tell, "/api/plans", null);
  const plan = data.find(({ displayName }) => displayName === PLAN);
  if (!plan) throw new Error(`there is no plan ${PLAN}`);
  tell.step(
    `${data.length} plans are for sale`,
    data.map(({ displayName, price }) => `${displayName} ${rupiah(price)}`).join(", "),
  );
  const click = { planName: PLAN, planType: plan.type, price: plan.price, metadata: { domain } };
  const clicks = [1, 2].map(() =>
    ask<{ order: Order }>(tell, "/api/payment/create", caller, { json: click }),
  );
  const [first, second] = await Promise.all(clicks);
  if (!first || !second) throw new Error("two clicks are two answers");
  check("the order of the second click", second.order.id, first.order.id);
  tell.step(
    `Ordered ${PLAN}, clicked twice: one order, one payment page`,
    `${rupiah(first.order.price)}, ${first.order.paymentUrl}`,
  );
  return first.order;
}

/** Pays on iPaymu's page as its button does. */
export async function payAt(tell: Tell, paymentUrl: string): Promise<void> {
  await hand(`${tell.ipaymu}/_pay/${paymentUrl.split("/").at(-1)}`, {});
}

/** The order is complete once the callback was confirmed with iPaymu: a subscription and an invoice are there. */
export async function awaitPaid(tell: Tell, caller: Caller, id: string): Promise<Order> {
  return await until(
    `order ${id} is paid`,
    () => orderOf(tell, caller, id),
    ({ status }) => status === "COMPLETED",
  );
}

/** Buys a plan for a month. */
export async function buyPlan(tell: Tell, caller: Caller, domain: string) {
  const { id, paymentUrl } = await orderPlan(tell, caller, domain);
  await payAt(tell, paymentUrl ?? "");
  const { status, subscription, invoiceNumber } = await awaitPaid(tell, caller, id);
  if (!subscription || !invoiceNumber) throw new Error("a paid order has both");
  tell.step(
    `Paid at the iPaymu twin; callback, query and settlement done: ${status}`,
    `${invoiceNumber}, subscription ${subscription.status} until ${subscription.endDate}`,
  );
  return { subscriptionId: subscription.id, invoiceNumber };
}
