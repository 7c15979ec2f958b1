import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../context.ts";
import { sha256Hex } from "../crypto/digest.ts";
import { rows } from "../db/statement.ts";

/**
 * What an `Idempotency-Key` was used for, as `http_claim` compares it: the same for two inputs that mean the same,
 * whatever the order of their keys.
 */
export function inputHash(input: unknown): Promise<string> {
  return sha256Hex(canonicalJson(input));
}

/** The actor's `Idempotency-Key` and what he used it for, as SQL functions give it to `http_claim`. */
export async function claimOf(ctx: Ctx, key: string | undefined, input: unknown) {
  return { user_id: actorOf(ctx).userId, key: key ?? null, input_hash: await inputHash(input) };
}

/** JSON with sorted keys; what JSON leaves out (undefined) is left out. */
function canonicalJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) => (isPlain(inner) ? sorted(inner) : inner)) ?? ""
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sorted(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** For the hourly cron: forgets claimed keys after a day and ended jobs after thirty. */
export async function purgeExpired(ctx: Ctx): Promise<void> {
  await ctx.db.batch([
    rows(
      sql`delete from http_idempotency_keys where created_at < now() - interval '24 hours'`,
      z.unknown(),
    ),
    rows(sql`delete from jobs where finished_at < now() - interval '30 days'`, z.unknown()),
  ]);
}
