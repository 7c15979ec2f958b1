import { type SQL, sql } from "drizzle-orm";
import { expect } from "vitest";
import { z } from "zod";
import type { Role } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, type TestCall, testContext } from "../../testing/api.ts";
import { createStore, createUser, type TestStore, type TestUser } from "../../testing/factories.ts";

export interface TestShop {
  seller: TestUser;
  store: TestStore;
}

/** A seller with an open store. */
export async function createShop(): Promise<TestShop> {
  const seller = await createUser(["seller"]);
  return { seller, store: await createStore(seller) };
}

/** Runs one statement for a test's own rows, as nobody in particular. */
export async function run(query: SQL): Promise<void> {
  await testContext().db.run(rows(query, z.unknown()));
}

/** The version by which a storefront knows whether it is fresh. */
export async function versionOf(storeId: string): Promise<number> {
  const [found] = await testContext().db.run(
    rows(
      sql`select version::int as version from market_stores where id = ${storeId}`,
      z.object({ version: z.number() }),
    ),
  );
  if (!found) throw new Error("no such store");
  return found.version;
}

/** The address of a picture of this seller, as an upload would have answered it. */
export const imageUrl = (seller: TestUser, letter = "a") =>
  `http://localhost:8787/uploads/products/${seller.userId}/${letter.repeat(32)}.jpg`;

export const failure = (error: unknown, meta: unknown = expect.any(Object)) => ({
  data: null,
  error,
  meta,
});

/** Who may not call a route learns so in the market's envelope: nobody, a forged token, another role. */
export async function refusesStrangers(path: string, call: TestCall, role: Role): Promise<void> {
  const nobody = await api(path, call);
  expect([nobody.status, nobody.body]).toEqual([401, failure("Unauthorized", {})]);
  const forged = await api(path, { ...call, token: "a.b.c" });
  expect([forged.status, forged.body]).toEqual([401, failure("Unauthorized", {})]);
  const other = await createUser([role === "buyer" ? "seller" : "buyer"]);
  const wrongRole = await api(path, { ...call, token: other.token });
  expect([wrongRole.status, wrongRole.body]).toEqual([403, failure("Forbidden", {})]);
}
