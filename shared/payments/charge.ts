import { z } from "zod";

/** The ways to collect that our tables know. */
export const channel = z.enum(["qris", "snap", "redirect"]);
export type Channel = z.output<typeof channel>;

const intentState = z.enum(["pending", "paid", "expired", "failed", "refunded"]);

const chargeState = z.enum([
  "creating",
  "pending",
  "unknown",
  "paid",
  "expired",
  "cancelled",
  "failed",
  "refunding",
  "refunded",
]);
export type ChargeState = z.output<typeof chargeState>;

/** What the payer is shown of a charge; null where it has none. */
export const shownCharge = z.object({
  qr_string: z.string().nullable(),
  qr_image_url: z.string().nullable(),
  payment_url: z.string().nullable(),
});
export type ShownCharge = z.output<typeof shownCharge>;

/** What SQL function `payments_open` (or `payments_opened`) answers: the input of `startCharges`. */
export const openedPayment = z.object({
  intent_id: z.uuid(),
  provider: z.string(),
  amount: z.number().int().positive(),
  state: intentState,
  created_at: z.coerce.date(),
  expires_at: z.coerce.date(),
  given_up_at: z.coerce.date().nullable(),
  charges: z.array(
    shownCharge.extend({
      id: z.uuid(),
      channel,
      provider_ref: z.string(),
      state: chargeState,
    }),
  ),
});
export type OpenedPayment = z.output<typeof openedPayment>;
export type OpenedCharge = OpenedPayment["charges"][number];

/** What SQL function `payments_charge_view` answers: a charge with its intent and its refund. */
export const chargeView = z.object({
  id: z.uuid(),
  channel,
  provider_ref: z.string(),
  state: chargeState,
  transaction_id: z.string().nullable(),
  expires_at: z.coerce.date(),
  intent: z.object({
    id: z.uuid(),
    purpose: z.string(),
    provider: z.string(),
    amount: z.number().int().positive(),
    state: intentState,
    created_at: z.coerce.date(),
    expires_at: z.coerce.date(),
    given_up_at: z.coerce.date().nullable(),
  }),
  refund: z
    .object({
      id: z.uuid(),
      state: z.enum(["queued", "requested", "refunded", "credited"]),
      created_at: z.coerce.date(),
    })
    .nullable(),
});
export type ChargeView = z.output<typeof chargeView>;
