import { readFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "../http.ts";
import type { Tell } from "../narrator.ts";
import { type Person, type Store, signIn } from "../sale/seller.ts";

const PASSWORD = "wayang-rahasia-1";
const AT_ONCE = 4;

export interface Item {
  id: string;
  name: string;
  price: number;
  stock: number;
}

export interface Goods {
  /** Products that can be listed everywhere. */
  fit: Item[];
  /** Products that something is missing of: on all marketplaces, or on Tokopedia alone. */
  unfit: Item[];
  tooShort: Item[];
}

/** A new seller with a new store: each run stands for itself. */
export async function openShop(tell: Tell): Promise<{ seller: Person; store: Store }> {
  const mark = Date.now().toString(36);
  const email = `penjual-${mark}@contoh.example`;
  await request(tell.app, "/api/auth/register", {
    method: "POST",
    json: { email, password: PASSWORD, full_name: "Penjual Topeng", role: "seller" },
  });
  const token = await signIn(tell, email, PASSWORD);
  const [area] = await request<{ area_id: string }[]>(
    tell.app,
    "/api/buyer/areas?input=sananwetan",
  );
  const store = await request<Store>(tell.app, "/api/seller/store", {
    method: "PUT",
    token,
    json: {
      name: `Topeng Panji ${mark}`,
      slug: `topeng-${mark}`,
      description: "Topeng dan kopi dari Blitar.",
      address: "Jl. Merdeka No. 12, Sananwetan",
      city: "Blitar",
      province: "Jawa Timur",
      phone: "081234567890",
      area_id: area?.area_id,
    },
  });
  tell.step(`Seller registered, store "${store.name}" is open`, email);
  return { seller: { email, token }, store };
}

interface Wish {
  count: number;
  name: (n: number) => string;
  category?: string;
  photo?: boolean;
}

const number = (n: number) => String(n).padStart(3, "0");

const WISHES: Record<"masks" | "coffee" | "crisps" | "bare" | "short", Wish> = {
  masks: { count: 160, name: (n) => `Topeng Kayu Panji Ukiran Tangan Blitar ${number(n)}` },
  coffee: {
    count: 25,
    name: (n) => `Kopi Robusta Lereng Kelud Sangrai Sedang ${number(n)}`,
    category: "makanan-minuman",
  },
  crisps: { count: 8, name: (n) => `Keripik Nangka Renyah Tanpa Gula ${number(n)}` },
  bare: { count: 4, name: (n) => `Topeng Kayu Panji Belum Difoto ${number(n)}`, photo: false },
  short: { count: 3, name: (n) => `Gerabah ${number(n)}` },
};

/** Two hundred products, 15 of which lack what a marketplace asks for. */
export async function fillShelf(tell: Tell, seller: Person): Promise<Goods> {
  const photo = await uploadPhoto(tell, seller);
  const categories = await request<{ id: string; slug: string }[]>(
    tell.app,
    "/api/buyer/categories",
  );
  const make = (wish: Wish) => {
    const category = categories.find(({ slug }) => slug === wish.category)?.id ?? null;
    const images = wish.photo === false ? [] : [{ url: photo, is_primary: true }];
    return makeAll(tell, seller, wish, { category_id: category, images });
  };
  const { masks, coffee, crisps, bare, short } = WISHES;
  const fit = [...(await make(masks)), ...(await make(coffee))];
  const unfit = [...(await make(crisps)), ...(await make(bare))];
  const goods = { fit, unfit, tooShort: await make(short) };
  const all = fit.length + unfit.length + goods.tooShort.length;
  tell.step(`${all} products on the shelf`, `${fit.length} of them fit for every marketplace`);
  return goods;
}

async function makeAll(
  tell: Tell,
  seller: Person,
  { count, name }: Wish,
  common: object,
): Promise<Item[]> {
  const made: Item[] = [];
  const waiting = Array.from({ length: count }, (_, index) => index + 1).values();
  const lane = async () => {
    for (const n of waiting) {
      const json = {
        ...common,
        name: name(n),
        description: "Buatan tangan perajin Blitar, dikemas aman dan dikirim setiap hari kerja.",
        price: 40_000 + n * 100,
        stock: 20 + (n % 30),
        weight_gram: 300,
        status: "active",
      };
      const call = { method: "POST", token: seller.token, json };
      made.push(await request<Item>(tell.app, "/api/seller/products", call));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return made;
}

/** A picture that every marketplace takes. */
export async function uploadPhoto(tell: Tell, seller: Person): Promise<string> {
  const bytes = readFileSync(join(import.meta.dirname, "..", "pictures", "cangkir.jpg"));
  const form = new FormData();
  form.set("file", new File([bytes], "topeng.jpg", { type: "image/jpeg" }));
  const call = { method: "POST", token: seller.token, form };
  return (await request<{ url: string }>(tell.app, "/api/seller/uploads", call)).url;
}
