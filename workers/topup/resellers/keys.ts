import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { notFound, wrongField } from "../../../shared/http/errors.ts";
import { type KeyChanges, type KeyShape, type NewKey, Scope } from "../schemas/resellers.ts";
import { makeKey } from "./key-text.ts";

const MAX_KEYS = 20;

const row = z
  .object({
    id: z.uuid(),
    name: z.string(),
    prefix: z.string(),
    scopes: z.array(Scope),
    addresses: z.array(z.string()),
    requests_per_minute: z.number(),
    daily_amount: z.number().nullable(),
    expires_at: z.coerce.date().nullable(),
    last_used_at: z.coerce.date().nullable(),
    revoked_at: z.coerce.date().nullable(),
    created_at: z.coerce.date(),
  })
  .transform(
    (key): KeyShape => ({
      id: key.id,
      name: key.name,
      prefix: key.prefix,
      scopes: key.scopes,
      addresses: key.addresses.map((address) =>
        address.replace(/^([\d.]+)\/32$|^(.*)\/128$/, "$1$2"),
      ),
      requestsPerMinute: key.requests_per_minute,
      dailyAmount: key.daily_amount,
      expiresAt: key.expires_at?.toISOString() ?? null,
      lastUsedAt: key.last_used_at?.toISOString() ?? null,
      revokedAt: key.revoked_at?.toISOString() ?? null,
      createdAt: key.created_at.toISOString(),
    }),
  );

/** Makes a key of the actor. Its text is in this answer and nowhere else. */
export async function createKey(ctx: Ctx, input: NewKey): Promise<KeyShape & { key: string }> {
  const { userId } = actorOf(ctx);
  mustLieAhead(ctx, input.expiresAt);
  const { key, id, prefix, hash } = await makeKey(userId, ctx.now());
  const made = await ctx.db.run(
    call(
      "topup_key_create",
      {
        id,
        user_id: userId,
        prefix,
        hash,
        ...columnsOf(input),
        max_keys: MAX_KEYS,
        audit: auditContext(ctx),
      },
      row,
    ),
  );
  return { ...made, key };
}

/** The actor's keys, newest first, revoked ones too. */
export async function listKeys(ctx: Ctx): Promise<KeyShape[]> {
  const found = await ctx.db.run(
    rows(
      sql`select topup_key_view(k) as key from topup_api_keys k where k.user_id = ${actorOf(ctx).userId}
        order by k.id desc limit 200`,
      z.object({ key: row }),
    ),
  );
  return found.map(({ key }) => key);
}

/** Changes what is given of the actor's key; its next request meets the change. */
export async function changeKey(ctx: Ctx, id: string, changes: KeyChanges): Promise<KeyShape> {
  mustLieAhead(ctx, changes.expiresAt);
  return await change(ctx, id, { changes: columnsOf(changes), revoke: false });
}

/** Ends the actor's key for good; a request that begins after this finds it gone. */
export async function revokeKey(ctx: Ctx, id: string): Promise<KeyShape> {
  return await change(ctx, id, { changes: {}, revoke: true });
}

async function change(ctx: Ctx, id: string, input: Record<string, unknown>): Promise<KeyShape> {
  if (!z.uuid().safeParse(id).success) throw keyNotFound();
  const user_id = actorOf(ctx).userId;
  const changed = await ctx.db.run(
    call("topup_key_change", { user_id, id, ...input, audit: auditContext(ctx) }, row.nullable()),
  );
  if (!changed) throw keyNotFound();
  return changed;
}

const keyNotFound = () => notFound("API key not found");

function mustLieAhead(ctx: Ctx, expiresAt: string | null | undefined): void {
  if (!expiresAt || new Date(expiresAt) > ctx.now()) return;
  throw wrongField("expiresAt", "Must be in the future");
}

/** Undefined fields fall out of the JSON, so the function sees only what is to change. */
const columnsOf = (input: KeyChanges) => ({
  name: input.name,
  scopes: input.scopes,
  addresses: input.addresses,
  requests_per_minute: input.requestsPerMinute,
  daily_amount: input.dailyAmount,
  expires_at: input.expiresAt,
});
