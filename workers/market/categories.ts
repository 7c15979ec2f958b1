import { sql } from "drizzle-orm";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { type Category, CategoryShape } from "./schemas/categories.ts";

const categoriesByName = rows(
  sql`select id, name, slug, icon_url, parent_id from market_categories order by name, id`,
  CategoryShape,
);

/** All categories by name. */
export async function listCategories(ctx: Ctx): Promise<Category[]> {
  return await ctx.db.run(categoriesByName);
}
