import { z } from "@hono/zod-openapi";
import { pagingQuery } from "../../../shared/http/answers.ts";

/** A filter that is there and not empty; pages send empty ones for "all". */
const filter = z
  .string()
  .max(200)
  .optional()
  .transform((value) => value?.trim() || undefined);

const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), z.enum(values).optional());

const words = filter.transform((value) => value?.split(/\s+/).slice(0, 6));

export const SORTS = ["name", "price", "-price"] as const;

export const ServiceQuery = z.object({
  ...pagingQuery,
  family: choice(["prepaid", "game", "social"]),
  category: filter,
  brand: filter,
  status: choice(["available", "empty"]),
  search: words,
  q: words,
  sort: choice(SORTS),
});
export type ServiceQuery = z.output<typeof ServiceQuery>;

/** What anybody may see of a service; what it costs us is not among it. */
export const ServiceShape = z
  .object({
    id: z.uuid(),
    /** What the order routes take as `service`. */
    service: z.string(),
    code: z.string(),
    family: z.enum(["prepaid", "game", "social"]),
    name: z.string(),
    brand: z.string(),
    category: z.string(),
    type: z.string(),
    note: z.string(),
    /** For `unit` pieces: 1,000 of a social service, else 1. */
    price: z.number().int(),
    unit: z.number().int(),
    min: z.number().int(),
    max: z.number().int(),
    status: z.enum(["available", "empty"]),
    needsZone: z.boolean(),
    targetKind: z.enum(["phone", "pln_meter", "customer_number", "game_id", "link"]),
    maintenance: z.string().nullable(),
  })
  .openapi("TopupService");
export type Service = z.output<typeof ServiceShape>;

export const ServicePage = z.object({
  page: z.number().int(),
  limit: z.number().int(),
  total: z.number().int(),
  capped: z.boolean(),
});

/** Some programs send the digits of a player's id as a number; anything else is no text. */
const short = z
  .union([z.string(), z.number()], "must be a text or a number")
  .transform(String)
  .pipe(z.string().trim().min(1).max(100));

/** A player: by the supplier's game code or the game's name, under either spelling of the fields. */
export const NicknameRequest = z
  .object({
    code: short.nullish().openapi({ example: "mobile-legends" }),
    game: short.nullish(),
    target: short.nullish().openapi({ example: "12345678" }),
    userId: short.nullish(),
    zone: short.nullish().openapi({ example: "1234" }),
    zoneId: short.nullish(),
  })
  .openapi("NicknameRequest");
export type NicknameRequest = z.output<typeof NicknameRequest>;

export const NicknameShape = z.object({ nickname: z.string() }).openapi("Nickname");
