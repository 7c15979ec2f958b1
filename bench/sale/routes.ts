import { createHash } from "node:crypto";
import { TWIN_KEYS } from "../../local/settings.ts";
import type { Aim, Shot } from "../load.ts";
import { PASSWORD, type Person, type Seeds } from "../seed.ts";
import type { Route } from "../sides.ts";

/** A courier's rate under the Worker's signature, and the district that it goes to. */
export interface Quote {
  id: string;
  areaId: string;
}

/** The hot routes of a sale. The n-th request of each differs, so that no row is hot by accident. */
export function saleRoutes(seeds: Seeds, quote: Quote): Route[] {
  const { buyers, store } = seeds;
  const buyer = (n: number) => pick(buyers, n);
  const api = (method: string, path: string, as: (n: number) => Person): Aim => {
    return (n) => ({ method, path, headers: headersOf(n, as(n)) });
  };
  return [
    { name: "GET  /api/buyer/products?search", goal: 1, aim: (n) => search(n) },
    {
      name: "GET  /api/seller/products",
      goal: 1,
      aim: api("GET", "/api/seller/products", () => seeds.seller),
    },
    { name: "GET  /api/buyer/cart", goal: 1, aim: api("GET", "/api/buyer/cart", buyer) },
    { name: "POST /api/buyer/cart", goal: 1, aim: (n) => fillCart(n, buyer(n), store.productIds) },
    { name: "GET  /api/buyer/orders/:id", goal: 1, aim: (n) => readOrder(n, seeds) },
    { name: "GET  /api/profile", goal: 1, aim: api("GET", "/api/profile", buyer) },
    { name: "GET  /api/wallet", goal: 1, aim: api("GET", "/api/wallet", buyer) },
    { name: "POST /api/auth/register", goal: 2, slow: true, aim: register },
    { name: "POST /api/auth/signin", goal: 2, slow: true, aim: (n) => signIn(n, buyer(n)) },
    { name: "POST /api/buyer/orders", goal: 1, aim: (n) => checkout(n, seeds, quote) },
    { name: "POST /api/webhooks/midtrans", goal: 0, aim: (n) => notice(n, seeds) },
    { name: "store page: home", goal: 0, aim: () => visit(store.slug, "/") },
    {
      name: "store page: product",
      goal: 0,
      aim: (n) => visit(store.slug, `/produk/${pick(store.productIds, n)}`),
    },
  ];
}

export function pick<T>(items: readonly T[], n: number): T {
  const item = items[n % items.length];
  if (item === undefined) throw new Error("the seeds are empty");
  return item;
}

/** The platform names the caller's address; each request comes from another one. */
export function headersOf(n: number, person?: Person): Record<string, string> {
  const address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  return {
    host: "localhost",
    "cf-connecting-ip": address,
    ...(person ? { authorization: `Bearer ${person.token}` } : {}),
  };
}

export const post = (n: number, path: string, body: unknown, person?: Person): Shot => ({
  method: "POST",
  path,
  headers: headersOf(n, person),
  body: JSON.stringify(body),
});

const WORDS = [
  "kopi",
  "batik tulis",
  "sambal pedas",
  "madu",
  "keripik",
  "gula asli",
  "lampu",
  "teh",
];

const search = (n: number): Shot => ({
  method: "GET",
  path: `/api/buyer/products?search=${encodeURIComponent(pick(WORDS, n))}`,
  headers: headersOf(n),
});

const fillCart = (n: number, buyer: Person, productIds: string[]): Shot =>
  post(n, "/api/buyer/cart", { product_id: pick(productIds, n % 8), quantity: 1 + (n % 5) }, buyer);

function readOrder(n: number, { orders, buyers }: Seeds): Shot {
  const order = pick(orders, n);
  const headers = headersOf(n, pick(buyers, order.buyer));
  return { method: "GET", path: `/api/buyer/orders/${order.id}`, headers };
}

function register(n: number): Shot {
  const email = `baru-${n}@bench.example`;
  const body = { email, password: PASSWORD, full_name: `Orang Baru ${n}`, role: "buyer" };
  return post(n, "/api/auth/register", body);
}

const signIn = (n: number, { email }: Person): Shot =>
  post(n, "/api/auth/signin", { email, password: PASSWORD });

function checkout(n: number, { buyers, store }: Seeds, quote: Quote): Shot {
  const lines = [n, n + 1].map((place) => pick(store.productIds, place)).sort();
  const body = {
    store_id: store.id,
    items: lines.map((product_id) => ({ product_id, quantity: 1 })),
    courier: quote.id,
    shipping_address: {
      name: "Pembeli Contoh",
      phone: "081298765432",
      street: "Jl. Tebet Raya No. 5, RT 02 RW 03",
      city: "Jakarta Selatan",
      province: "DKI Jakarta",
      postal_code: "12810",
      area_id: quote.areaId,
    },
  };
  return post(n, "/api/buyer/orders", body, pick(buyers, n));
}

function notice(n: number, { orders }: Seeds): Shot {
  const { providerRef, total } = pick(orders, n);
  const [code, amount] = ["201", `${total}.00`];
  const signature = createHash("sha512")
    .update(providerRef + code + amount + TWIN_KEYS.midtrans)
    .digest("hex");
  return post(n, "/api/webhooks/midtrans", {
    transaction_id: "0d8178e1-c6c7-4ab4-81a6-893be9d924ab",
    transaction_time: "2026-11-21 12:00:00",
    transaction_status: "pending",
    status_message: "midtrans payment notification",
    status_code: code,
    signature_key: signature,
    payment_type: "qris",
    order_id: providerRef,
    merchant_id: "G141532850",
    gross_amount: amount,
    fraud_status: "accept",
    currency: "IDR",
    acquirer: "gopay",
  });
}

const visit = (slug: string, path: string): Shot => ({
  method: "GET",
  path,
  headers: { host: `${slug}.localhost` },
});
