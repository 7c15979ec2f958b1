import type { Kept } from "./freshness.ts";
import {
  cardOf,
  Front,
  frontOf,
  ProductCard,
  ShopProduct,
  type Snapshot,
  searchable,
  searchWords,
} from "./snapshot.ts";

export const PER_PAGE = 24;
const NEIGHBOURS = 6;

/** Grows when the kept JSON changes its shape: what an older Worker kept is then read anew. */
const SHAPE = 1;

/** Numbered by their place; append only. */
const MIGRATIONS = [
  `create table front (one integer primary key check (one = 1), shape integer not null, state text not null,
     data text not null, loaded_at integer not null, checked_at integer not null);
   create table products (id text primary key, stocked integer not null, created_at text not null, category text,
     words text not null, card text not null, data text not null) without rowid;
   create index products_order on products (stocked desc, created_at desc, id desc)`,
];

const VERSION_TABLE = "create table if not exists schema_version (version integer not null)";

export interface ShelfQuery {
  search: string;
  category: string | null;
  page: number;
}

export interface ShelfPage {
  products: ProductCard[];
  total: number;
  page: number;
  pages: number;
}

/** A store's snapshot in its object's SQLite: one row about the store, one a product. */
export class Shelf {
  readonly #storage: DurableObjectStorage;
  #made = false;
  #front: { kept: Kept; front: Front } | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Brings existing tables up to date. A slug that nobody owns gets none, so that guessing names stores nothing. */
  open(): void {
    this.#made = this.#sql("select 1 from sqlite_master where name = 'schema_version'").length > 0;
    if (this.#made) this.#migrate();
  }

  kept(): Kept | null {
    return this.#load()?.kept ?? null;
  }

  front(): Front | null {
    return this.#load()?.front ?? null;
  }

  /** Replaces what is kept; rows that did not change are not written. */
  keep(snapshot: Snapshot, at: number): void {
    this.#storage.transactionSync(() => {
      this.#migrate();
      for (const product of snapshot.products) this.#put(product);
      this.#sql(
        "delete from products where id not in (select value from json_each(?))",
        JSON.stringify(snapshot.products.map((product) => product.id)),
      );
      this.#sql(
        `insert or replace into front (one, shape, state, data, loaded_at, checked_at) values (1, ?, ?, ?, ?, ?)`,
        SHAPE,
        snapshot.state,
        JSON.stringify(frontOf(snapshot)),
        at,
        at,
      );
    });
    this.#made = true;
    this.#front = null;
  }

  confirm(at: number): void {
    this.#sql("update front set checked_at = ?", at);
    this.#front = null;
  }

  forget(): void {
    if (!this.#made) return;
    this.#storage.transactionSync(() => {
      this.#sql("delete from products");
      this.#sql("delete from front");
    });
    this.#front = null;
  }

  /** A page of cards: what can be bought first, then the newest. A page too far is the last one. */
  page({ search, category, page }: ShelfQuery): ShelfPage {
    const words = searchWords(search);
    const conditions = [
      ...words.map(() => "instr(words, ?) > 0"),
      ...(category === null ? [] : ["category = ?"]),
    ];
    const where = conditions.length > 0 ? `where ${conditions.join(" and ")}` : "";
    const values = [...words, ...(category === null ? [] : [category])];
    const total =
      conditions.length === 0
        ? (this.front()?.total ?? 0)
        : Number(this.#sql(`select count(*) as n from products ${where}`, ...values)[0]?.n ?? 0);
    const pages = Math.max(1, Math.ceil(total / PER_PAGE));
    const shown = Math.min(page, pages);
    const rows = this.#sql(
      `select card from products ${where} order by stocked desc, created_at desc, id desc limit ? offset ?`,
      ...values,
      PER_PAGE,
      (shown - 1) * PER_PAGE,
    );
    return { products: rows.map(readCard), total, page: shown, pages };
  }

  product(id: string): ShopProduct | null {
    const [row] = this.#sql("select data from products where id = ?", id);
    return row ? ShopProduct.parse(JSON.parse(String(row.data))) : null;
  }

  /** A few others, of the same category first. */
  neighbours(product: ShopProduct): ProductCard[] {
    return this.#sql(
      `select card from products where id <> ? and stocked = 1
        order by category is ? desc, created_at desc, id desc limit ?`,
      product.id,
      product.category?.slug ?? null,
      NEIGHBOURS,
    ).map(readCard);
  }

  /** Ids and dates of all products, for the site map. */
  listing(): { id: string; updated_at: string }[] {
    return this.#sql(
      "select id, json_extract(data, '$.updated_at') as updated_at from products order by created_at desc, id desc",
    ).map((row) => ({ id: String(row.id), updated_at: String(row.updated_at) }));
  }

  #put(product: ShopProduct): void {
    this.#sql(
      `insert into products (id, stocked, created_at, category, words, card, data) values (?, ?, ?, ?, ?, ?, ?)
        on conflict (id) do update set stocked = excluded.stocked, category = excluded.category,
          words = excluded.words, card = excluded.card, data = excluded.data
        where data <> excluded.data`,
      product.id,
      product.stock > 0 ? 1 : 0,
      product.created_at,
      product.category?.slug ?? null,
      searchable(`${product.name} ${product.category?.name ?? ""}`),
      JSON.stringify(cardOf(product)),
      JSON.stringify(product),
    );
  }

  #load(): { kept: Kept; front: Front } | null {
    if (this.#front || !this.#made) return this.#front;
    const [row] = this.#sql("select * from front where shape = ?", SHAPE);
    if (!row) return null;
    this.#front = {
      kept: {
        state: String(row.state),
        loadedAt: Number(row.loaded_at),
        checkedAt: Number(row.checked_at),
      },
      front: Front.parse(JSON.parse(String(row.data))),
    };
    return this.#front;
  }

  #migrate(): void {
    this.#sql(VERSION_TABLE);
    const done = Number(this.#sql("select max(version) as v from schema_version")[0]?.v ?? 0);
    for (const [index, script] of MIGRATIONS.entries()) {
      if (index < done) continue;
      this.#sql(script);
      this.#sql("insert into schema_version (version) values (?)", index + 1);
    }
  }

  #sql(query: string, ...values: SqlStorageValue[]): Record<string, SqlStorageValue>[] {
    return this.#storage.sql.exec(query, ...values).toArray();
  }
}

const readCard = (row: Record<string, SqlStorageValue>): ProductCard =>
  ProductCard.parse(JSON.parse(String(row.card)));
