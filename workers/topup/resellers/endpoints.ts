import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import type { Config } from "../../../shared/config/config.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { notFound } from "../../../shared/http/errors.ts";
import {
  type EndpointChanges,
  type EndpointShape,
  EventType,
  type NewEndpoint,
} from "../schemas/resellers.ts";
import { sealSecret } from "./secrets.ts";
import { newSecret } from "./signature.ts";
import { type AddressRules, webhookAddress } from "./webhook-address.ts";

const MAX_ENDPOINTS = 10;
/** How long the outgoing secret still signs beside the new one. */
const OLD_SECRET_HOURS = 24;

const row = z
  .object({
    id: z.uuid(),
    url: z.string(),
    events: z.array(EventType),
    enabled: z.boolean(),
    disabled_reason: z.enum(["owner", "failing"]).nullable(),
    failing_since: z.coerce.date().nullable(),
    created_at: z.coerce.date(),
  })
  .transform(
    (endpoint): EndpointShape => ({
      id: endpoint.id,
      url: endpoint.url,
      events: endpoint.events,
      enabled: endpoint.enabled,
      disabledReason: endpoint.disabled_reason,
      failingSince: endpoint.failing_since?.toISOString() ?? null,
      createdAt: endpoint.created_at.toISOString(),
    }),
  );

/** What addresses this installation calls. */
export const addressRules = (config: Config): AddressRules => ({
  ownHosts: [new URL(config.APP_URL).hostname, config.STORE_DOMAIN.split(":")[0] ?? ""],
  allowPrivate: config.TOPUP_WEBHOOK_PRIVATE,
});

/** Adds an endpoint of the actor; its signing secret is in this answer and, sealed, in the row. */
export async function createEndpoint(
  ctx: Ctx,
  input: NewEndpoint,
): Promise<EndpointShape & { secret: string }> {
  const { userId } = actorOf(ctx);
  const url = webhookAddress(input.url, addressRules(ctx.config));
  const secret = newSecret();
  const id = uuidv7(ctx.now());
  const made = await ctx.db.run(
    call(
      "topup_endpoint_create",
      {
        id,
        user_id: userId,
        url,
        events: input.events,
        secret: await sealSecret(ctx.config, id, secret),
        max_endpoints: MAX_ENDPOINTS,
        audit: auditContext(ctx),
      },
      row,
    ),
  );
  return { ...made, secret };
}

/** The actor's endpoints, newest first. */
export async function listEndpoints(ctx: Ctx): Promise<EndpointShape[]> {
  const found = await ctx.db.run(
    rows(
      sql`select topup_endpoint_view(w) as endpoint from topup_webhook_endpoints w
        where w.user_id = ${actorOf(ctx).userId} and w.deleted_at is null order by w.id desc`,
      z.object({ endpoint: row }),
    ),
  );
  return found.map(({ endpoint }) => endpoint);
}

/** Moves an endpoint, chooses its events, or switches it off and on. */
export async function changeEndpoint(
  ctx: Ctx,
  id: string,
  changes: EndpointChanges,
): Promise<EndpointShape> {
  const url =
    changes.url === undefined ? undefined : webhookAddress(changes.url, addressRules(ctx.config));
  return await change(ctx, id, "change", { ...changes, url });
}

/** Gives an endpoint a new signing secret. The old one signs too for a day, so that no event is refused meanwhile. */
export async function rotateSecret(
  ctx: Ctx,
  id: string,
): Promise<EndpointShape & { secret: string }> {
  const secret = newSecret();
  const sealed = await sealSecret(ctx.config, id, secret);
  return { ...(await change(ctx, id, "rotate", { secret: sealed })), secret };
}

/** Removes an endpoint; what was still to be sent to it is dropped. */
export async function deleteEndpoint(ctx: Ctx, id: string): Promise<EndpointShape> {
  return await change(ctx, id, "delete", { delete: true });
}

async function change(
  ctx: Ctx,
  id: string,
  verb: string,
  changes: Record<string, unknown>,
): Promise<EndpointShape> {
  const missing = () => notFound("Webhook address not found");
  const { userId } = actorOf(ctx);
  if (!z.uuid().safeParse(id).success) throw missing();
  const changed = await ctx.db.run(
    call(
      "topup_endpoint_change",
      {
        user_id: userId,
        id,
        changes,
        old_secret_hours: OLD_SECRET_HOURS,
        action: `topup.endpoint.${verb}`,
        audit: auditContext(ctx),
      },
      row.nullable(),
    ),
  );
  if (!changed) throw missing();
  return changed;
}
