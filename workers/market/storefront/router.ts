import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { loadConfig } from "../../../shared/config/config.ts";
import { clientOf } from "../../../shared/db/client.ts";
import { Database } from "../../../shared/db/database.ts";
import { call, type Statement } from "../../../shared/db/statement.ts";
import { createLog, describeError } from "../../../shared/log.ts";
import { Freshness } from "./freshness.ts";
import { Pictures } from "./pictures.ts";
import { Shelf, type ShelfPage, type ShelfQuery } from "./shelf.ts";
import {
  type Front,
  MAX_PRODUCTS,
  type ProductCard,
  type ShopProduct,
  Snapshot,
  type StoreFacts,
  standingOf,
} from "./snapshot.ts";

/** No visitor waits longer than this for a database that does not answer. */
const PATIENCE_MS = 3_000;

/** Why there is no page: the store has another name now, is closed, never was, or could not be read even once. */
export type NoStore =
  | { kind: "moved"; slug: string }
  | { kind: "closed" }
  | { kind: "unknown" }
  | { kind: "unavailable" };

export type Answer<T> = NoStore | ({ kind: "store"; store: StoreFacts } & T);

export interface HomeView extends ShelfPage {
  categories: Front["categories"];
  /** True when the store sells more than its pages can show. */
  more: boolean;
}

/**
 * One object a store slug: answers a store's public pages from its own storage, so that they need no database while
 * it is warm. A cache only: everything here can be read again. `freshness.ts` decides when.
 */
export class StoreRouter extends DurableObject<Env> {
  readonly #shelf: Shelf;
  readonly #freshness: Freshness<Snapshot>;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const shelf = new Shelf(state.storage);
    this.#shelf = shelf;
    void state.blockConcurrencyWhile(async () => shelf.open());
    this.#freshness = new Freshness<Snapshot>({
      now: () => Date.now(),
      load: (cause) =>
        this.#ask(
          cause,
          call(
            "market_storefront_snapshot",
            { slug: this.#slug, max_products: MAX_PRODUCTS },
            Snapshot,
          ),
        ),
      check: async (cause) => {
        const output = z.object({ state: z.string() });
        return (
          await this.#ask(cause, call("market_storefront_check", { slug: this.#slug }, output))
        ).state;
      },
      kept: () => this.#shelf.kept(),
      keep: (snapshot, at) => this.#shelf.keep(snapshot, at),
      confirm: (at) => this.#shelf.confirm(at),
      forget: () => this.#shelf.forget(),
      behind: (work) => state.waitUntil(work.catch(() => undefined)),
    });
  }

  /** The store itself, for pages that show no products of it. */
  async facts(requestId: string): Promise<Answer<object>> {
    return await this.#answer(requestId, () => ({}));
  }

  /** A page of the store's shelf. */
  async home(query: ShelfQuery, requestId: string): Promise<Answer<HomeView>> {
    return await this.#answer(requestId, ({ categories, more }, pictures) => {
      const page = this.#shelf.page(query);
      return { categories, more, ...page, products: pictures.cards(page.products) };
    });
  }

  /** One product and a few others; `product` is null when the store does not sell it. */
  async product(
    id: string,
    requestId: string,
  ): Promise<Answer<{ product: ShopProduct | null; neighbours: ProductCard[] }>> {
    return await this.#answer(requestId, (_, pictures) => {
      const product = this.#shelf.product(id);
      if (!product) return { product, neighbours: [] };
      const neighbours = pictures.cards(this.#shelf.neighbours(product));
      return { product: pictures.product(product), neighbours };
    });
  }

  /** Ids and dates of all products, for the site map. */
  async listing(
    requestId: string,
  ): Promise<Answer<{ products: { id: string; updated_at: string }[] }>> {
    return await this.#answer(requestId, () => ({ products: this.#shelf.listing() }));
  }

  /** Reads the store anew; called behind every write that its pages show. */
  async refresh(): Promise<void> {
    await this.#freshness.refresh(crypto.randomUUID());
  }

  async #answer<T extends object>(
    requestId: string,
    view: (front: Front, pictures: Pictures) => T,
  ): Promise<Answer<T>> {
    const outcome = await this.#freshness.ready(requestId);
    const kept = this.#shelf.kept();
    const front = this.#shelf.front();
    if (outcome !== "kept" || !kept || !front) {
      return { kind: outcome === "unknown" ? "unknown" : "unavailable" };
    }
    const standing = standingOf(kept.state);
    if (standing.kind !== "store") return standing;
    if (!front.store) return { kind: "unknown" };
    const pictures = new Pictures(loadConfig(this.env));
    return { kind: "store", store: pictures.store(front.store), ...view(front, pictures) };
  }

  /** Objects are named by their slug; nothing else addresses one. */
  get #slug(): string {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("a store's object was addressed without its slug");
    return name;
  }

  async #ask<T>(requestId: string, statement: Statement<T>): Promise<T> {
    const config = loadConfig(this.env);
    const database = new Database(
      clientOf({ databaseUrl: config.DATABASE_URL, databaseHttpUrl: config.DATABASE_HTTP_URL }),
      requestId,
      PATIENCE_MS,
    );
    try {
      return await database.run(statement);
    } catch (error) {
      createLog(requestId).warn("store not read", { slug: this.#slug, ...describeError(error) });
      throw error;
    }
  }
}
