import { z } from "zod";
import type { Failure, Judge } from "../http.ts";
import { wholeIdr } from "../idr.ts";
import { shortCode } from "../provider-error.ts";
import { parseWib } from "../wib-time.ts";

const ok = z.literal(true);
const id = z.union([z.string().min(1), z.number().int()]).transform(String);
const count = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number),
  ])
  .pipe(z.number().int());
const text = z
  .string()
  .nullish()
  .transform((value) => value || null);
const time = z.string().nullish().transform(parseWib);

const Refusal = z.object({ status: z.literal(false), code: z.unknown().optional() });
const PinRefusal = z.object({ results: z.object({ error: z.string().min(1) }) });

/**
 * KiriminAja says no in the body, often under HTTP 200: `status: false` with a `code`, or `results.error` with a word
 * (providers/kiriminaja.md §1 and §2; the sources disagree, so both count).
 */
export const judgeKiriminAja: Judge = ({ body }) => {
  const worded = PinRefusal.safeParse(body);
  if (worded.success) return refusal(shortCode(worded.data.results.error));
  const refused = Refusal.safeParse(body);
  return refused.success ? refusal(shortCode(refused.data.code)) : null;
};

function refusal(code: string | undefined): Partial<Failure> {
  const no = { retryable: false, outcome: "not_done", ...(code && { code }) } as const;
  if (code === "429") return { ...no, kind: "rate_limited", retryable: true };
  if (code === "401" || code === "403") return { ...no, kind: "unauthorised" };
  if (code === "400" || code === "422") return { ...no, kind: "invalid" };
  return { ...no, kind: "refused" };
}

export const AreasAnswer = z.object({
  status: ok,
  data: z.array(z.object({ id, text: z.string().min(1) })),
});

export const RatesAnswer = z.object({
  status: ok,
  results: z.array(
    z.object({
      service: z.string().min(1),
      service_name: z.string().min(1),
      service_type: z.string().min(1),
      cost: wholeIdr,
      etd: text,
      group: text,
      force_insurance: z.boolean().nullish(),
      // A text in v5, a number in v6.1; a detail that must not cost the buyer the whole list.
      insurance: wholeIdr.nullish().catch(null),
    }),
  ),
});

export const PickupAnswer = z.object({
  status: ok,
  payment_status: z
    .string()
    .nullish()
    .transform((value) => value?.toLowerCase() ?? "pending")
    .pipe(z.enum(["paid", "unpaid", "pending"])),
  qr_url: z
    .url({ protocol: /^https?$/ })
    .nullish()
    .catch(null),
  pickup_number: id,
  details: z.array(z.object({ order_id: z.string(), kj_order_id: text, awb: text })).min(1),
});

export const TrackingAnswer = z.object({
  status: ok,
  status_code: count,
  text,
  details: z.object({
    awb: text,
    order_id: text,
    shipped_at: time,
    delivered_at: time,
    // "Refunded" is their word for returned to the sender; no money is meant.
    refunded_at: time,
  }),
  histories: z
    .array(z.object({ created_at: time, status: text, status_code: count.nullish().catch(null) }))
    .nullish(),
});

export const CancelledAnswer = z.object({
  status: ok,
  data: z.object({ success: z.union([z.string(), z.boolean()]).nullish(), date: time }).nullish(),
});

const Label = z.object({ url: z.url({ protocol: /^https?$/ }) });

/** The vendor's SDKs nest the address twice, its plugin once. */
export const LabelAnswer = z.union([
  z.object({ status: ok, data: z.object({ data: Label }) }).transform(({ data }) => data.data.url),
  z.object({ status: ok, data: Label }).transform(({ data }) => data.url),
]);

const Bill = z.object({
  payment_id: id,
  status_code: count,
  qr_content: text,
  amount: wholeIdr,
  paid_at: time,
});

/** Express bills come under `data`, instant ones under `result`. */
export const PaymentAnswer = z.union([
  z.object({ status: ok, data: Bill }).transform((answer) => answer.data),
  z.object({ status: ok, result: Bill }).transform((answer) => answer.result),
]);
