import type { z } from "zod";
import { type Http, ProviderError } from "../http.ts";
import { invalidInput } from "../provider-error.ts";
import {
  AreasAnswer,
  CancelledAnswer,
  LabelAnswer,
  PaymentAnswer,
  PickupAnswer,
  RatesAnswer,
  TrackingAnswer,
} from "./answers.ts";
import { courierName } from "./couriers.ts";
import { areaNumber, type PickupInput, PROVIDER, pickupBody } from "./pickup.ts";
import { CANCEL_ASKED, mapTrackingStatus, type TrackingStatus } from "./tracking-status.ts";

export interface RatesInput {
  originAreaId: string;
  destinationAreaId: string;
  /** The larger of the scale's and the volume's weight. */
  weightGram: number;
  itemValueIdr: number;
  /** Courier codes; without them every courier answers. */
  couriers?: string[];
  insured?: boolean;
}

export interface CourierRate {
  courierCode: string;
  courierName: string;
  serviceCode: string;
  serviceName: string;
  /** Goes into the pickup unchanged. */
  priceIdr: number;
  /** In days, as a text: `2-3`. */
  duration: string;
  type: string;
  insuranceIdr: number | null;
  insuranceForced: boolean;
}

export interface Pickup {
  pickupNumber: string;
  paymentStatus: "paid" | "unpaid" | "pending";
  qrUrl: string | null;
  /** The waybill (`awb`) is null here as a rule; it comes by callback once the bill is paid. */
  details: { orderRef: string; courierOrderId: string | null; awb: string | null }[];
}

export interface Tracking {
  statusCode: number;
  status: TrackingStatus;
  /** Its sender asked for the end of it, and the courier has not decided: still `pending`. */
  cancelAsked: boolean;
  text: string | null;
  awb: string | null;
  shippedAt: Date | null;
  deliveredAt: Date | null;
  returnedAt: Date | null;
  /** Newest first. A row is not a state: scans on the way reuse the code of a new parcel. */
  histories: { at: Date | null; description: string; statusCode: number | null }[];
}

export interface PickupPayment {
  pickupNumber: string;
  status: "paid" | "unpaid" | "unknown";
  amountIdr: number;
  qrString: string | null;
  paidAt: Date | null;
}

/** A question has no effect and may be repeated, though it is asked by POST. */
function ask<T>(http: Http, path: string, json: unknown, schema: z.ZodType<T>): Promise<T> {
  return http.request({ method: "POST", path, json, schema, idempotent: true });
}

export async function searchAreas(
  http: Http,
  text: string,
): Promise<{ areaId: string; label: string }[]> {
  const search = text.trim().slice(0, 100);
  if (search.length < 3) throw invalidInput(PROVIDER, "a search needs 3 characters");
  const found = await ask(http, "/api/mitra/v2/get_address_by_name", { search }, AreasAnswer);
  return found.data.map((area) => ({ areaId: area.id, label: area.text }));
}

export async function getRates(http: Http, input: RatesInput): Promise<CourierRate[]> {
  const body = {
    origin: areaNumber(input.originAreaId),
    destination: areaNumber(input.destinationAreaId),
    weight: Math.max(1, Math.ceil(input.weightGram)),
    // A parcel without measures: one that never weighs more than its scale.
    length: 1,
    width: 1,
    height: 1,
    insurance: input.insured ? 1 : 0,
    item_value: input.itemValueIdr,
    ...(input.couriers && input.couriers.length > 0 && { courier: input.couriers }),
  };
  const answer = await ask(http, "/api/mitra/v6.1/shipping_price", body, RatesAnswer);
  return answer.results.map((rate) => ({
    courierCode: rate.service,
    courierName: courierName(rate.service),
    serviceCode: rate.service_type,
    serviceName: rate.service_name,
    priceIdr: rate.cost,
    duration: rate.etd ?? "",
    type: rate.group ?? "regular",
    insuranceIdr: rate.insurance ?? null,
    insuranceForced: rate.force_insurance ?? false,
  }));
}

export async function requestPickup(http: Http, input: PickupInput): Promise<Pickup> {
  const answer = await http.request({
    method: "POST",
    path: "/api/mitra/v6.2/request_pickup",
    json: pickupBody(input),
    schema: PickupAnswer,
    idempotent: false,
  });
  const named = new Set(answer.details.map((detail) => detail.order_id));
  if (!input.packages.every((parcel) => named.has(parcel.orderRef))) {
    throw contradiction("the pickup is for other orders");
  }
  return {
    pickupNumber: answer.pickup_number,
    paymentStatus: answer.payment_status,
    qrUrl: answer.qr_url ?? null,
    details: answer.details.map((detail) => ({
      orderRef: detail.order_id,
      courierOrderId: detail.kj_order_id,
      awb: detail.awb,
    })),
  };
}

export async function track(http: Http, orderRef: string): Promise<Tracking> {
  const answer = await ask(http, "/api/mitra/tracking", { order_id: orderRef }, TrackingAnswer);
  const { details, histories } = answer;
  if (details.order_id !== null && details.order_id !== orderRef && details.awb !== orderRef) {
    throw contradiction("the tracking is of another parcel");
  }
  return {
    statusCode: answer.status_code,
    status: mapTrackingStatus(answer.status_code),
    cancelAsked: answer.status_code === CANCEL_ASKED,
    text: answer.text,
    awb: details.awb,
    shippedAt: details.shipped_at,
    deliveredAt: details.delivered_at,
    returnedAt: details.refunded_at,
    histories: (histories ?? []).map((row) => ({
      at: row.created_at,
      description: row.status ?? "",
      statusCode: row.status_code ?? null,
    })),
  };
}

export async function cancel(
  http: Http,
  awb: string,
  reason: string,
): Promise<{ final: boolean; at: Date | null }> {
  const words = reason.trim().slice(0, 200);
  if (words.length < 5) throw invalidInput(PROVIDER, "a reason needs 5 characters");
  const answer = await http.request({
    method: "POST",
    path: "/api/mitra/v3/cancel_shipment",
    // A body as in the vendor's current pages and plugin. Its SDKs use the query, where the reason, a person's
    // words, would end up in access logs.
    json: { awb, reason: words },
    schema: CancelledAnswer,
    idempotent: false,
  });
  const state = answer.data?.success;
  return { final: state === true || state === "success", at: answer.data?.date ?? null };
}

export async function printLabel(http: Http, awb: string): Promise<string> {
  return await ask(http, "/api/mitra/v6.1/awb/print", { awb: [awb] }, LabelAnswer);
}

export async function getPayment(http: Http, pickupNumber: string): Promise<PickupPayment> {
  const body = { payment_id: pickupNumber };
  const bill = await ask(http, "/api/mitra/v2/get_payment", body, PaymentAnswer);
  if (bill.payment_id !== pickupNumber) throw contradiction("the bill is of another pickup");
  const unpaid = bill.status_code === 9 ? "unpaid" : "unknown";
  return {
    pickupNumber,
    status: bill.status_code === 0 ? "paid" : unpaid,
    amountIdr: bill.amount,
    qrString: bill.qr_content,
    paidAt: bill.paid_at,
  };
}

function contradiction(what: string): ProviderError {
  return new ProviderError(
    PROVIDER,
    { kind: "bad_answer", retryable: false, outcome: "unknown" },
    `${PROVIDER}: ${what}`,
  );
}
