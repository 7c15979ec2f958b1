import { request, until } from "../http.ts";
import { rupiah, type Tell } from "../narrator.ts";
import type { Placed } from "./buyer.ts";
import type { Person } from "./seller.ts";

interface Order {
  number: string;
  status: string;
  total_amount: number;
  subtotal_amount: number;
  discount_amount: number;
  payment_gateway_id: string;
  shipments: { status: string; tracking_code: string | null } | null;
}

const orderOf = (tell: Tell, buyer: Person, order: Placed) => () =>
  request<Order>(tell.app, `/api/buyer/orders/${order.order_id}`, { token: buyer.token });

/** The payment twin pays; its signed notice comes back through the webhook, the queue and a confirming query. */
export async function pay(tell: Tell, buyer: Person, placed: Placed): Promise<void> {
  const order = await until(
    "the charge is recorded",
    orderOf(tell, buyer, placed),
    (found) => found.payment_gateway_id !== null,
  );
  await post(`${tell.midtrans}/_pay/${order.payment_gateway_id}`);
  tell.step("The payment twin paid the QRIS charge", order.payment_gateway_id);
  const paid = await until("the order is paid", orderOf(tell, buyer, placed), isPaid);
  tell.step(
    `Notice, queue and query done: order ${paid.number} is ${paid.status}`,
    rupiah(paid.total_amount),
  );
  const asked = await until(
    "the courier has the parcel's request",
    orderOf(tell, buyer, placed),
    (found) => found.status === "processing",
  );
  tell.step("Shipment requested from the courier", `parcel ${asked.number}`);
}

const isPaid = (order: Order) => ["paid", "processing", "shipped"].includes(order.status);

export async function readMails(
  tell: Tell,
  seller: Person,
  buyer: Person,
  placed: Placed,
): Promise<void> {
  const { number } = await orderOf(tell, buyer, placed)();
  for (const reader of [buyer, seller]) {
    const mail = await until(
      `a mail for ${reader.email}`,
      async () =>
        (await mailsTo(tell, reader.email)).find((found) => found.subject.includes(number)),
      (found) => found !== undefined,
    );
    tell.step(`Mail to ${reader.email}`, mail?.subject);
  }
}

async function mailsTo(tell: Tell, to: string): Promise<{ subject: string }[]> {
  const response = await fetch(`${tell.resend}/_mails?to=${encodeURIComponent(to)}`);
  return (await response.json()) as { subject: string }[];
}

/** The courier twin moves the parcel until the buyer's tracking says delivered. */
export async function followParcel(tell: Tell, buyer: Person, placed: Placed) {
  const { number } = await orderOf(tell, buyer, placed)();
  await post(`${tell.kiriminaja}/_move/${number}`, { to: "processed" });
  await post(`${tell.kiriminaja}/_move/${number}`, { to: "shipped" });
  await trackUntil(tell, buyer, placed, "shipped");
  tell.step("The courier has the parcel; the buyer's tracking says shipped");
  await post(`${tell.kiriminaja}/_move/${number}`, { to: "finished" });
  const { timeline } = await trackUntil(tell, buyer, placed, "delivered");
  tell.step(
    "The courier delivered; the buyer's tracking says so",
    timeline.map((line) => line.description).join(" <- "),
  );
  const order = await orderOf(tell, buyer, placed)();
  const sold = order.subtotal_amount - order.discount_amount;
  return { number, sale: sold - Math.floor((sold * 5) / 100) };
}

interface Tracking {
  status: string;
  timeline: { description: string }[];
}

function trackUntil(tell: Tell, buyer: Person, placed: Placed, status: string): Promise<Tracking> {
  const path = `/api/buyer/orders/${placed.order_id}/track`;
  return until(
    `the tracking shows ${status}`,
    () => request<Tracking>(tell.app, path, { token: buyer.token }),
    (found) => found.status === status,
  );
}

async function post(url: string, json: unknown = {}): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(json),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
}
