import { get } from "node:http";
import { request, tryRequest, until } from "../http.ts";
import { check, rupiah, type Tell } from "../narrator.ts";
import { demoPhoto } from "./photo.ts";

export interface Person {
  email: string;
  token: string;
}
export interface Store {
  id: string;
  slug: string;
  name: string;
}
export interface Goods {
  id: string;
  name: string;
  price: number;
  stock: number;
  promo: string;
}

const PASSWORD = "wafero-rahasia-1";

/** Registers, or signs in where an earlier run has registered. */
export async function makeSeller(tell: Tell): Promise<Person> {
  const email = "penjual@wafero.example";
  const registered = await tryRequest(tell.app, "/api/auth/register", {
    method: "POST",
    json: { email, password: PASSWORD, full_name: "Penjual Wafero", role: "seller" },
  });
  const token = await signIn(tell, email, PASSWORD);
  tell.step(
    registered.status === 201 ? "Seller registered and signed in" : "Seller signed in again",
    email,
  );
  return { email, token };
}

export async function signIn(tell: Tell, email: string, password: string): Promise<string> {
  const { token } = await request<{ token: string }>(tell.app, "/api/auth/signin", {
    method: "POST",
    json: { email, password },
  });
  return token;
}

export async function openStore(tell: Tell, seller: Person): Promise<Store> {
  const [area] = await request<{ area_id: string; name: string }[]>(
    tell.app,
    "/api/buyer/areas?input=sananwetan",
  );
  if (!area) throw new Error("the courier twin knows no district Sananwetan");
  const store = await request<Store>(tell.app, "/api/seller/store", {
    method: "PUT",
    token: seller.token,
    json: {
      name: "Wafero Blitar",
      slug: "wafero",
      description: "Wafer renyah dari Blitar, dipanggang setiap pagi.",
      address: "Jl. Merdeka No. 12, Sananwetan",
      city: "Blitar",
      province: "Jawa Timur",
      phone: "081234567890",
      area_id: area.area_id,
    },
  });
  tell.step(`Store "${store.name}" is open`, storeUrl(tell, store.slug));
  return store;
}

export async function sellProduct(tell: Tell, seller: Person, store: Store): Promise<Goods> {
  const form = new FormData();
  form.set("file", new File([demoPhoto()], "wafer.png", { type: "image/png" }));
  const { url } = await request<{ url: string }>(tell.app, "/api/seller/uploads", {
    method: "POST",
    token: seller.token,
    form,
  });
  tell.step("Photo uploaded, checked and stripped of metadata", url);
  const categories = await request<{ id: string; slug: string }[]>(
    tell.app,
    "/api/buyer/categories",
  );
  const product = await request<Goods>(tell.app, "/api/seller/products", {
    method: "POST",
    token: seller.token,
    json: {
      name: `Wafer Cokelat ${new Date().toISOString().slice(11, 19)}`,
      description: "Renyah di luar, lumer di dalam. Isi 12.",
      price: 25_000,
      stock: 10,
      weight_gram: 350,
      category_id: categories.find(({ slug }) => slug.startsWith("makanan"))?.id ?? null,
      status: "active",
      images: [{ url, is_primary: true }],
    },
  });
  const promo = await makePromo(tell, seller);
  tell.step(
    `Product listed: ${product.name}, ${rupiah(product.price)}, 10 in stock; promo ${promo}`,
  );
  await seeStorefront(tell, store, product.name);
  return { ...product, promo };
}

async function makePromo(tell: Tell, seller: Person): Promise<string> {
  const code = `HEMAT${crypto.randomUUID().slice(0, 8)}`.toUpperCase();
  const now = Date.now();
  await request(tell.app, "/api/seller/promo", {
    method: "POST",
    token: seller.token,
    json: {
      code,
      type: "percentage",
      value: 10,
      max_uses: 5,
      starts_at: new Date(now - 60_000).toISOString(),
      ends_at: new Date(now + 86_400_000).toISOString(),
    },
  });
  return code;
}

async function seeStorefront(tell: Tell, store: Store, name: string): Promise<void> {
  const url = storeUrl(tell, store.slug);
  const { hostname, port } = new URL(url);
  // Node resolves no *.localhost by itself on every system; the Host header names the store all the same.
  const read = () =>
    new Promise<string>((resolve, reject) => {
      get(
        { host: "127.0.0.1", port, path: "/", headers: { host: `${hostname}:${port}` } },
        (res) => {
          let text = "";
          res.on("data", (chunk) => {
            text += chunk;
          });
          res.on("end", () => resolve(text));
        },
      ).on("error", reject);
    });
  await until("the storefront shows the product", read, (html) => html.includes(name), 65_000);
  tell.step("The store's page shows it", url);
}

export async function readStock(tell: Tell, seller: Person, goods: Goods): Promise<void> {
  const product = await request<Goods>(tell.app, `/api/seller/products/${goods.id}`, {
    token: seller.token,
  });
  if (product.stock !== goods.stock - 2) throw new Error(`stock is ${product.stock}, expected 8`);
  tell.step("Stock is down", `${goods.stock} -> ${product.stock}`);
}

interface Wallet {
  balance: number;
  entries: { amount: number; balance_after: number; reason: string }[];
}

/** What this one sale brought: the seller's other sales, of a demo beside this one too, move his balance as well. */
export async function readEarnings(
  tell: Tell,
  seller: Person,
  { number, sale }: { number: string; sale: number },
): Promise<void> {
  const wallet = await request<Wallet>(tell.app, "/api/wallet?limit=100", { token: seller.token });
  const earned = wallet.entries.filter(({ reason }) => reason === `Penjualan ${number}`);
  check(`entries for the sale of ${number}`, earned.length, 1);
  for (const { amount, balance_after: after } of earned) {
    check("what the sale brought less commission", amount, sale);
    const grown = `${rupiah(after - amount)} -> ${rupiah(after)}`;
    tell.step("Seller's balance has grown by the sale less commission", grown);
  }
}

export function storeUrl(tell: Tell, slug: string): string {
  const app = new URL(tell.app);
  return `${app.protocol}//${slug}.${tell.storeDomain}:${app.port}/`;
}
