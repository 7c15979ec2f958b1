import { z } from "zod";
import { actorOf, type Ctx } from "../../../../shared/context.ts";
import { call } from "../../../../shared/db/statement.ts";
import { describeError } from "../../../../shared/log.ts";

const Wanted = z.object({ level: z.string(), version: z.string() });
type Wanted = z.output<typeof Wanted>;

/**
 * `services`, as JSON that nobody here reads: tens of thousands, put together once for a price level and kept in the
 * bucket until the catalogue's version is another one. The version is asked each time, with the key's check, so no
 * price outlives its change.
 */
export async function listServices(ctx: Ctx): Promise<string | ReadableStream> {
  const wanted = await ctx.db.run(
    call("topup_panel_version", { user_id: actorOf(ctx).userId }, Wanted),
  );
  const kept = await findKept(ctx, wanted);
  if (kept) return kept;
  // As of now or of later than the version that was read: what is kept under it is never older.
  const { level, version } = wanted;
  const list = await ctx.db.run(call("topup_panel_services", { level }, z.string()));
  const keeping = {
    httpMetadata: { contentType: "application/json" },
    customMetadata: { version },
  };
  ctx.waitUntil(ctx.assets.put(keyOf(level), list, keeping));
  return list;
}

/** Private: the bucket's public addresses begin otherwise. */
const keyOf = (level: string) => `topup/panel-services/${level}.json`;

async function findKept(ctx: Ctx, { level, version }: Wanted): Promise<ReadableStream | null> {
  try {
    const kept = await ctx.assets.get(keyOf(level));
    if (kept?.customMetadata?.version === version) return kept.body;
    await kept?.body.cancel();
  } catch (error) {
    ctx.log.warn("kept list of services not read", describeError(error));
  }
  return null;
}
