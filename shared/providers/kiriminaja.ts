import { timingSafeEqual } from "../crypto/index.ts";
import { createHttp, type Fetch } from "./http.ts";
import { judgeKiriminAja } from "./kiriminaja/answers.ts";
import { type CourierEvent, parseCallback, splitCallback } from "./kiriminaja/callback.ts";
import {
  type CourierRate,
  cancel,
  getPayment,
  getRates,
  type Pickup,
  type PickupPayment,
  printLabel,
  type RatesInput,
  requestPickup,
  searchAreas,
  type Tracking,
  track,
} from "./kiriminaja/calls.ts";
import { type PickupInput, PROVIDER } from "./kiriminaja/pickup.ts";

export { type CourierEvent, type CourierEventKind, parseCallback } from "./kiriminaja/callback.ts";
export type {
  CourierRate,
  Pickup,
  PickupPayment,
  RatesInput,
  Tracking,
} from "./kiriminaja/calls.ts";
export { fetchesByMap } from "./kiriminaja/couriers.ts";
export type { PickupAddress, PickupInput } from "./kiriminaja/pickup.ts";
export { mapTrackingStatus, type TrackingStatus } from "./kiriminaja/tracking-status.ts";

export interface KiriminAjaOptions {
  apiKey: string;
  baseUrl: string;
  timeoutMs: number;
  fetch: Fetch;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

/** KiriminAja's express API. Every failure is a `ProviderError`. */
export interface KiriminAja {
  /** Districts whose name holds the text, of at least 3 characters (providers/kiriminaja.md §2). */
  searchAreas(text: string): Promise<{ areaId: string; label: string }[]>;
  /** What each courier asks to carry a parcel (providers/kiriminaja.md §2, Price). */
  getRates(input: RatesInput): Promise<CourierRate[]>;
  /**
   * Orders the fetching of parcels (providers/kiriminaja.md §2, Request pickup). There is no idempotency key, and
   * whether a repeated `orderRef` is refused is unknown: after an `unknown` outcome ask `track` first.
   */
  requestPickup(input: PickupInput): Promise<Pickup>;
  /** Where a parcel is, by our order number or its waybill (providers/kiriminaja.md §2). Unknown ones are refused. */
  track(orderRef: string): Promise<Tracking>;
  /**
   * Calls a parcel back before the courier fetches it (providers/kiriminaja.md §2). `final: false` is the rule
   * without COD: it is queued for up to 48 hours and ends with a callback.
   */
  cancel(awb: string, reason: string): Promise<{ final: boolean; at: Date | null }>;
  /** Where the label of a parcel with this waybill can be printed from (providers/kiriminaja.md §2). */
  printLabel(awb: string): Promise<string>;
  /** The bill of a pickup, for accounts that pay first (providers/kiriminaja.md §2). */
  getPayment(pickupNumber: string): Promise<PickupPayment>;
  /**
   * Whether a callback carries the account's own API key, with or without `Bearer` (providers/kiriminaja.md §4).
   * There is no signature: treat what a callback says as a hint and `track` before acting on it.
   */
  verifyCallback(authorization: string | null | undefined): Promise<boolean>;
  /** Reads a callback of any form; see `kiriminaja/callback.ts`. */
  parseCallback(rawBody: string): CourierEvent[] | null;
  /** A callback of many parcels in pieces of few; see `kiriminaja/callback.ts`. */
  splitCallback(rawBody: string): string[];
}

/** The client of one KiriminAja account. */
export function createKiriminAja(options: KiriminAjaOptions): KiriminAja {
  const http = createHttp({
    ...options,
    provider: PROVIDER,
    headers: { authorization: `Bearer ${options.apiKey}` },
    judge: judgeKiriminAja,
  });
  return {
    searchAreas: (text) => searchAreas(http, text),
    getRates: (input) => getRates(http, input),
    requestPickup: (input) => requestPickup(http, input),
    track: (orderRef) => track(http, orderRef),
    cancel: (awb, reason) => cancel(http, awb, reason),
    printLabel: (awb) => printLabel(http, awb),
    getPayment: (pickupNumber) => getPayment(http, pickupNumber),
    async verifyCallback(authorization) {
      const given = (authorization ?? "").replace(/^Bearer\s+/i, "").trim();
      return await timingSafeEqual(given, options.apiKey);
    },
    parseCallback,
    splitCallback,
  };
}
