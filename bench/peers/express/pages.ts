import { Router } from "express";
import { query } from "./database.ts";

export const pageRoutes = Router();

const PICTURES = `(select json_agg(url order by sort_order) from market_product_images i
  where i.product_id = p.id) as pictures`;

/** What a server-rendered shop asks its database on every visit. */
pageRoutes.get("/", async (request, response) => {
  const store = await storeOf(request.headers.host);
  const products = await query(
    `select p.*, ${PICTURES} from market_products p
      where store_id = $1 and status = 'active' and deleted_at is null order by created_at desc limit 24`,
    [store.id],
  );
  const [{ total }] = await query(
    "select count(*) as total from market_products where store_id = $1 and status = 'active'",
    [store.id],
  );
  const categories = await query(
    `select c.name, c.slug, count(*) as count from market_products p
      join market_categories c on c.id = p.category_id
      where p.store_id = $1 and p.status = 'active' group by c.id order by c.name`,
    [store.id],
  );
  const links = categories.map(
    ({ slug, name }) => `<a href="/?kategori=${slug}">${safe(name)}</a>`,
  );
  response.send(
    page(store.name, `<nav>${links.join(" ")}</nav><p>${total} produk</p>${cards(products)}`),
  );
});

pageRoutes.get("/produk/:id", async (request, response) => {
  const store = await storeOf(request.headers.host);
  const [product] = await query(
    `select p.*, ${PICTURES} from market_products p where id = $1 and store_id = $2`,
    [request.params.id, store.id],
  );
  const others = await query(
    `select p.*, ${PICTURES} from market_products p where store_id = $1 and id <> $2
      and status = 'active' order by category_id = $3 desc, created_at desc limit 6`,
    [store.id, product.id, product.category_id],
  );
  const body = `<p>${safe(product.description)}</p><p>${rupiah(product.price)}</p>${cards(others)}`;
  response.send(page(product.name, body));
});

async function storeOf(host = "") {
  const [slug] = host.split(".");
  const [store] = await query("select * from market_stores where slug = $1", [slug]);
  return store;
}

interface Product {
  id: string;
  name: string;
  price: string;
  pictures: string[];
}

const rupiah = (price: string) => `Rp${Number(price).toLocaleString("id-ID")}`;

const safe = (text: string) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

const cards = (products: Product[]) =>
  `<ul>${products
    .map(
      ({ id, name, price, pictures }) =>
        `<li><a href="/produk/${id}"><img src="${safe(pictures[0] ?? "")}" alt="">${safe(name)}</a>
          ${rupiah(price)}</li>`,
    )
    .join("")}</ul>`;

const page = (title: string, body: string) =>
  `<!doctype html><html lang="id"><title>${safe(title)}</title><h1>${safe(title)}</h1>${body}</html>`;
