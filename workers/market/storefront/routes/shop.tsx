import { Hono } from "hono";
import { takeNote } from "../note.ts";
import { HomePage } from "../pages/home.tsx";
import { ProductPage } from "../pages/product.tsx";
import { notHere, respond, siteOf } from "../respond.tsx";
import { routerOf, type StorefrontEnv, storeOf, storeOrElsewhere } from "../visit.ts";

/** The pages that are the same for everybody: answered by the store's object, without the database. */
export const shopRoutes = new Hono<StorefrontEnv>();

const MAX_PAGE = 10_000;

shopRoutes.get("/", async (c) => {
  const query = {
    search: (c.req.query("q") ?? "").trim().slice(0, 100),
    category: c.req.query("kategori")?.slice(0, 100) || null,
    page: pageNumber(c.req.query("halaman")),
  };
  const view = storeOrElsewhere(await routerOf(c).home(query, c.var.ctx.requestId));
  const page = <HomePage site={siteOf(c, view.store)} view={view} query={query} />;
  return await respond(c, page, { shared: true });
});

shopRoutes.get("/produk/:id", async (c) => {
  const { requestId } = c.var.ctx;
  const view = storeOrElsewhere(await routerOf(c).product(c.req.param("id"), requestId));
  const { store, product, neighbours } = view;
  if (!product) return await notHere(c, store, "Produk ini tidak ada atau sudah tidak dijual.");
  const problem = takeNote(c);
  const page = (
    <ProductPage
      site={siteOf(c, store)}
      product={product}
      neighbours={neighbours}
      {...(problem ? { problem } : {})}
    />
  );
  return await respond(c, page, { shared: problem === null });
});

shopRoutes.get("/robots.txt", async (c) => {
  const site = siteOf(c, await storeOf(c));
  const closed = ["/keranjang", "/checkout", "/pesanan", "/masuk", "/daftar", "/keluar"];
  const lines = ["User-agent: *", ...closed.map((path) => `Disallow: ${path}`), ""];
  return c.text([...lines, `Sitemap: ${site.url("/sitemap.xml")}`, ""].join("\n"));
});

shopRoutes.get("/sitemap.xml", async (c) => {
  const view = storeOrElsewhere(await routerOf(c).listing(c.var.ctx.requestId));
  const site = siteOf(c, view.store);
  const entries = [
    `<url><loc>${site.url("/")}</loc></url>`,
    ...view.products.map(
      ({ id, updated_at }) =>
        `<url><loc>${site.url(`/produk/${id}`)}</loc><lastmod>${updated_at}</lastmod></url>`,
    ),
  ];
  return c.body(
    `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${entries.join("")}</urlset>\n`,
    200,
    { "content-type": "application/xml; charset=utf-8" },
  );
});

const FAVICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#7b4a12"/><g fill="#f0cf85" transform="translate(6 4) scale(.82)"><path d="M31 62V22h2v40z"/><path d="M31 30c-9 0-12-5-12-11 8 0 12 4 12 11zM31 41c-9 0-12-5-12-11 8 0 12 4 12 11zM31 52c-9 0-12-5-12-11 8 0 12 4 12 11zM33 30c9 0 12-5 12-11-8 0-12 4-12 11zM33 41c9 0 12-5 12-11-8 0-12 4-12 11zM33 52c9 0 12-5 12-11-8 0-12 4-12 11zM32 22c-5-4-5-11 0-17 5 6 5 13 0 17z"/></g></svg>`;

for (const path of ["/favicon.svg", "/favicon.ico"] as const) {
  shopRoutes.get(path, (c) =>
    c.body(FAVICON, 200, {
      "content-type": "image/svg+xml",
      "cache-control": "public, max-age=86400",
      "content-security-policy": "default-src 'none'; style-src 'none'; sandbox",
    }),
  );
}

/** A page number out of a query; anything that is none means the first. */
export function pageNumber(value: string | undefined): number {
  const number = Math.trunc(Number(value));
  return number >= 1 ? Math.min(number, MAX_PAGE) : 1;
}
