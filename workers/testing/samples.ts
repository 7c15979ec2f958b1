import { z } from "zod";
import { createApiApp } from "../api.ts";
import { settleInAgencies } from "./agencies.ts";
import { api } from "./api.ts";
import {
  createProduct,
  createStore,
  createUser,
  type TestProduct,
  type TestStore,
  type TestUser,
  unique,
} from "./factories.ts";
import { settleMarketplace } from "./marketplaces.ts";
import { order, orderBody } from "./orders.ts";

/** JSON Schema as far as our document uses it. */
const Schema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    format: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    anyOf: z.array(Schema).optional(),
    properties: z.record(z.string(), Schema).optional(),
    items: Schema.optional(),
    maxLength: z.number().optional(),
    minimum: z.number().optional(),
    exclusiveMinimum: z.number().optional(),
    example: z.unknown().optional(),
  }),
);
export interface Schema {
  $ref?: string | undefined;
  type?: string | string[] | undefined;
  format?: string | undefined;
  enum?: unknown[] | undefined;
  anyOf?: Schema[] | undefined;
  properties?: Record<string, Schema> | undefined;
  items?: Schema | undefined;
  maxLength?: number | undefined;
  minimum?: number | undefined;
  exclusiveMinimum?: number | undefined;
  example?: unknown;
}

const Content = z.record(z.string(), z.object({ schema: Schema.optional() }));
const Operation = z.object({
  parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]),
  requestBody: z.object({ content: Content }).optional(),
  security: z.array(z.object({ bearer: z.array(z.string()) })).optional(),
  responses: z.record(z.string(), z.object({ description: z.string() })),
});
const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), Schema) }),
});

export type TestOperation = z.output<typeof Operation> & { method: string; path: string };

const document = Document.parse(
  createApiApp().getOpenAPI31Document({ openapi: "3.1.0", info: { title: "", version: "" } }),
);

/** Every operation of the API as its own document describes it. */
export const operations: TestOperation[] = Object.entries(document.paths).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
);

export const jsonSchemaOf = (operation: TestOperation): Schema | undefined =>
  operation.requestBody?.content["application/json"]?.schema;

/** Somebody who may do everything, and something of each kind to do it with. */
export interface World {
  user: TestUser;
  store: TestStore;
  product: TestProduct;
  orderId: string;
  /** An order between others, for an admin decides about none of his own. */
  saleId: string;
  promoId: string;
  agencyId: number;
  /** Values that a field of this name takes. */
  examples: Record<string, unknown>;
}

const KTP = "3572011504900003";

export async function createWorld(): Promise<World> {
  const [user, other] = [
    await createUser(["buyer", "seller", "admin", "operator"]),
    await createUser(["seller"]),
  ];
  const [store, shop] = [await createStore(user), await createStore(other)];
  const product = await createProduct(store);
  const goods = await createProduct(shop, { stock: 100_000 });
  const checkout = await orderBody(shop, [[goods, 1]]);
  const placed = await order(user, shop, [[goods, 1]]);
  const sale = await order(await createUser(), shop, [[goods, 1]]);
  const promo = await api("/api/seller/promo", {
    method: "POST",
    token: user.token,
    json: { code: unique("P").slice(0, 12), type: "fixed", value: 1000, ends_at: "2090-01-01" },
  });
  const [orderId, promoId] = [placed.body.data?.order_id, promo.body.data?.id];
  const saleId = sale.body.data?.order_id;
  if (!orderId || !promoId || !saleId)
    throw new Error(`no world: ${placed.status} ${promo.status}`);
  const { categoryId: remoteCategoryId } = await settleMarketplace(store);
  const { own: agencyId, joined, session: sessionId } = await settleInAgencies(user, other);
  const examples = {
    ...{ hostId: user.userId, sessionId, targetUserId: other.userId, recipientId: other.userId },
    ...{ agencyId: joined, requestId: 2_000_000_000, idNumber: KTP, id_number: KTP },
    ...{ store_id: shop.id, product_id: goods.id, order_id: orderId, id: promoId },
    ...{ courier: checkout.courier, area_id: "1141", postal_code: "66111", quantity: 1 },
    ...{ street: "Jl. Merdeka No. 12, Blitar", password: "rahasia-sekali" },
    ...{
      promo_code: undefined,
      paidAt: undefined,
      category_id: null,
      images: [],
      shipping_couriers: ["jne"],
    },
    ...{
      action: "low-stock",
      starts_at: "2026-01-01",
      ends_at: "2090-01-01",
      amount: 20_000,
      value: 5,
    },
    ...{ logo_url: null, banner_url: null, google_maps_url: null, instagram_handle: "toko.uji" },
    ...{ orderNumber: "PRE-1724589876-ABC12" },
    ...{ platform: "shopee", remote_category_id: remoteCategoryId },
    ...{ url: "https://toko.example/hook", addresses: ["203.0.113.7"], trxid: "VP0123456789" },
    ...{
      month: "2026-11",
      image_url: `/uploads/banners/${user.userId}/${"a".repeat(32)}.jpg`,
      cta_link: null,
    },
    ...{ root_path: "/var/www/toko-uji", php_version: "8.2", entry: "server.js" },
    ...{ expiresAt: "2090-01-01T00:00:00Z", reason: "Menurut riwayat" },
    ...{ slug: store.slug, tracking_code: "JNE0123456", gender: "laki-laki", input: "Blitar" },
    ...{ baseUrl: "http://127.0.0.1:9", webAddress: "127.0.0.1", ftpHost: "127.0.0.1" },
    ...{ sitesPath: "/www/wwwroot", phpVersion: "82", apiKey: "kunci-panel-uji-0001" },
    ...{ domain: "toko-uji.web.id", subscriptionId: crypto.randomUUID() },
    ...{ destination_area_id: "3173", weight: 1000, role: "buyer", lat: -8.1, lng: 112.2 },
  };
  return { user, store, product, orderId, saleId, promoId, agencyId, examples };
}

/** Input that fits the schema, field names deciding what it says. */
export function sampleOf(schema: Schema, world: World, name = ""): unknown {
  const { examples } = world;
  if (Object.hasOwn(examples, name) && fits(examples[name], schema)) return examples[name];
  if (schema.example !== undefined) return schema.example;
  if (name === "email") return `${unique("s")}@test.example`;
  if (name === "phone") return `08${String(Math.random()).slice(2, 12).padEnd(10, "7")}`;
  if (schema.$ref) {
    const known = document.components.schemas[schema.$ref.split("/").at(-1) ?? ""];
    return sampleOf(known ?? {}, world, name);
  }
  const [first] = schema.anyOf ?? [];
  if (first) return sampleOf(first, world, name);
  if (schema.enum) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "object") {
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([key, inner]) => [
        key,
        sampleOf(inner, world, key),
      ]),
    );
  }
  if (type === "array") return [sampleOf(schema.items ?? {}, world, name)];
  if (type === "integer" || type === "number") {
    return schema.minimum ?? (schema.exclusiveMinimum ?? 0) + 1;
  }
  if (type === "boolean") return true;
  return schema.format === "uuid" ? crypto.randomUUID() : "Contoh isian";
}

/** One name may stand for two things (a courier's code, a signed rate): the length tells which. */
const fits = (example: unknown, { maxLength, enum: words }: Schema) =>
  (words?.includes(example) ?? true) &&
  (typeof example !== "string" || maxLength === undefined || example.length <= maxLength);

/** The path with something of that world in place of its parameters. */
export function pathOf({ path }: TestOperation, world: World): string {
  const orderId = path.includes("/admin/") ? world.saleId : world.orderId;
  const id = path.includes("/orders/") ? orderId : world.product.id;
  return path
    .replace("{id}", id)
    .replace("{platform}", "shopee")
    .replace("{key}", "avatars/1/tidak-ada.jpg")
    .replace("{hostId}", String(world.user.userId))
    .replace("{userId}", String(world.user.userId))
    .replace("{agencyId}", String(world.agencyId))
    .replace("{requestId}", "2000000000")
    .replace("{storeId}", world.store.id)
    .replace("{day}", "2026-01-01")
    .replace("{version}", "1.2.3")
    .replace("{username}", "app_user")
    .replace(/^(\/v1\/db\/databases\/)\{name\}/, "$1app_db")
    .replace("{n}", "1");
}
