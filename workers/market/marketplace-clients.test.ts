import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type ListingInput,
  leafPaths,
  type MarketAttribute,
  type MarketplaceClient,
  marketplaceOf,
  PLATFORMS,
  type Platform,
  type ShopAuth,
} from "../../shared/providers/marketplace.ts";
import { marketFailureOf } from "../../shared/providers/testing/failures.ts";
import { jpegOf, listing } from "../../shared/providers/testing/marketplace.ts";
import { standIns, testContext } from "../testing/api.ts";
import { twin } from "../testing/orders.ts";

/** Client and twin are written apart, from the provider's facts: here they have to agree. */
const urlOf = (platform: Platform) => {
  const { shopee, lazada, tiktokShop } = standIns();
  return { shopee, lazada, tokopedia: tiktokShop }[platform];
};

const Authorised = z.object({
  shop_id: z.string(),
  code: z.string(),
  location: z.string().nullable(),
});
const Notice = z.object({ headers: z.record(z.string(), z.string()), body: z.string() });
const Bought = z.object({ id: z.string() });

const clientOf = (platform: Platform) =>
  marketplaceOf(testContext().providers.marketplaces, platform);

interface Shop {
  platform: Platform;
  client: MarketplaceClient;
  auth: ShopAuth;
  refreshToken: string;
  hand(path: string, body?: unknown, method?: string): Promise<unknown>;
}

/** A new shop whose seller has agreed. */
async function connect(platform: Platform): Promise<Shop> {
  const client = clientOf(platform);
  const hand = (path: string, body: unknown = {}, method = "POST") =>
    twin(urlOf(platform), path, body, method);
  const redirect_uri = "https://app.example/back";
  const given = Authorised.parse(await hand("/_authorise", { redirect_uri, state: "s1" }));
  const { tokens, shops } = await client.exchangeCode({ code: given.code, shopId: given.shop_id });
  expect(shops[0].shopId).toBe(given.shop_id);
  expect(tokens.accessExpiresAt.getTime()).toBeGreaterThan(Date.now() + 3_600_000);
  const { accessToken, refreshToken } = tokens;
  const { shopId, shopCipher } = shops[0];
  return { platform, client, auth: { accessToken, shopId, shopCipher }, refreshToken, hand };
}

const filled = (attribute: MarketAttribute) => ({
  id: attribute.id,
  ...(attribute.options[0] ? { optionIds: [attribute.options[0].id] } : { text: "Lokal" }),
});

/** A listing with all that the platform wants of its category. */
async function listingFor({ client, auth }: Shop): Promise<ListingInput> {
  const input = listing({ sku: `SKU-${crypto.randomUUID()}` });
  const [setup, suggested, image] = await Promise.all([
    client.getSetup(auth),
    client.suggestCategory(auth, input.name),
    client.uploadImage(auth, jpegOf(600, 600), "jpeg"),
  ]);
  const categoryId = z.string().parse(suggested);
  const leaves = leafPaths(await client.listCategories(auth));
  expect(leaves.map(({ id }) => id)).toContain(categoryId);
  const attributes = await client.listAttributes(auth, categoryId);
  const required = attributes.filter((attribute) => attribute.required);
  return { ...input, setup, categoryId, images: [image], attributes: required.map(filled) };
}

const around = () => ({
  since: new Date(Date.now() - 20 * 86_400_000),
  until: new Date(Date.now() + 60_000),
});

async function allOrders({ client, auth }: Shop) {
  const span = around();
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await client.listOrders(auth, { ...span, cursor });
    found.push(...page.orders.map(({ orderId }) => orderId));
    cursor = page.cursor;
  } while (cursor !== null);
  return found;
}

async function pushesOf({ client, hand }: Shop, subject: string) {
  const kept = z.array(Notice).parse(await hand(`/_notices?subject=${subject}`, {}, "GET"));
  return await Promise.all(
    kept.map(async ({ headers, body }) => {
      const authorization = new Headers(headers).get("authorization");
      return {
        authentic: await client.parsePush({ authorization, rawBody: body }),
        changed: await client.parsePush({ authorization, rawBody: `${body} ` }),
      };
    }),
  );
}

describe.each(PLATFORMS)("%s, client against twin", (platform) => {
  test("a seller agrees on the platform's own page and gives a code that is good once", async () => {
    const client = clientOf(platform);
    const page = await client.authoriseUrl({
      state: "s1",
      redirectUrl: "https://app.example/back",
    });
    expect((await fetch(page, { redirect: "manual" })).status).toBe(200);
    const given = Authorised.parse(await twin(urlOf(platform), "/_authorise", {}));
    const redeem = () => client.exchangeCode({ code: given.code, shopId: given.shop_id });
    await redeem();
    expect(await marketFailureOf(redeem())).toMatchObject({ fault: "rejected" });
  });

  test("a product is listed once, found by its SKU, priced, counted, changed and taken off", async () => {
    const shop = await connect(platform);
    const { client, auth } = shop;
    const input = await listingFor(shop);
    const { sku, setup } = input;
    expect(await client.findBySku(auth, sku)).toBeNull();
    const made = await client.createListing(auth, input);
    const { itemId, skuId } = made;
    const ref = { itemId, skuId, sku };
    const found = () => client.findBySku(auth, sku);
    expect(await found()).toMatchObject({ ...ref, priceIdr: 75_000, stock: 12 });

    const done = [{ sku, ok: true }];
    expect(await client.setPrices(auth, [{ ref, priceIdr: 81_500 }])).toEqual(done);
    expect(await client.setStocks(auth, [{ ref, stock: 5, setup }])).toEqual(done);
    expect(await found()).toMatchObject({ ...ref, priceIdr: 81_500, stock: 5 });

    const name = "Keripik Tempe Blitar Pedas 300 gram";
    await client.updateListing(auth, ref, { ...input, name, weightGram: 300 });
    expect(await found()).toMatchObject({ ...ref, priceIdr: 81_500, stock: 5 });
    expect(JSON.stringify(await shop.hand(`/_state?shop_id=${auth.shopId}`, {}, "GET"))).toContain(
      name,
    );

    expect(await client.setListed(auth, [ref], false)).toEqual(done);
    expect(await found()).toMatchObject({ status: "unlisted" });
    expect(await client.setListed(auth, [ref], true)).toEqual(done);
    expect(await found()).toMatchObject({ status: expect.not.stringMatching("unlisted") });
  });

  test("an order is pushed, listed and read, and its cancelling too", async () => {
    const shop = await connect(platform);
    const { client, auth, hand } = shop;
    const input = await listingFor(shop);
    const { itemId, skuId } = await client.createListing(auth, input);
    const wanted = { shop_id: auth.shopId, seller_sku: input.sku, quantity: 2, force: true };
    const { id } = Bought.parse(await hand("/_buy", wanted));

    const [first] = await pushesOf(shop, id);
    expect(first?.authentic).toMatchObject({
      shopId: auth.shopId,
      event: { kind: "order", orderId: id },
    });
    expect(first?.changed).toBeNull();
    expect(await allOrders(shop)).toContain(id);
    const [order] = await client.getOrders(auth, [id]);
    expect(order).toMatchObject({ orderId: id, status: "to_ship" });
    const lines = order?.lines ?? [];
    expect(lines.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(2);
    for (const line of lines) {
      expect(line).toMatchObject({ itemId, skuId, sku: input.sku, priceIdr: 75_000 });
    }

    await hand(`/_move/${id}`, { to: "cancelled" });
    expect(await client.getOrders(auth, [id])).toMatchObject([{ status: "cancelled" }]);
  });

  test("a token at its end is refreshed once, and a withdrawn one needs the seller", async () => {
    const shop = await connect(platform);
    const { client, auth, hand } = shop;
    const find = (accessToken: string) => client.findBySku({ ...auth, accessToken }, "NONE-1");
    await hand(`/_expire/${auth.shopId}`, { what: "access" });
    expect(await marketFailureOf(find(auth.accessToken))).toMatchObject({ fault: "token_expired" });
    const { shopId } = auth;
    const next = await client.refresh({ refreshToken: shop.refreshToken, shopId });
    expect(await find(next.accessToken)).toBeNull();
    await hand(`/_revoke/${shopId}`);
    const again = client.refresh({ refreshToken: next.refreshToken, shopId });
    expect(await marketFailureOf(again)).toMatchObject({ fault: "token_revoked" });
    expect((await marketFailureOf(find(next.accessToken))).fault).toMatch(/^token_/);
  });

  test("a lost answer leaves a creation in doubt, and the SKU tells that it was made", async () => {
    const shop = await connect(platform);
    const { client, auth, hand } = shop;
    const input = await listingFor(shop);
    await hand("/_dials", { match: auth.shopId, down: { value: true, acts: true } }, "PUT");
    const error = await marketFailureOf(client.createListing(auth, input));
    expect(error).toMatchObject({ fault: "unknown", outcome: "unknown" });
    await hand("/_dials", {}, "DELETE");
    expect(await client.findBySku(auth, input.sku)).toMatchObject({ sku: input.sku });
  });

  test("a storm of limits is told as such, with a time to wait", async () => {
    const shop = await connect(platform);
    const { client, auth, hand } = shop;
    await hand("/_dials", { match: auth.shopId, storm: true }, "PUT");
    // A write, which is not repeated by the client.
    const ref = { itemId: "1", skuId: "1", sku: "NONE-1" };
    const error = await marketFailureOf(client.setListed(auth, [ref], false));
    expect(error).toMatchObject({ fault: "rate_limited", outcome: "not_done" });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    await hand("/_dials", {}, "DELETE");
  });

  test("a tree with a circle in it still gives its other leaves", async () => {
    const shop = await connect(platform);
    const { client, auth, hand } = shop;
    await hand("/_dials", { match: auth.shopId, categoryCycle: true }, "PUT");
    const leaves = leafPaths(await client.listCategories(auth));
    expect(leaves.length).toBeGreaterThan(3);
    for (const { path } of leaves) expect(path.length).toBeLessThan(6);
    await hand("/_dials", {}, "DELETE");
  });
});

test("lazada: of a batch that is half refused, each part speaks for itself", async () => {
  const shop = await connect("lazada");
  const { client, auth, hand } = shop;
  const inputs = await Promise.all([listingFor(shop), listingFor(shop)]);
  const made = [];
  for (const input of inputs) made.push(await client.createListing(auth, input));
  await hand(
    "/_dials",
    { match: auth.shopId, halfBatch: { value: "4170: locked", count: 1 } },
    "PUT",
  );
  const changes = made.map((ref) => ({ ref, priceIdr: 90_000 }));
  const outcomes = await client.setPrices(auth, changes);
  await hand("/_dials", {}, "DELETE");
  expect(outcomes).toEqual(made.map(({ sku }) => ({ sku, ok: true })));
  for (const { sku } of made) {
    expect(await client.findBySku(auth, sku)).toMatchObject({ priceIdr: 90_000 });
  }
});
