import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { api } from "../../../testing/api.ts";
import { createProduct, createUser, unique } from "../../../testing/factories.ts";
import { order } from "../../../testing/orders.ts";
import { createShop, run } from "../../testing/catalogue.ts";
import { dataOf, titleOf, tripsOf, Visitor } from "../testing/visitor.ts";

const EVIL = `</script><script>alert(1)</script><img src=x onerror=alert(1)>"'&`;

async function shop() {
  const { store, seller } = await createShop();
  const product = await createProduct(store, { name: unique("Kopi "), price: 1_250_000 });
  return { store, seller, product, visitor: new Visitor(store) };
}

describe("a store's home", () => {
  it("shows its products with title, description, canonical address, Open Graph and JSON-LD", async () => {
    const { store, product, visitor } = await shop();
    await run(sql`update market_stores set name = 'Kopi Kelud', description = 'Kopi segar.', city = 'Blitar',
      logo_url = 'http://localhost:8787/uploads/products/1/a.jpg' where id = ${store.id}`);
    const page = await visitor.get("/");
    expect(page.status).toBe(200);
    expect(titleOf(page)).toBe("Kopi Kelud | Belanja online dari Blitar");
    expect(page.html).toMatch(/^<!doctype html><html lang="id">/);
    expect(page.html).toContain('name="description" content="Kopi segar."');
    expect(page.html).toContain(`rel="canonical" href="${visitor.origin}/"`);
    expect(page.html).toContain(`property="og:url" content="${visitor.origin}/"`);
    expect(page.html).toContain(
      'property="og:image" content="http://localhost:8787/uploads/products/1/a.jpg"',
    );
    expect(page.html).toContain(product.name);
    expect(page.html).toContain("Rp1.250.000");
    expect(dataOf(page)).toEqual([
      expect.objectContaining({ "@type": "Store", name: "Kopi Kelud", url: `${visitor.origin}/` }),
    ]);
  });

  it("needs no database once it is warm", async () => {
    const { visitor, product } = await shop();
    expect(await tripsOf(await visitor.get("/"))).toBe(1);
    expect(await tripsOf(await visitor.get("/"))).toBe(0);
    expect(await tripsOf(await visitor.get(`/produk/${product.id}`))).toBe(0);
    expect(await tripsOf(await visitor.get("/?q=kopi&halaman=2"))).toBe(0);
  });

  it("is the same for everybody, sets no cookie, and is not sent again while it is unchanged", async () => {
    const { visitor, store } = await shop();
    const page = await visitor.get("/");
    expect(page.headers.get("set-cookie")).toBeNull();
    expect(page.headers.get("cache-control")).toBe("public, max-age=0, must-revalidate");
    const etag = page.headers.get("etag") ?? "";
    expect((await new Visitor(store).get("/", { "if-none-match": etag })).status).toBe(304);
  });

  it("is shut to scripts, frames and styles that are not its own", async () => {
    const { visitor } = await shop();
    const { headers, html } = await visitor.get("/");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'sha256-[\w+/=]+'/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(html).not.toMatch(/\sstyle="|\son[a-z]+="/);
  });

  it("finds by words, filters by category and says when nothing fits", async () => {
    const { store, product, visitor } = await shop();
    await run(sql`update market_products set category_id = (select id from market_categories where slug = 'kesehatan')
      where id = ${product.id}`);
    await createProduct(store, { name: "Sabun Sereh" });
    const found = await visitor.get("/?q=SABUN");
    expect(found.html).toContain("Sabun Sereh");
    expect(found.html).not.toContain(product.name);
    expect(found.html).toContain('name="robots" content="noindex"');
    const filtered = await visitor.get("/?kategori=kesehatan");
    expect(filtered.html).toContain(product.name);
    expect(filtered.html).not.toContain("Sabun Sereh");
    expect((await visitor.get("/?q=tidakada")).html).toContain("Belum ketemu");
  });

  it.each(["?halaman=-1", "?halaman=x", "?halaman=99999999999", "?q=%00%ff", "?kategori=';--"])(
    "answers %s with a page",
    async (query) => {
      const { visitor } = await shop();
      expect((await visitor.get(`/${query}`)).status).toBe(200);
    },
  );
});

describe("a product's page", () => {
  it("shows what it is with Open Graph and an offer in JSON-LD", async () => {
    const { visitor, product, store } = await shop();
    await run(sql`insert into market_product_images (product_id, url, is_primary)
      values (${product.id}, 'http://localhost:8787/uploads/products/1/b.jpg', true)`);
    const page = await visitor.get(`/produk/${product.id}`);
    expect(page.status).toBe(200);
    expect(titleOf(page)).toBe(`${product.name} | Toko ${store.slug}`);
    expect(page.html).toContain(
      'property="og:image" content="http://localhost:8787/uploads/products/1/b.jpg"',
    );
    const [data, path] = dataOf(page);
    expect(data).toMatchObject({
      "@type": "Product",
      name: product.name,
      image: ["http://localhost:8787/uploads/products/1/b.jpg"],
      offers: {
        price: "1250000",
        priceCurrency: "IDR",
        availability: "https://schema.org/InStock",
        url: `${visitor.origin}/produk/${product.id}`,
      },
    });
    expect(path).toMatchObject({ "@type": "BreadcrumbList" });
  });

  it("counts its last five pieces, which each order tells it of, and claims no number before", async () => {
    const { store, seller } = await createShop();
    const [product, visitor] = [await createProduct(store, { stock: 8 }), new Visitor(store)];
    const buy = async (quantity: number) =>
      expect((await order(await createUser(), store, [[product, quantity]])).status).toBe(201);
    const stockShown = async () => {
      const [{ html }, home] = [await visitor.get(`/produk/${product.id}`), await visitor.get("/")];
      const words = /<p class="stock[^>]*>(?:<svg.*?<\/svg>)?(.*?)<\/p>/.exec(html)?.[1]?.trim();
      const most = / max="(\d+)"/.exec(html)?.[1];
      return [words, most, /<span class="badge">(.*?)</.exec(home.html)?.[1]];
    };
    expect(await stockShown()).toEqual(["Stok tersedia", "999", undefined]);
    await buy(2);
    expect(await stockShown()).toEqual(["Stok tersedia", "999", undefined]);
    for (const [bought, left] of [
      [1, 5],
      [2, 3],
    ] as const) {
      await buy(bought);
      await vi.waitFor(
        async () =>
          expect(await stockShown()).toEqual([`Tinggal ${left} lagi`, `${left}`, `Sisa ${left}`]),
        { interval: 5 },
      );
    }
    const restock = { method: "PUT", token: seller.token, json: { stock: 100 } };
    expect((await api(`/api/seller/products/${product.id}`, restock)).status).toBe(200);
    await vi.waitFor(async () =>
      expect(await stockShown()).toEqual(["Stok tersedia", "999", undefined]),
    );
  });

  it("says that it is sold out and offers no form", async () => {
    const { store, visitor } = await shop();
    const gone = await createProduct(store, { stock: 0 });
    const page = await visitor.get(`/produk/${gone.id}`);
    expect(page.html).toContain("Stok habis");
    expect(page.html).not.toContain('action="/keranjang"');
    expect(dataOf(page)[0]).toMatchObject({
      offers: { availability: "https://schema.org/OutOfStock" },
    });
  });

  it("shows a hostile name as letters, everywhere", async () => {
    const { store, visitor } = await shop();
    const evil = await createProduct(store, { name: EVIL });
    await run(sql`update market_products set description = ${EVIL} where id = ${evil.id}`);
    await run(
      sql`update market_stores set name = ${EVIL}, description = ${EVIL} where id = ${store.id}`,
    );
    for (const path of [
      "/",
      `/produk/${evil.id}`,
      `/?q=${encodeURIComponent(EVIL)}`,
      "/tidak-ada",
    ]) {
      const page = await visitor.get(path);
      expect(page.html).not.toContain("<script>alert");
      expect(page.html).not.toContain("<img src=x");
      expect(page.html.match(/<script/g)?.length).toBe(1 + dataOf(page).length);
    }
    expect(dataOf(await visitor.get(`/produk/${evil.id}`))[0]).toMatchObject({ name: EVIL });
  });

  it("is a clear 404 where there is none, or it is another store's", async () => {
    const { visitor } = await shop();
    const { product: other } = await shop();
    for (const id of [other.id, crypto.randomUUID(), "x", "'--"]) {
      const page = await visitor.get(`/produk/${encodeURIComponent(id)}`);
      expect(page.status).toBe(404);
      expect(page.html).toContain("Tidak ditemukan");
      expect(page.html).toContain("noindex");
    }
  });
});

describe("a host", () => {
  it("without a store is a clear 404 on every path and method", async () => {
    const visitor = new Visitor({ slug: unique("kosong") });
    const paths = "/ /produk/x /keranjang /checkout /pesanan /masuk /robots.txt /sitemap.xml /x";
    for (const path of paths.split(" ")) {
      expect([path, (await visitor.get(path)).status]).toEqual([path, 404]);
    }
    expect((await visitor.get("/")).html).toContain("Toko tidak ditemukan");
    expect((await visitor.post("/keranjang", { product_id: "x" })).status).toBe(404);
    expect((await visitor.post("/masuk", { identifier: "a@b.id", password: "x" })).status).toBe(
      404,
    );
  });

  it("of a suspended store is a clear 404 that shows nothing of it", async () => {
    const { store, product, visitor } = await shop();
    await run(sql`update market_stores set status = 'suspended' where id = ${store.id}`);
    for (const path of ["/", `/produk/${product.id}`]) {
      const page = await visitor.get(path);
      expect(page.status).toBe(404);
      expect(page.html).toContain("Toko sedang tutup");
      expect(page.html).not.toContain(product.name);
    }
  });

  it("with a store's old name leads for good to the same path of the new one", async () => {
    const { store, visitor } = await shop();
    const slug = unique("baru");
    await run(sql`with s as (update market_stores set slug = ${slug} where id = ${store.id} returning id)
      insert into market_store_slugs (slug, store_id) select ${slug}, id from s`);
    const page = await visitor.get("/produk/abc?x=1&y=a%20b");
    expect(page.status).toBe(301);
    expect(page.location).toBe(`http://${slug}.localhost:8787/produk/abc?x=1&y=a%20b`);
    expect(page.headers.get("cache-control")).toBe("public, max-age=60");
  });
});

describe("a store for machines", () => {
  it("tells robots where to look and where not", async () => {
    const { visitor } = await shop();
    const { html } = await visitor.get("/robots.txt");
    expect(html).toContain(`Sitemap: ${visitor.origin}/sitemap.xml`);
    expect(html).toContain("Disallow: /checkout");
  });

  it("lists its pages", async () => {
    const { visitor, product } = await shop();
    const { html, headers } = await visitor.get("/sitemap.xml");
    expect(headers.get("content-type")).toContain("application/xml");
    expect(html).toContain(`<loc>${visitor.origin}/produk/${product.id}</loc>`);
  });

  it("has an icon", async () => {
    const { visitor } = await shop();
    expect((await visitor.get("/favicon.ico")).headers.get("content-type")).toBe("image/svg+xml");
  });
});
