import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { MarketplaceError, type Platform } from "../../../shared/providers/marketplace.ts";
import { Mapping, type MappingInput } from "../schemas/marketplace.ts";
import { ShopPausedError } from "./connections/pace.ts";
import { Shop } from "./connections/shop.ts";
import { RenewalBusyError, ShopClosedError } from "./connections/tokens.ts";
import { RemoteCategories } from "./listings/categories.ts";
import { pushSoon } from "./pushes.ts";

const own = (ctx: Ctx) => sql`market_connections c
  join market_stores s on s.id = c.store_id and s.deleted_at is null and s.user_id = ${actorOf(ctx).userId}`;

/** Where the actor's categories go, on all platforms. */
export async function listMappings(ctx: Ctx): Promise<z.output<typeof Mapping>[]> {
  return await ctx.db.run(
    rows(
      sql`select c.platform, m.category_id, k.name as category, m.remote_category_id,
          array_to_string(r.path, ' > ') as remote_category, m.brand, m.attributes, m.size_cm
        from ${own(ctx)} join market_category_mappings m on m.connection_id = c.id
        left join market_categories k on k.id = m.category_id
        left join market_remote_categories r on r.platform = c.platform and r.id = m.remote_category_id
        order by c.platform, k.name nulls first`,
      z.object({ ...Mapping.shape }),
    ),
  );
}

/** Settles where the products of one of our categories go. Listings of them follow by themselves. */
export async function saveMapping(ctx: Ctx, input: MappingInput): Promise<MappingInput> {
  const { platform, category_id: category, brand = null, size_cm: size = null } = input;
  const connection = await connectionOf(ctx, platform);
  await asked(ctx, connection.id, async (categories) => {
    if (await categories.pathOf(input.remote_category_id)) return;
    const words = "Kategori marketplace ini tidak ada, atau bukan kategori terdalam";
    throw new AppError("invalid_input", `remote_category_id: ${words}`);
  });
  const attributes = JSON.stringify(input.attributes);
  await ctx.db.batch(
    [
      rows(
        sql`insert into market_category_mappings (connection_id, category_id, remote_category_id, brand, attributes,
            size_cm)
          values (${connection.id}, ${category}, ${input.remote_category_id}, ${brand}, ${attributes}::jsonb,
            ${size && JSON.stringify(size)}::jsonb)
          on conflict on constraint market_category_mappings_key do update
            set remote_category_id = excluded.remote_category_id, brand = excluded.brand,
              attributes = excluded.attributes, size_cm = excluded.size_cm, updated_at = now()`,
        z.unknown(),
      ),
      rows(
        sql`select market_marketplace_touch((select array_agg(l.product_id)
          from market_listings l join market_products p on p.id = l.product_id
          where l.connection_id = ${connection.id} and p.category_id is not distinct from ${category}::uuid), null)`,
        z.unknown(),
      ),
    ],
    {
      market_category_mappings_category_id_market_categories_id_fk: () =>
        new AppError("invalid_input", "category_id: Kategori tidak ditemukan"),
    },
  );
  pushSoon(ctx, connection.store_id);
  return input;
}

/** Leaves of the platform's tree with these letters in their path. */
export async function searchCategories(ctx: Ctx, platform: Platform, words: string) {
  const connection = await connectionOf(ctx, platform);
  return await asked(ctx, connection.id, (categories) => categories.search(words));
}

/** What the platform wants to know about products of one of its categories. */
export async function listAttributes(ctx: Ctx, platform: Platform, categoryId: string) {
  const connection = await connectionOf(ctx, platform);
  return await asked(ctx, connection.id, (categories) => categories.attributesOf(categoryId));
}

async function connectionOf(ctx: Ctx, platform: Platform) {
  const [found] = await ctx.db.run(
    rows(
      sql`select c.id, c.store_id from ${own(ctx)} where c.platform = ${platform} and c.status = 'connected'`,
      z.object({ id: z.uuid(), store_id: z.uuid() }),
    ),
  );
  if (!found) throw new AppError("invalid_input", `${platform} belum terhubung`);
  return found;
}

/** Asks what is kept, or the platform where it is not; its failures become ours. */
async function asked<T>(
  ctx: Ctx,
  connectionId: string,
  ask: (categories: RemoteCategories) => Promise<T>,
): Promise<T> {
  try {
    return await ask(new RemoteCategories(ctx, await Shop.open(ctx, connectionId)));
  } catch (error) {
    if (error instanceof ShopClosedError) {
      throw new AppError("invalid_input", error.reason, { cause: error });
    }
    const isPlatforms = error instanceof MarketplaceError;
    if (isPlatforms && error.fault === "rejected") {
      throw new AppError("invalid_input", error.reason, { cause: error });
    }
    if (isPlatforms || error instanceof ShopPausedError || error instanceof RenewalBusyError) {
      const words = "Marketplace sedang tidak dapat dihubungi. Coba lagi sebentar lagi.";
      throw new AppError("provider_unavailable", words, { cause: error });
    }
    throw error;
  }
}
