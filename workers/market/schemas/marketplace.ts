import { z } from "@hono/zod-openapi";
import { pagingQuery } from "../../../shared/http/answers.ts";
import { PLATFORMS } from "../../../shared/providers/marketplace.ts";
import { optionalParameter, text } from "./fields.ts";

export const MOST_PRODUCTS = 5_000;

export const platform = z.enum(PLATFORMS);
export const platformParameter = z.object({ platform });

export const ConnectInput = z
  .object({
    platform,
    code: text(1, 2_000),
    /** Of Shopee's callback, beside the code; elsewhere which shop of several is meant. */
    shop_id: text(1, 64).optional(),
    main_account_id: text(1, 64).optional(),
    /** Of our own link (`authorise`): it proves that the code is the signed-in seller's. */
    state: text(1, 1_000).optional(),
  })
  .openapi("MarketplaceConnect");

export const Connected = z
  .object({
    status: z.literal("connected"),
    shop: z.object({ id: z.string(), name: z.string().nullable() }),
  })
  .openapi("MarketplaceConnected");

export const DisconnectInput = z.object({ platform }).openapi("MarketplaceDisconnect");
export const Disconnected = z
  .object({ status: z.literal("disconnected") })
  .openapi("MarketplaceDisconnected");

export const AuthoriseQuery = z.object({
  redirect_url: optionalParameter(z.url().max(500)),
});
export const AuthoriseLink = z
  .object({ url: z.string(), state: z.string(), expires_at: z.string() })
  .openapi("MarketplaceAuthoriseLink");

export const ConnectionStatus = z
  .object({
    platform,
    connected: z.boolean(),
    connected_at: z.string().nullable(),
    last_sync_at: z.string().nullable(),
    status: z.enum(["connected", "disconnected", "error"]),
    /** Why the seller must connect again, in words for him. */
    reason: z.string().nullable(),
    shop_id: z.string().nullable(),
    shop_name: z.string().nullable(),
    /** The platform lets us in until then; afterwards the seller grants it anew. */
    access_ends_at: z.string().nullable(),
    synced: z.number().int(),
    pending: z.number().int(),
    failed: z.number().int(),
  })
  .openapi("MarketplaceStatus");
export type ConnectionStatus = z.output<typeof ConnectionStatus>;

export const SyncInput = z
  .object({
    platform,
    /** Left out: every product on sale. */
    product_ids: z.array(z.uuid().toLowerCase()).max(MOST_PRODUCTS).nullish(),
  })
  .openapi("MarketplaceSync");
export type SyncInput = z.output<typeof SyncInput>;

export const SyncAnswer = z
  .object({
    synced: z.number().int(),
    failed: z.number().int(),
    pending: z.number().int(),
    job_id: z.uuid(),
  })
  .openapi("MarketplaceSynced");

export const SyncFailure = z.object({
  product_id: z.uuid(),
  name: z.string(),
  reason: z.string().nullable(),
});

export const SyncProgress = z
  .object({
    job_id: z.uuid(),
    platform,
    total: z.number().int(),
    synced: z.number().int(),
    failed: z.number().int(),
    pending: z.number().int(),
    started_at: z.string(),
    finished_at: z.string().nullable(),
    /** Why it ended before it was done, in words for the seller. */
    reason: z.string().nullable(),
    /** The first hundred. */
    failures: z.array(SyncFailure),
  })
  .openapi("MarketplaceProgress");

export const ListingsQuery = z.object({
  ...pagingQuery,
  platform: optionalParameter(platform),
  status: optionalParameter(z.enum(["synced", "pending", "error"])),
});

export const Listing = z
  .object({
    id: z.uuid(),
    platform,
    product_id: z.uuid(),
    name: z.string(),
    platform_product_id: z.string().nullable(),
    sync_status: z.enum(["synced", "pending", "error"]),
    /** Why it cannot be listed, or what it still waits for. */
    reason: z.string().nullable(),
    last_synced_at: z.string().nullable(),
  })
  .openapi("MarketplaceListing");

const attribute = z.object({
  id: text(1, 64),
  optionIds: z.array(text(1, 64)).max(50).optional(),
  text: text(0, 500).optional(),
});
const centimetres = z.number().int().min(1).max(500);

export const MappingInput = z
  .object({
    platform,
    /** One of our categories; null stands for products without one. */
    category_id: z.uuid().nullable(),
    remote_category_id: text(1, 64),
    brand: text(1, 100).nullish(),
    attributes: z.array(attribute).max(100).default([]),
    size_cm: z.object({ length: centimetres, width: centimetres, height: centimetres }).nullish(),
  })
  .openapi("MarketplaceMappingInput");
export type MappingInput = z.output<typeof MappingInput>;

export const Mapping = z
  .object({
    platform,
    category_id: z.uuid().nullable(),
    category: z.string().nullable(),
    remote_category_id: z.string(),
    remote_category: z.string().nullable(),
    brand: z.string().nullable(),
    attributes: z.array(attribute),
    size_cm: z.object({ length: z.number(), width: z.number(), height: z.number() }).nullable(),
  })
  .openapi("MarketplaceMapping");

export const CategoriesQuery = z.object({ search: optionalParameter(text(2, 60)) });
export const RemoteCategory = z
  .object({ id: z.string(), path: z.array(z.string()) })
  .openapi("MarketplaceCategory");
export const RemoteAttribute = z
  .object({
    id: z.string(),
    name: z.string(),
    required: z.boolean(),
    input: z.enum(["text", "number", "date", "one_of", "many_of"]),
    free: z.boolean(),
    options: z.array(z.object({ id: z.string(), name: z.string() })),
  })
  .openapi("MarketplaceAttribute");

export const RemoteCategoryParameters = z.object({ platform, id: z.string().min(1).max(64) });
