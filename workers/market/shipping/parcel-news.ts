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

const WORDS: Record<ParcelStatus, string> = {
  pending: "Paket disiapkan",
  picked_up: "Paket diambil kurir",
  in_transit: "Paket dalam perjalanan",
  delivered: "Paket diterima",
  failed: "Pengiriman terkendala",
  cancelled: "Penjemputan dibatalkan kurir",
  returned: "Paket dikembalikan ke penjual",
};

/** Where the courier says that a parcel is. */
export interface ParcelNews {
  status: ParcelStatus;
  awb: string | null;
  /** When it got there; null where the courier does not say. */
  occurredAt: Date | null;
  description: string;
}

/** Asks the courier about an order's parcel. Null only where it surely knows no such parcel. */
export async function askAboutParcel(ctx: Ctx, number: string): Promise<ParcelNews | null> {
  try {
    const found = await ctx.providers.kiriminaja.track(number);
    const { status, occurredAt } = read(found);
    return { status, awb: found.awb, occurredAt, description: WORDS[status] };
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

function read(found: Tracking): { status: ParcelStatus; occurredAt: Date | null } {
  switch (found.status) {
    case "pending":
    case "cancelled":
      return { status: found.status, occurredAt: null };
    case "picked_up":
    case "in_transit":
      return { status: found.status, occurredAt: found.shippedAt };
    // On its way back: an event of its own follows when it is there.
    case "returning":
      return { status: "in_transit", occurredAt: found.shippedAt };
    case "delivered":
      return { status: "delivered", occurredAt: found.deliveredAt };
    case "returned":
      return { status: "returned", occurredAt: found.returnedAt };
    // Nothing is final here: a person looks, and the parcel may still arrive or come back.
    case "lost":
    case "problem":
      return { status: "failed", occurredAt: null };
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
