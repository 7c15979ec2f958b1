import { z } from "zod";

const FINAL = ["succeeded", "failed", "canceled", "aborted"] as const;
const STATUSES = ["starting", "processing", ...FINAL] as const;

const lenient = <T extends z.ZodType>(schema: T) => schema.nullish().catch(null);

const Raw = z.object({
  id: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
  status: z.enum(STATUSES),
  input: lenient(z.object({ image: lenient(z.string()) })),
  // One picture; models that make several answer with a list.
  output: lenient(z.union([z.string(), z.tuple([z.string()]).rest(z.unknown())])),
  error: lenient(z.string()),
  data_removed: lenient(z.boolean()),
  created_at: lenient(z.iso.datetime({ offset: true })),
  metrics: lenient(z.object({ predict_time: lenient(z.number().nonnegative()) })),
});

/** A prediction (providers/replicate.md §1), the same in answers, lists and webhooks. */
export const Prediction = Raw.transform((raw) => ({
  id: raw.id,
  status: raw.status,
  /** The picture that was given, until it is deleted after an hour. */
  image: raw.input?.image ?? null,
  output: Array.isArray(raw.output) ? raw.output[0] : (raw.output ?? null),
  /** The model's own words, for the log. */
  error: raw.error ?? null,
  isRemoved: raw.data_removed === true,
  createdAt: raw.created_at ? new Date(raw.created_at) : null,
  runMs: raw.metrics?.predict_time == null ? null : Math.round(raw.metrics.predict_time * 1000),
}));
export type Prediction = z.output<typeof Prediction>;

/** Newest first; `next` is a whole address, of which only the cursor is believed. */
export const PredictionPage = z
  .object({ results: z.array(Prediction), next: lenient(z.string()) })
  .transform(({ results, next }) => ({
    results,
    cursor: next ? (URL.parse(next)?.searchParams.get("cursor") ?? null) : null,
  }));
export type PredictionPage = z.output<typeof PredictionPage>;

export const isFinal = ({ status }: Pick<Prediction, "status">) =>
  FINAL.some((one) => one === status);
