import { z } from "@hono/zod-openapi";
import { pagingQuery } from "../../../shared/http/answers.ts";

/** Control characters: nobody types them into a name, and Postgres refuses the first of them. */
const CONTROL = /\p{Cc}/u;

const name = () =>
  z
    .string()
    .refine((value) => !CONTROL.test(value) && value.isWellFormed(), "Contains control characters")
    .trim()
    .min(1)
    .max(100);

export const SCOPES = ["services:read", "orders:write", "orders:read", "balance:read"] as const;
export const Scope = z.enum(SCOPES);
export type Scope = z.output<typeof Scope>;

const unique = (values: readonly string[]) => new Set(values).size === values.length;
const scopes = () => z.array(Scope).min(1).max(SCOPES.length).refine(unique, "Must not repeat");

/** An address or a network of either family. Postgres has the last word on its spelling. */
const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
  error: "Must be an IP address or CIDR",
});

const addresses = () => z.array(network).max(50);
const requestsPerMinute = () => z.number().int().min(1).max(6000);
const dailyAmount = () => z.number().int().positive().max(10_000_000_000).nullable();
const expiresAt = () => z.iso.datetime({ offset: true }).nullable();

/** Strict, as all input here: a misspelt scope or bound must not make a key that may do more than was meant. */
export const NewKey = z
  .strictObject({
    name: name(),
    scopes: scopes().default([...SCOPES]),
    addresses: addresses().default([]),
    requestsPerMinute: requestsPerMinute().default(120),
    dailyAmount: dailyAmount().default(null),
    expiresAt: expiresAt().default(null),
  })
  .openapi("TopupNewKey");
export type NewKey = z.output<typeof NewKey>;

export const KeyChanges = z
  .strictObject({
    name: name(),
    scopes: scopes(),
    addresses: addresses(),
    requestsPerMinute: requestsPerMinute(),
    dailyAmount: dailyAmount(),
    expiresAt: expiresAt(),
  })
  .partial()
  .openapi("TopupKeyChanges");
export type KeyChanges = z.output<typeof KeyChanges>;

export const KeyShape = z
  .object({
    id: z.uuid(),
    name: z.string(),
    prefix: z.string(),
    scopes: z.array(Scope),
    addresses: z.array(z.string()),
    requestsPerMinute: z.number(),
    dailyAmount: z.number().nullable(),
    expiresAt: z.string().nullable(),
    lastUsedAt: z.string().nullable(),
    revokedAt: z.string().nullable(),
    createdAt: z.string(),
  })
  .openapi("TopupKey");
export type KeyShape = z.output<typeof KeyShape>;

/** The one answer that holds the key itself. */
export const MadeKey = KeyShape.extend({ key: z.string() }).openapi("TopupMadeKey");

export const EVENTS = [
  "order.processing",
  "order.success",
  "order.partial",
  "order.failed",
  "order.refunded",
] as const;
export const EventType = z.enum(EVENTS);

const events = () => z.array(EventType).min(1).max(EVENTS.length).refine(unique, "Must not repeat");
const address = () => z.string().min(1).max(2000);

export const NewEndpoint = z
  .strictObject({ url: address(), events: events().default([...EVENTS]) })
  .openapi("TopupNewEndpoint");
export type NewEndpoint = z.output<typeof NewEndpoint>;

export const EndpointChanges = z
  .strictObject({ url: address(), events: events(), enabled: z.boolean() })
  .partial()
  .openapi("TopupEndpointChanges");
export type EndpointChanges = z.output<typeof EndpointChanges>;

export const EndpointShape = z
  .object({
    id: z.uuid(),
    url: z.string(),
    events: z.array(EventType),
    enabled: z.boolean(),
    disabledReason: z.enum(["owner", "failing"]).nullable(),
    failingSince: z.string().nullable(),
    createdAt: z.string(),
  })
  .openapi("TopupEndpoint");
export type EndpointShape = z.output<typeof EndpointShape>;

/** The answer that shows a signing secret, once. */
export const MadeEndpoint = EndpointShape.extend({ secret: z.string() }).openapi(
  "TopupMadeEndpoint",
);

export const DeliveryState = z.enum(["pending", "delivered", "failed", "dropped"]);

export const DeliveryShape = z
  .object({
    id: z.string(),
    type: EventType,
    orderNumber: z.string(),
    state: DeliveryState,
    nextAttemptAt: z.string().nullable(),
    createdAt: z.string(),
    attempts: z.array(
      z.object({
        at: z.string(),
        status: z.number().nullable(),
        error: z.string().nullable(),
        durationMs: z.number(),
      }),
    ),
  })
  .openapi("TopupDelivery");

export const DeliveryQuery = z.object({
  cursor: z.string().max(100).optional(),
  limit: pagingQuery.limit,
  state: DeliveryState.optional(),
  type: EventType.optional(),
  orderNumber: z.string().max(100).optional(),
});
export type DeliveryQuery = z.output<typeof DeliveryQuery>;
