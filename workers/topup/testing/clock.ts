import { clientOf } from "../../../shared/db/client.ts";
import { Database } from "../../../shared/db/database.ts";
import type { ConstraintErrors } from "../../../shared/db/errors.ts";
import type { Statement } from "../../../shared/db/statement.ts";
import { ring } from "../../background.ts";
import { type BenchOptions, bench } from "./bench.ts";

/** Crons as wrangler.toml has them. */
export const EVERY_MINUTE = "* * * * *";
export const EVERY_HOUR = "17 * * * *";

/**
 * Rings the Worker's own cron so much later, for this domain alone: what other domains left in the database is none of
 * these tests' business, so their chores fail, each alone.
 */
export async function ringFor(cron: string, options: BenchOptions = {}): Promise<void> {
  const { ctx, settle } = bench({ timeoutMs: 3_000, ...options });
  const { DATABASE_URL: databaseUrl, DATABASE_HTTP_URL: databaseHttpUrl } = ctx.config;
  const db = new TopupDatabase(clientOf({ databaseUrl, databaseHttpUrl }), ctx.requestId);
  await ring({ ...ctx, db }, cron);
  await settle();
}

/** Postgres, of which only what names a top-up can be reached. */
class TopupDatabase extends Database {
  override async batch<const Q extends readonly Statement<unknown>[]>(
    queries: Q,
    constraints?: ConstraintErrors,
  ) {
    if (!queries.some(({ sql }) => sql.includes("topup_"))) throw new Error("another domain's");
    return await super.batch(queries, constraints);
  }
}
