import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { rows } from "../../../../shared/db/statement.ts";
import { contradiction } from "../../../../shared/providers/marketplace/call.ts";
import {
  leafPaths,
  type MarketAttribute,
  type Platform,
} from "../../../../shared/providers/marketplace.ts";
import type { Shop } from "../connections/shop.ts";

const Attribute: z.ZodType<MarketAttribute> = z.object({
  id: z.string(),
  name: z.string(),
  required: z.boolean(),
  input: z.enum(["text", "number", "date", "one_of", "many_of"]),
  free: z.boolean(),
  options: z.array(z.object({ id: z.string(), name: z.string() })),
});

const Path = z.object({ id: z.string(), path: z.array(z.string()) });
const LEAVES_A_STATEMENT = 5_000;

/** A platform's categories as kept here: read anew once a day, through whichever shop needs them first. */
export class RemoteCategories {
  readonly #ctx: Ctx;
  readonly #shop: Shop;
  readonly #platform: Platform;
  #fresh: Promise<void> | null = null;
  readonly #paths = new Map<string, Promise<string[] | null>>();
  readonly #attributes = new Map<string, Promise<MarketAttribute[]>>();

  constructor(ctx: Ctx, shop: Shop) {
    this.#ctx = ctx;
    this.#shop = shop;
    this.#platform = shop.row.platform;
  }

  /** The names of a leaf from the root down, or null where it is none (any more). */
  pathOf(id: string): Promise<string[] | null> {
    const known = this.#paths.get(id) ?? this.#readPath(id);
    this.#paths.set(id, known);
    known.catch(() => this.#paths.delete(id));
    return known;
  }

  async #readPath(id: string): Promise<string[] | null> {
    await this.#refresh();
    const query = sql`select id, path from market_remote_categories
      where platform = ${this.#platform} and id = ${id}`;
    const [found] = await this.#ctx.db.run(rows(query, Path));
    return found?.path ?? null;
  }

  /** The only leaf of this very name, or null where there is none or a choice. */
  async leafNamed(name: string): Promise<string | null> {
    await this.#refresh();
    const query = sql`select id, path from market_remote_categories
      where platform = ${this.#platform} and lower(path[cardinality(path)]) = ${name.toLowerCase()} limit 2`;
    const found = await this.#ctx.db.run(rows(query, Path));
    return found.length === 1 ? (found[0]?.id ?? null) : null;
  }

  /** Leaves with these letters in their path. */
  async search(words: string): Promise<{ id: string; path: string[] }[]> {
    await this.#refresh();
    const pattern = `%${words.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
    const query = sql`select id, path from market_remote_categories
      where platform = ${this.#platform} and words like ${pattern} order by path limit 50`;
    return await this.#ctx.db.run(rows(query, Path));
  }

  attributesOf(id: string): Promise<MarketAttribute[]> {
    const known = this.#attributes.get(id) ?? this.#readAttributes(id);
    this.#attributes.set(id, known);
    known.catch(() => this.#attributes.delete(id));
    return known;
  }

  async #readAttributes(id: string): Promise<MarketAttribute[]> {
    await this.#refresh();
    const kept = sql`select attributes from market_remote_categories
      where platform = ${this.#platform} and id = ${id} and attributes_at > now() - interval '1 day'`;
    const [found] = await this.#ctx.db.run(
      rows(kept, z.object({ attributes: z.array(Attribute) })),
    );
    if (found) return found.attributes;
    const read = await this.#shop.call((auth) => this.#shop.client.listAttributes(auth, id));
    const keep = sql`update market_remote_categories set attributes = ${JSON.stringify(read)}::jsonb,
      attributes_at = now() where platform = ${this.#platform} and id = ${id}`;
    await this.#ctx.db.run(rows(keep, z.unknown()));
    return read;
  }

  #refresh(): Promise<void> {
    this.#fresh ??= this.#readTree();
    this.#fresh.catch(() => {
      this.#fresh = null;
    });
    return this.#fresh;
  }

  /** A cycle in the tree, or a branch without a root, costs its own leaves only: see `leafPaths`. */
  async #readTree(): Promise<void> {
    const kept = sql`select 1 as one from market_remote_trees
      where platform = ${this.#platform} and fetched_at > now() - interval '1 day'`;
    if ((await this.#ctx.db.run(rows(kept, z.unknown()))).length > 0) return;
    const tree = await this.#shop.call((auth) => this.#shop.client.listCategories(auth));
    const leaves = leafPaths(tree);
    // What is kept is better than an answer without a single leaf, which no platform means.
    if (leaves.length === 0) throw contradiction(this.#platform, "a category tree without leaves");
    for (let at = 0; at < leaves.length; at += LEAVES_A_STATEMENT) {
      await this.#ctx.db.run(keepLeaves(this.#platform, leaves.slice(at, at + LEAVES_A_STATEMENT)));
    }
    await this.#ctx.db.batch([
      rows(
        sql`delete from market_remote_categories where platform = ${this.#platform} and id <> all (
          select jsonb_array_elements_text(${JSON.stringify(leaves.map(({ id }) => id))}::jsonb))`,
        z.unknown(),
      ),
      rows(
        sql`insert into market_remote_trees (platform, fetched_at, leaves)
          values (${this.#platform}, now(), ${leaves.length})
          on conflict (platform) do update set fetched_at = now(), leaves = excluded.leaves`,
        z.unknown(),
      ),
    ]);
  }
}

const keepLeaves = (platform: Platform, leaves: { id: string; path: string[] }[]) =>
  rows(
    sql`insert into market_remote_categories (platform, id, path, words)
      select ${platform}, l.id, l.path, lower(array_to_string(l.path, ' > '))
      from jsonb_to_recordset(${JSON.stringify(leaves)}::jsonb) as l(id text, path text[])
      on conflict (platform, id) do update set path = excluded.path, words = excluded.words`,
    z.unknown(),
  );
