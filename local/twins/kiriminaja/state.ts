import type { Json } from "../common/fields.ts";

/** Status codes of kiriminaja.md section 3 that the twin itself sets. */
export const codes = {
  asked: 101,
  collected: 103,
  waitingForAwb: 105,
  withCourier: 106,
  redelivery: 152,
  delivered: 200,
  undelivered: 210,
  cancelled: 300,
  cancelledBySeller: 302,
  rejected: 310,
  cancelAsked: 350,
  returned: 400,
  returning: 401,
  lost: 701,
  damaged: 702,
} as const;

export interface HistoryRow {
  at: number;
  status: string;
  code: number;
}

export interface Shipment {
  orderId: string;
  kjOrderId: string;
  awb: string | null;
  code: number;
  pickup: Pickup;
  /** The package as it was sent, for tracking and for the `match` of dials. */
  given: Json;
  service: string;
  serviceType: string;
  cod: number;
  shippingCost: number;
  insuranceAmount: number;
  processedAt: number | null;
  shippedAt: number | null;
  finishedAt: number | null;
  returnedAt: number | null;
  rejectedAt: number | null;
  cancelledAt: number | null;
  reason: string;
  histories: HistoryRow[];
}

export interface Pickup {
  number: string;
  sender: Json;
  text: string;
  schedule: string;
  paidAt: number | null;
  amount: number;
  shipments: Shipment[];
}

export interface KiriminAjaState {
  /** The last shipment of an order id; with the dial `repeatOrder` there may be several of them. */
  shipments: Map<string, Shipment>;
  byAwb: Map<string, Shipment>;
  pickups: Map<string, Pickup>;
  callbackUrl: string;
  creditBalance: number;
}
