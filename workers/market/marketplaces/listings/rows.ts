import { z } from "zod";
import { call } from "../../../../shared/db/statement.ts";
import { wakeSchema } from "../../../../shared/jobs/jobs.ts";

const Size = z.object({ length: z.number(), width: z.number(), height: z.number() });

/** What a seller has settled about a category of ours on this platform. */
const Mapped = z.object({
  category_id: z.string(),
  brand: z.string().nullable(),
  attributes: z.array(
    z.object({
      id: z.string(),
      optionIds: z.array(z.string()).optional(),
      text: z.string().optional(),
    }),
  ),
  size_cm: Size.nullable(),
});

/** A claimed listing with its product, as `market_marketplace_work` tells it. */
export const Work = z.object({
  id: z.uuid(),
  changes: z.number(),
  item_id: z.string().nullable(),
  sku_id: z.string().nullable(),
  shown: z.boolean(),
  verify: z.boolean(),
  /** False: its seller took it back, and asks whether it is gone where `verify` is set. */
  wanted: z.boolean(),
  /** What its seller reads of it until now. */
  reason: z.string().nullable(),
  /** Surely nobody has tried to put it up there since it is kept in step. */
  unmade: z.boolean(),
  pushed_price: z.number().nullable(),
  pushed_stock: z.number().nullable(),
  pushed_content: z.string().nullable(),
  remote_category_id: z.string().nullable(),
  attempts: z.number(),
  doubt_seconds: z.number().nullable(),
  content: z.string(),
  product: z.object({
    id: z.uuid(),
    name: z.string(),
    description: z.string().nullable(),
    price: z.number(),
    stock: z.number(),
    weight_gram: z.number(),
    category: z.string().nullable(),
    on_sale: z.boolean(),
    images: z.array(z.string()),
  }),
  /** The shop's references of pictures that it has, by their address here. */
  refs: z.record(z.string(), z.string()),
  mapping: Mapped.nullable(),
});
export type Work = z.output<typeof Work>;

/**
 * What is now known of a listing; given fields are stored whatever the outcome. Null is not known: what was sent and
 * not answered may be there or not, and is sent again whatever the product is by then.
 */
export interface Known {
  item_id?: string | null;
  sku_id?: string | null;
  remote_category_id?: string;
  shown?: boolean | null;
  price?: number | null;
  stock?: number | null;
  content?: string | null;
}

/**
 * `synced`: the shop shows the product, whatever is to be remarked. `failed`: its seller is told why not; with `after_ms` it is tried again by itself
 * all the same. `retry`: later, by itself. `release`: not tried. `doubt`: a creation may have gone through just now.
 */
export type Outcome =
  | { outcome: "synced"; reason?: string }
  | { outcome: "failed"; reason: string; after_ms?: number; doubt?: boolean }
  | { outcome: "retry"; reason: string; after_ms: number; doubt?: boolean }
  | { outcome: "release" };

/**
 * `was_live`: whether it was on sale there when the shop was asked, before anything was sent; `was_there`: and surely not
 * by us.
 */
export type Result = { id: string; changes: number; was_live?: boolean; was_there?: true } & Known &
  Outcome;

export const claim = (input: {
  connection_id: string;
  seq: number;
  claim_id: string;
  seconds: number;
  most: number;
  most_known: number;
}) => call("market_marketplace_claim", input, z.array(Work).nullable());

export const record = (connectionId: string, claimId: string, results: Result[]) =>
  call(
    "market_marketplace_record",
    { connection_id: connectionId, claim_id: claimId, results },
    z.object({ recorded: z.number() }),
  );

/** Pictures that the shop has taken and need not be given again. */
export const keepImages = (
  shop: { id: string; shop_id: string },
  images: { url: string; ref: string }[],
) =>
  call(
    "market_marketplace_keep",
    { connection_id: shop.id, shop_id: shop.shop_id, images },
    z.boolean(),
  );

export const endPump = (connectionId: string, seq: number) =>
  call(
    "market_marketplace_pump_end",
    { connection_id: connectionId, seq },
    z.object({ wake: wakeSchema }),
  );
