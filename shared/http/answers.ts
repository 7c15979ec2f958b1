import { z } from "@hono/zod-openapi";

const json = <T extends z.ZodType>(schema: T, description: string) => ({
  content: { "application/json": { schema } },
  description,
});

/** A JSON body that must be there. */
export const body = <T extends z.ZodType>(schema: T) => ({
  content: { "application/json": { schema } },
  required: true as const,
});

const Meta = z.record(z.string(), z.unknown());

const MarketFailure = z
  .object({ data: z.null(), error: z.string(), meta: Meta })
  .openapi("MarketFailure");

const AppFailure = z
  .object({ success: z.literal(false), message: z.string() })
  .openapi("AppFailure");

const TopupFailure = z
  .object({
    success: z.literal(false),
    message: z.string(),
    error: z.string(),
    /** The order that was refused or that this one would repeat. */
    orderNumber: z.string().optional(),
    /** The price that holds now, where an order named or had another one. */
    amount: z.number().optional(),
  })
  .openapi("TopupFailure");

const HostingFailure = z
  .object({ error: z.string(), status: z.number() })
  .openapi("HostingFailure");

const PanelFailure = z.object({ error: z.string(), timestamp: z.string() }).openapi("PanelFailure");

const AuthFailure = z
  .object({
    success: z.literal(false),
    data: z.null(),
    error: z.string(),
    message: z.string(),
    status: z.number(),
    meta: Meta,
  })
  .openapi("AuthFailure");

const failures = <T extends z.ZodType>(schema: T) => ({
  400: json(schema, "The input does not fit; the message says where"),
  401: json(schema, "No token, or one that is not valid"),
  403: json(schema, "Signed in, but not allowed"),
  404: json(schema, "Missing, or somebody else's"),
  409: json(schema, "Clashes with what is there, or is still running"),
  422: json(schema, "The Idempotency-Key was used for another input"),
  429: json(schema, "Too many requests"),
  503: json(schema, "A provider or the database cannot be reached; nothing is lost"),
});

export const Paging = z.object({ page: z.number(), limit: z.number(), total: z.number() });

const marketEnvelope = <D extends z.ZodType, M extends z.ZodType>(data: D, meta: M) =>
  z.object({ data, error: z.null(), meta });

/** `{data, error:null, meta}` with its failures: /api/seller, /api/buyer, /api/admin, /api/wallet. */
export const marketOk = <D extends z.ZodType>(data: D) => ({
  200: json(marketEnvelope(data, Meta), "Done"),
  ...failures(MarketFailure),
});
export const marketCreated = <D extends z.ZodType>(data: D) => ({
  201: json(marketEnvelope(data, Meta), "Created"),
  ...failures(MarketFailure),
});
export const marketList = <D extends z.ZodType>(row: D) => ({
  200: json(marketEnvelope(z.array(row), Paging), "A page of rows, newest first"),
  ...failures(MarketFailure),
});

/** `{success:true, …}` of the mobile app. */
export const appOk = <S extends z.ZodRawShape>(shape: S) => ({
  200: json(z.object({ success: z.literal(true), ...shape }), "Done"),
  ...failures(AppFailure),
});

/** `{success:true, data}` with failures as `{success:false, message, error}`: the paths of top-up. */
export const topupOk = <D extends z.ZodType>(data: D) => ({
  200: json(z.object({ success: z.literal(true), data }), "Done"),
  ...failures(TopupFailure),
});

/** A top-up answer of a shape of its own, with the family's failures. */
export const topupAnswer = <T extends z.ZodType>(answer: T, description: string) => ({
  200: json(answer, description),
  ...failures(TopupFailure),
});

/** Wraps a verb's result in the top-up envelope. */
export const topupData = <D>(data: D) => ({ success: true as const, data });

/** `{success:true, …}` with failures as `{error, status}`: /api/payment, /api/orders, /api/upload, /api/website, /api/plans. */
export const hostingOk = <S extends z.ZodRawShape>(shape: S) => ({
  200: json(z.object({ success: z.literal(true), ...shape }), "Done"),
  ...failures(HostingFailure),
});

/** A bare answer of the panel, with failures as `{error, timestamp}`: /v1 and /healthz. */
export const panelOk = <Status extends 200 | 201 | 202, T extends z.ZodType>(
  status: Status,
  answer: T,
) =>
  ({ [status]: json(answer, "Done"), ...failures(PanelFailure) }) as {
    [K in Status]: ReturnType<typeof json<T>>;
  } & ReturnType<typeof failures<typeof PanelFailure>>;

/** The merged answer of the four paths that two contracts share. */
export const authAnswer = <Status extends 200 | 201, S extends z.ZodRawShape>(
  status: Status,
  shape: S,
) =>
  ({
    [status]: json(
      z.object({ success: z.literal(true), error: z.null(), meta: Meta, ...shape }),
      "Done",
    ),
    ...failures(AuthFailure),
  }) as { [K in Status]: ReturnType<typeof json<z.ZodObject<S & AuthBase>>> } & ReturnType<
    typeof failures<typeof AuthFailure>
  >;
type AuthBase = { success: z.ZodLiteral<true>; error: z.ZodNull; meta: typeof Meta };

/** Wraps a verb's result in the market envelope. */
export const enveloped = <D>(data: D, meta: Record<string, unknown> = {}) => ({
  data,
  error: null,
  meta: { timestamp: new Date().toISOString(), ...meta },
});

/** Wraps one page of rows. */
export const page = <D>(result: { rows: D[]; page: number; limit: number; total: number }) => ({
  data: result.rows,
  error: null,
  meta: { page: result.page, limit: result.limit, total: result.total },
});

const pageNumber = (fallback: number, max: number) =>
  z.preprocess((value) => {
    const number = Math.trunc(Number(value));
    return Number.isFinite(number) && number >= 1 ? Math.min(number, max) : fallback;
  }, z.number().int());

/** `?page=1&limit=20`: anything that is not a sensible number means the default, never a failure (TB-15). */
export const pagingQuery = { page: pageNumber(1, 10_000), limit: pageNumber(20, 100) };

/** `%` and `_` in a search are letters, not wildcards. */
export const likePattern = (search: string) => `%${search.replace(/[\\%_]/g, "\\$&")}%`;

export const idempotencyHeader = z.object({
  "idempotency-key": z.string().min(1).max(255).optional(),
});
