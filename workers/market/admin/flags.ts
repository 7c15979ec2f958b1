import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { pushSoon } from "../marketplaces/pushes.ts";
import { storeId, storeNotFound } from "../refusals.ts";
import type { FlagChanges, Flags } from "../schemas/admin.ts";
import { FEATURE_NAMES, FEATURES, type FeatureName } from "./features.ts";

const Stored = z.record(z.string(), z.boolean());

/** Every feature as it stands for a store. What is stored of a feature that is no more is left out. */
function shown(stored: z.output<typeof Stored>): Flags {
  const pairs = FEATURE_NAMES.map((flag) => [flag, stored[flag] ?? FEATURES[flag].standard]);
  return Object.fromEntries(pairs) as Record<FeatureName, boolean>;
}

export async function getFlags(ctx: Ctx, id: string): Promise<Flags> {
  const query = sql`select market_flags(s.id) as flags from market_stores s where s.id = ${storeId(id)}`;
  const [found] = await ctx.db.run(rows(query, z.object({ flags: Stored })));
  if (!found) throw storeNotFound();
  return shown(found.flags);
}

/** Sets the given features of a store; the others stay. What waited for the sync to be on is pushed at once. */
export async function setFlags(ctx: Ctx, id: string, flags: FlagChanges): Promise<Flags> {
  const input = {
    store_id: storeId(id),
    flags,
    actor_id: actorOf(ctx).userId,
    audit: auditContext(ctx),
  };
  const set = await ctx.db.run(call("market_flags_put", input, z.object({ flags: Stored })));
  if (flags.marketplace_sync) pushSoon(ctx, input.store_id);
  return shown(set.flags);
}
