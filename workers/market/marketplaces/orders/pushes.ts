import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { call, rows } from "../../../../shared/db/statement.ts";
import { AppError } from "../../../../shared/http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../../../../shared/inbox/inbox.ts";
import { wake, wakeSchema } from "../../../../shared/jobs/jobs.ts";
import { marketplaceOf, type Platform } from "../../../../shared/providers/marketplace.ts";
import { Shop } from "../connections/shop.ts";
import { ShopClosedError } from "../connections/tokens.ts";
import { seeListing } from "../listings/seen.ts";
import { takeOrders } from "./take.ts";

/** A grant that ends within this many days is told about. */
export const ENDING_DAYS = 7;

/** What the inbox keeps: what the push was read as while its signature was at hand, and its own text. */
const Kept = z.object({
  key: z.string(),
  shopId: z.string().nullable(),
  event: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("order"), orderId: z.string() }),
    z.object({ kind: z.literal("listing"), itemId: z.string() }),
    z.object({ kind: z.literal("deauthorised") }),
    z.object({ kind: z.literal("expiring"), shopIds: z.array(z.string()) }),
    z.object({ kind: z.literal("other"), code: z.string() }),
  ]),
  raw: z.string(),
});

const nameOf = (platform: Platform) => `marketplace/${platform}`;

/**
 * Takes a platform's push in: checked, put on the queue, and no further, because platforms wait half a second (Lazada)
 * to three. Throws `unauthenticated` for one that is not the platform's.
 */
export async function receivePush(
  ctx: Ctx,
  platform: Platform,
  given: { authorization: string | undefined; rawBody: string },
): Promise<void> {
  const client = marketplaceOf(ctx.providers.marketplaces, platform);
  const push = await client.parsePush(given);
  if (!push) throw new AppError("unauthenticated", "");
  // The console's test of the address may be anybody's: it is answered and forgotten.
  if (push.event.kind === "ping") return;
  ctx.log.info("marketplace push", { platform, kind: push.event.kind, key: push.signedWith });
  const { key, shopId, event } = push;
  const body = JSON.stringify({ key, shopId, event, raw: given.rawBody });
  await receiveNotice(ctx, { provider: nameOf(platform), body });
}

const read = (body: string) => Kept.parse(JSON.parse(body));

/** Applies pushes by asking the platform: a push is a hint, late, early or doubled. */
export const pushApplier = (platform: Platform): NoticeApplier => ({
  provider: nameOf(platform),
  eventKey: (_ctx, body) => read(body).key,
  async apply(ctx, body) {
    const { event, shopId } = read(body);
    switch (event.kind) {
      case "order":
        return await applyOrder(ctx, platform, shopId, event.orderId);
      case "deauthorised":
        return await applyEnd(ctx, platform, shopId);
      case "expiring":
        return await applyExpiring(ctx, platform, event.shopIds);
      case "listing":
        await seeListing(ctx, { platform, shopId, itemId: event.itemId });
        return "applied";
      case "other":
        return "applied";
      default:
        return event satisfies never;
    }
  },
});

async function applyOrder(ctx: Ctx, platform: Platform, shopId: string | null, orderId: string) {
  const [found] = await ctx.db.run(
    rows(
      sql`select id from market_connections
        where platform = ${platform} and shop_id = ${shopId} and status = 'connected'`,
      z.object({ id: z.uuid() }),
    ),
  );
  if (!found) return { parked: `no connected ${platform} shop of this id` };
  try {
    const shop = await Shop.open(ctx, found.id);
    const missing = await takeOrders(ctx, shop, [orderId]);
    return missing.length === 0 ? ("applied" as const) : { parked: `${platform} order not found` };
  } catch (error) {
    // The next poll after it is connected again finds the order.
    if (error instanceof ShopClosedError) return { parked: `${platform} shop is not connected` };
    throw error;
  }
}

/** Asked about, because it may be old news of a shop that was connected again since: a call that is refused breaks it. */
async function applyEnd(ctx: Ctx, platform: Platform, shopId: string | null) {
  const [found] = await ctx.db.run(
    rows(
      sql`select id from market_connections
        where platform = ${platform} and shop_id = ${shopId} and status = 'connected'`,
      z.object({ id: z.uuid() }),
    ),
  );
  if (!found || shopId === null) return "applied" as const;
  try {
    const shop = await Shop.open(ctx, found.id);
    await shop.call((auth) => shop.client.getSetup(auth));
  } catch (error) {
    // The platform says so itself, and the seller has been told.
    if (!(error instanceof ShopClosedError)) throw error;
  }
  return "applied" as const;
}

async function applyExpiring(ctx: Ctx, platform: Platform, shopIds: string[]) {
  const input = { platform, shop_ids: shopIds, within_days: ENDING_DAYS };
  await tellEnding(ctx, input);
  return "applied" as const;
}

export async function tellEnding(
  ctx: Ctx,
  input: { within_days: number; platform?: Platform; shop_ids?: string[] },
): Promise<void> {
  const told = await ctx.db.run(
    call("market_marketplace_ending", input, z.object({ wake: wakeSchema })),
  );
  wake(ctx, told.wake);
}
