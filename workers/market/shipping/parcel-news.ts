import type { Ctx } from "../../../shared/context.ts";
import { ProviderError } from "../../../shared/providers/http.ts";
import type { CourierEventKind, Tracking } from "../../../shared/providers/kiriminaja.ts";

export type ParcelStatus =
  | "pending"
  | "picked_up"
  | "in_transit"
  | "delivered"
  | "failed"
  | "cancelled"
  | "returned";

/**
 * A state, or what is told apart within `failed`, or within `in_transit` after it: each is a line, an event and a mail of
 * its own. That a parcel goes on after trouble is found where its news is recorded (SQL function
 * `market_shipment_advance`).
 */
export type ParcelStep = ParcelStatus | "problem" | "refused" | "returning" | "redelivery";

const WORDS: Record<ParcelStep, string> = {
  pending: "Paket disiapkan",
  picked_up: "Paket diambil kurir",
  in_transit: "Paket dalam perjalanan",
  delivered: "Paket diterima",
  redelivery: "Paket diantar ulang",
  problem: "Pengiriman terkendala",
  failed: "Paket hilang, rusak atau tertahan",
  refused: "Paket ditolak, akan dikembalikan ke penjual",
  returning: "Paket dalam perjalanan kembali ke penjual",
  cancelled: "Penjemputan dibatalkan kurir",
  returned: "Paket dikembalikan ke penjual",
};

/** Where the courier says that a parcel is. */
export interface ParcelNews {
  status: ParcelStatus;
  step: ParcelStep;
  awb: string | null;
  /** When it got there; null where the courier does not say. */
  occurredAt: Date | null;
  /** When the courier first had it, if he says so. */
  shippedAt: Date | null;
  /** He was told not to come, and has not decided yet. */
  cancelAsked: boolean;
  description: string;
}

/** Asks the courier about an order's parcel. Null only where it surely knows no such parcel. */
export async function askAboutParcel(ctx: Ctx, number: string): Promise<ParcelNews | null> {
  try {
    const found = await ctx.providers.kiriminaja.track(number);
    const { status, occurredAt, step = status } = read(found);
    const { awb, shippedAt, cancelAsked } = found;
    return { status, step, awb, occurredAt, shippedAt, cancelAsked, description: WORDS[step] };
  } catch (error) {
    if (isUnknownParcel(error)) return null;
    throw error;
  }
}

/**
 * Only its own "no such data" counts, by the code in its body: after any other refusal (or a proxy's 404) the parcel
 * may be there, and it must not be ordered a second time. What the real one answers is not documented
 * (providers/kiriminaja.md §6); should it name no code, a person is told instead.
 */
const isUnknownParcel = (error: unknown) =>
  error instanceof ProviderError && error.kind === "refused" && error.code === "404";

interface Read {
  status: ParcelStatus;
  step?: ParcelStep;
  occurredAt: Date | null;
}

function read(found: Tracking): Read {
  switch (found.status) {
    case "pending":
    case "cancelled":
      return { status: found.status, occurredAt: null };
    case "picked_up":
    case "in_transit":
      return { status: found.status, occurredAt: found.shippedAt };
    case "redelivery":
      return { status: "in_transit", step: "redelivery", occurredAt: null };
    case "delivered":
      return { status: "delivered", occurredAt: found.deliveredAt };
    case "returned":
      return { status: "returned", occurredAt: found.returnedAt };
    // Nothing is final here: a person looks, and the parcel may still arrive or come back.
    case "lost":
      return { status: "failed", occurredAt: null };
    case "problem":
    case "refused":
    case "returning":
      return { status: "failed", step: found.status, occurredAt: null };
    default:
      return found.status satisfies never;
  }
}

/** What the courier must say when asked for a callback to be borne out; the rest claims nothing. */
export function bearsOut(claim: CourierEventKind, status: ParcelStatus): boolean {
  switch (claim) {
    case "delivered":
    case "cancelled":
    case "returned":
      return status === claim;
    case "picked_up":
    case "in_transit":
      return status !== "pending";
    case "awb_made":
    case "returning":
    case "validated":
    case "problem":
    case "unknown":
      return true;
    default:
      return claim satisfies never;
  }
}
