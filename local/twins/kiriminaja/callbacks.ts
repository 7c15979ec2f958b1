import { wib } from "../common/clock.ts";
import type { Json } from "../common/fields.ts";
import type { Shipment } from "./state.ts";

export const callbackMethods = [
  "processed_packages",
  "shipped_packages",
  "canceled_packages",
  "finished_packages",
  "returned_packages",
  "rejected_packages",
] as const;
export type CallbackMethod = (typeof callbackMethods)[number];

function short(at: number | null): string | null {
  return at === null ? null : wib(at);
}

function shortItem(shipment: Shipment, method: CallbackMethod): Json {
  const order = { order_id: shipment.orderId };
  switch (method) {
    case "processed_packages":
      return { ...order, awb: shipment.awb, sorting_code: "TWIN-01" };
    case "shipped_packages":
      return { ...order, shipped_at: short(shipment.shippedAt) };
    case "canceled_packages": {
      const at = short(shipment.cancelledAt);
      return { ...order, date: at, canceled_at: at, reason: shipment.reason };
    }
    case "finished_packages":
      return { ...order, finished_at: short(shipment.finishedAt) };
    case "returned_packages":
      return { ...order, returned_at: short(shipment.returnedAt) };
    case "rejected_packages":
      return { ...order, rejected_at: short(shipment.rejectedAt), reason: shipment.reason };
  }
}

function long(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** The newer form: every date in ISO 8601, null until reached; the time of a cancel is not in it. */
function fullItem(shipment: Shipment): Json {
  return {
    order_id: shipment.orderId,
    awb: shipment.awb,
    date: long(shipment.processedAt),
    shipped_at: long(shipment.shippedAt),
    finished_at: long(shipment.finishedAt),
    returned_at: long(shipment.returnedAt),
    rejected_at: long(shipment.rejectedAt),
    reason: shipment.reason || null,
  };
}

function packageItem(shipment: Shipment): Json {
  return {
    awb: shipment.awb,
    order_id: shipment.orderId,
    service: shipment.service,
    service_type: shipment.serviceType,
    status: String(shipment.code),
    live_tracking_url: null,
    poly_line: null,
    origin: { name: shipment.pickup.sender.name, address: shipment.pickup.sender.address },
    destination: {
      name: shipment.given.destination_name,
      address: shipment.given.destination_address,
    },
    driver: {},
  };
}

/** The body of a callback, in the short form or in the full one (set per account by the provider). */
export function callbackBody(shipment: Shipment, method: CallbackMethod, full: boolean): Json {
  if (!full) return { method, data: [shortItem(shipment, method)] };
  const { pickup } = shipment;
  return {
    method,
    data: [fullItem(shipment)],
    payment: {
      payment_id: pickup.number,
      amount: pickup.amount,
      status_code: pickup.paidAt === null ? "9" : "0",
      qr_content: null,
      pay_time: long(pickup.paidAt),
    },
    packages: [packageItem(shipment)],
  };
}
