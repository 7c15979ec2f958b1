import { z } from "@hono/zod-openapi";
import { districtId, optionalText, title } from "./fields.ts";
import { phone } from "./orders.ts";

/** The couriers a store can send with, by KiriminAja's codes. */
export const COURIER_CODES = [
  "tiki",
  "posindonesia",
  "paxel",
  "ninja",
  "rpx",
  "lion",
  "jtcargo",
  "sentral",
  "anteraja",
  "ncs",
  "sicepat",
  "sap",
  "idx",
  "jne",
  "jnt",
  "spx",
] as const;

/** Names that sellers know some of them by. */
const COURIER_ALIASES: Record<string, string> = {
  pos: "posindonesia",
  ide: "idx",
  "j&t": "jnt",
  shopee: "spx",
};

export const StoreShape = z
  .object({
    id: z.string(),
    user_id: z.number(),
    name: z.string(),
    slug: z.string(),
    description: z.string().nullable(),
    logo_url: z.string().nullable(),
    banner_url: z.string().nullable(),
    address: z.string().nullable(),
    city: z.string().nullable(),
    province: z.string().nullable(),
    postal_code: z.string().nullable(),
    lat: z.number().nullable(),
    lng: z.number().nullable(),
    google_maps_url: z.string().nullable(),
    instagram_handle: z.string().nullable(),
    phone: z.string().nullable(),
    area_id: z.string().nullable(),
    shipping_couriers: z.array(z.string()),
    status: z.enum(["active", "inactive", "suspended"]),
    is_featured: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
    deleted_at: z.string().nullable(),
  })
  .openapi("Store");

export const SlugAnswer = z.object({ available: z.boolean(), reason: z.string().optional() });

const GOOGLE_MAPS =
  /^https:\/\/((www\.|maps\.)?google\.(com|co\.id)|maps\.app\.goo\.gl|goo\.gl)\/\S*$/i;

const mapsUrl = optionalText(1000).refine(
  (value) => value === null || GOOGLE_MAPS.test(value),
  "Gunakan tautan Google Maps",
);

/** `@wafero` and `https://instagram.com/wafero/` are the same handle. */
const instagram = optionalText(200)
  .transform((value) => {
    const handle = value?.replace(/^(https?:\/\/)?(www\.)?instagram\.com\//i, "").replace(/^@/, "");
    return handle?.replace(/[/?].*$/, "") || null;
  })
  .refine((value) => value === null || /^[\w.]{1,30}$/.test(value), "Akun Instagram tidak valid");

/** The courier calls this number when it collects a parcel. */
const senderPhone = optionalText(30).pipe(phone.nullable());

const areaId = z
  .union([districtId(0, 100), z.number().int().positive().transform(String)])
  .nullable()
  .transform((value) => value || null)
  .refine((value) => value === null || /^[\w-]{1,40}$/.test(value), "area_id tidak valid");

const couriers = z
  .array(
    z
      .string()
      .transform((code) => COURIER_ALIASES[code.trim().toLowerCase()] ?? code.trim().toLowerCase())
      .pipe(z.enum(COURIER_CODES, { error: "Kurir tidak dikenal" })),
  )
  .max(50)
  .transform((codes) => [...new Set(codes)]);

/** What a seller may say about the store; everything else in the body is ignored. */
export const StoreChanges = z
  .object({
    name: title(3, 100),
    slug: z.string().trim().toLowerCase().max(63),
    description: optionalText(5000),
    logo_url: optionalText(1000),
    banner_url: optionalText(1000),
    address: optionalText(500),
    city: optionalText(100),
    province: optionalText(100),
    postal_code: optionalText(10).refine(
      (value) => value === null || /^\d{5}$/.test(value),
      "Kode pos terdiri dari 5 angka",
    ),
    lat: z.number().min(-90).max(90).nullable(),
    lng: z.number().min(-180).max(180).nullable(),
    google_maps_url: mapsUrl,
    instagram_handle: instagram,
    phone: senderPhone,
    area_id: areaId,
    shipping_couriers: couriers,
  })
  .partial()
  .openapi("StoreChanges");

export type Store = z.output<typeof StoreShape>;
export type StoreChanges = z.output<typeof StoreChanges>;
