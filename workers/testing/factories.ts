import { sql } from "drizzle-orm";
import { z } from "zod";
import { signToken } from "../../shared/auth/tokens.ts";
import type { Actor, Role } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { testContext } from "./api.ts";

export interface TestUser extends Actor {
  email: string;
  token: string;
}

/** A word that no other test has. */
export const unique = (prefix = "t") =>
  `${prefix}${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;

/** A user of its own with a live session and a token, made without the sign-in (and without bcrypt's time). */
export async function createUser(roles: Role[] = ["buyer"]): Promise<TestUser> {
  const [user] = await createUsers(1, roles);
  if (!user) throw new Error("no user was made");
  return user;
}

/** As many of them in one round trip. */
export async function createUsers(count: number, roles: Role[]): Promise<TestUser[]> {
  const ctx = testContext();
  const name = unique("u");
  const made = await ctx.db.run(
    rows(
      sql`with u as (
          insert into identity_users (email, name, password_hash, roles)
          select ${name} || n || '@test.example', 'Uji ' || ${name.slice(0, 6)}, 'x', ${`{${roles.join(",")}}`}::text[]
          from generate_series(1, ${count}::int) n returning id, email)
        , s as (insert into identity_sessions (user_id, expires_at)
          select id, now() + interval '7 days' from u returning id, user_id)
        select u.id::float8 as user_id, s.id as session_id, u.email from u join s on s.user_id = u.id`,
      z.object({ user_id: z.number(), session_id: z.string(), email: z.string() }),
    ),
  );
  return await Promise.all(
    made.map(async ({ user_id: userId, session_id: sessionId, email }) => {
      const actor: Actor = { userId, sessionId, roles };
      const token = await signToken(ctx.config, { ...actor, phone: null }, ctx.now());
      return { ...actor, email, token };
    }),
  );
}

export interface TestStore {
  id: string;
  slug: string;
}

/** A store that can sell: active, with an address that the courier twin knows. */
export async function createStore(seller: TestUser, areaId = "1001"): Promise<TestStore> {
  const slug = unique("toko");
  const [store] = await testContext().db.run(
    rows(
      sql`with s as (
          insert into market_stores (user_id, name, slug, phone, address, area_id)
          values (${seller.userId}, ${`Toko ${slug}`}, ${slug}, '081234567890', 'Jl. Merdeka No. 12, Blitar', ${areaId})
          returning id, slug)
        , n as (insert into market_store_slugs (slug, store_id) select slug, id from s)
        select id, slug from s`,
      z.object({ id: z.string(), slug: z.string() }),
    ),
  );
  if (!store) throw new Error("no store was made");
  return store;
}

export interface TestProduct {
  id: string;
  name: string;
  price: number;
  stock: number;
}

export async function createProduct(
  store: TestStore,
  fields: Partial<{
    name: string;
    price: number;
    stock: number;
    weightGram: number;
    status: string;
  }> = {},
): Promise<TestProduct> {
  const product = {
    name: unique("Produk "),
    price: 25_000,
    stock: 10,
    weightGram: 350,
    status: "active",
    ...fields,
  };
  const [made] = await testContext().db.run(
    rows(
      sql`insert into market_products (store_id, name, price, stock, weight_gram, status)
        values (${store.id}, ${product.name}, ${product.price}, ${product.stock}, ${product.weightGram}, ${product.status})
        returning id`,
      z.object({ id: z.string() }),
    ),
  );
  if (!made) throw new Error("no product was made");
  return { id: made.id, name: product.name, price: product.price, stock: product.stock };
}
