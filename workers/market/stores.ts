import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { AppError, notFound, wrongField } from "../../shared/http/errors.ts";
import { storeJson } from "./catalogue-rows.ts";
import { ownImagePath } from "./images.ts";
import { type Store, type StoreChanges, StoreShape } from "./schemas/stores.ts";
import { isKnownArea } from "./shipping/areas.ts";
import { slugFromName, slugProblem } from "./slugs.ts";
import { refreshStorefront } from "./storefront/refresh.ts";

const ownStore = (ctx: Ctx) =>
  rows(
    sql`select ${storeJson(ctx)} as store from market_stores s where s.user_id = ${actorOf(ctx).userId} and s.deleted_at is null`,
    z.object({ store: StoreShape }),
  );

/** The actor's store, or null before the first save. */
export async function findOwnStore(ctx: Ctx): Promise<Store | null> {
  const [found] = await ctx.db.run(ownStore(ctx));
  return found?.store ?? null;
}

/** Whether the actor's store could take this slug; a slug that it has or had counts as free. */
export async function checkSlug(
  ctx: Ctx,
  slug: string,
): Promise<{ available: boolean; reason?: string }> {
  const problem = slugProblem(slug);
  const [found] = await ctx.db.run(
    rows(
      sql`select exists (
          select from market_store_slugs g join market_stores s on s.id = g.store_id
          where g.slug = ${problem ? "" : slug} and s.user_id <> ${actorOf(ctx).userId}) as taken`,
      z.object({ taken: z.boolean() }),
    ),
  );
  if (problem) return { available: false, reason: problem };
  return found?.taken ? { available: false, reason: "Slug sudah dipakai" } : { available: true };
}

const SaveResult = z.object({
  created: z.boolean(),
  slug: z.string(),
  previous_slug: z.string(),
});

/** Creates the actor's store at the first call, afterwards changes what is given. */
export async function saveStore(
  ctx: Ctx,
  changes: StoreChanges,
): Promise<{ created: boolean; store: Store }> {
  const { userId } = actorOf(ctx);
  const fields = withOwnImages(ctx, changes);
  if (fields.slug !== undefined) requireSlug(fields.slug);
  if (fields.area_id) await requireArea(ctx, fields.area_id);
  const suggested_slug = suggestedSlug(fields.name);
  const save = call("market_store_save", { user_id: userId, fields, suggested_slug }, SaveResult);
  const [saved, [found]] = await ctx.db.batch([save, ownStore(ctx)], {
    market_stores_slug_key: () => new AppError("conflict", "Slug sudah dipakai"),
  });
  if (!found) throw notFound("Store not found");
  refreshStorefront(ctx, saved.slug);
  if (saved.previous_slug !== saved.slug) refreshStorefront(ctx, saved.previous_slug);
  return { created: saved.created, store: found.store };
}

/** Taken only by a first save that names no slug. */
function suggestedSlug(name: string | undefined): string | null {
  const slug = slugFromName(name ?? "");
  return slugProblem(slug) === null ? slug : null;
}

function withOwnImages(ctx: Ctx, changes: StoreChanges): StoreChanges {
  const fields = { ...changes };
  for (const field of ["logo_url", "banner_url"] as const) {
    const url = fields[field];
    if (url) fields[field] = ownImagePath(ctx, url, field);
  }
  return fields;
}

function requireSlug(slug: string): void {
  const problem = slugProblem(slug);
  if (problem) throw wrongField("slug", problem);
}

/** The courier is asked about a new district only: other changes neither wait for it nor fail with it. */
async function requireArea(ctx: Ctx, areaId: string): Promise<void> {
  // Also checks the session: whose sign-in has ended learns that, and nothing about districts.
  if ((await findOwnStore(ctx))?.area_id === areaId) return;
  if (await isKnownArea(ctx, areaId)) return;
  throw wrongField("area_id", "Kecamatan ini tidak dikenal kurir. Pilih dari /api/buyer/areas.");
}
