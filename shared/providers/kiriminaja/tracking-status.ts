/** Where a parcel is. `problem`: nothing is final and a person has to look. */
export type TrackingStatus =
  | "pending"
  | "picked_up"
  | "in_transit"
  | "redelivery"
  | "delivered"
  | "cancelled"
  | "refused"
  | "returning"
  | "returned"
  | "lost"
  | "problem";

/** Cancelling was asked for; the courier decides within 48 hours. */
export const CANCEL_ASKED = 350;

/**
 * KiriminAja's status code as one of ours (providers/kiriminaja.md §3). A code that the list does not know is a
 * `problem`: it must be seen, and must not end an order by itself.
 */
export function mapTrackingStatus(code: number): TrackingStatus {
  switch (code) {
    case 100: // created
    case 101: // pickup asked
    case 102: // checked
    case 105: // waiting for the courier or its waybill
    case CANCEL_ASKED:
      return "pending";
    case 103: // taken by KiriminAja's driver
    case 104: // at the hub
      return "picked_up";
    case 106: // with the courier
    case 107: // reported by the driver
    case 110: // direct pickup pending
      return "in_transit";
    case 152: // on its way once more, after it could not be delivered
      return "redelivery";
    case 200:
      return "delivered";
    case 300: // by the client
    case 302: // by the seller
      return "cancelled";
    case 301: // refused by the recipient, the return flow follows
    case 310:
    case 311:
      return "refused";
    case 401:
    case 402:
    case 403:
    case 404:
    case 405:
    case 406:
      return "returning";
    case 400:
      return "returned";
    case 303:
    case 333: // destroyed
    case 555: // kept by customs
    case 701: // lost
    case 702: // damaged
    case 703: // claims closed
    case 704:
      return "lost";
    default:
      return "problem";
  }
}
