import { readFileSync } from "node:fs";
import { join } from "node:path";
import bcrypt from "bcryptjs";
import pg from "pg";
import { PRODUCTS, STORE } from "./goods.ts";
import { request } from "./http.ts";

export const DEMO_SIGN_INS = [
  { role: "buyer", email: "pembeli@lumbung.example", name: "Pembeli Contoh", roles: ["buyer"] },
  {
    role: "seller",
    email: "penjual@lumbung.example",
    name: "Penjual Contoh",
    roles: ["buyer", "seller"],
  },
  {
    role: "admin",
    email: "admin@lumbung.example",
    name: "Admin Contoh",
    roles: ["buyer", "admin"],
  },
  {
    role: "operator",
    email: "operator@lumbung.example",
    name: "Operator Contoh",
    roles: ["operator"],
  },
] as const;

export const DEMO_PASSWORD = "lumbung-demo";

/** Users that no route may make (admin, operator), and one buyer and seller with known passwords. Repeatable. */
export async function writeDemoUsers(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("select 1 from identity_users where email = $1", [
      DEMO_SIGN_INS[0].email,
    ]);
    const hash = rowCount ? "" : await bcrypt.hash(DEMO_PASSWORD, 10);
    for (const { email, name, roles } of rowCount ? [] : DEMO_SIGN_INS) {
      await client.query(
        "insert into identity_users (email, name, password_hash, roles) values ($1, $2, $3, $4) on conflict do nothing",
        [email, name, hash, roles],
      );
    }
    // The panel knows people by a short name as well.
    await client.query(
      "insert into panel_operators (user_id, username) select id, 'admin' from identity_users where email = $1 on conflict do nothing",
      [DEMO_SIGN_INS[3].email],
    );
  } finally {
    await client.end();
  }
}

/**
 * The demo seller's shop, opened through the API like anybody's. One that stands already is its owner's; only after a
 * start that was cut off (`isFirst` still) it gets the goods that are missing.
 */
export async function openDemoStore(app: string, isFirst: boolean): Promise<void> {
  const { token } = await request<{ token: string }>(app, "/api/auth/signin", {
    method: "POST",
    json: { email: "penjual@lumbung.example", password: DEMO_PASSWORD },
  });
  const stands = (await request<unknown>(app, "/api/seller/store", { token })) !== null;
  if (stands && !isFirst) return;
  if (!stands) await openStore(app, token);
  const path = "/api/seller/products?limit=100";
  const listed = new Set(
    (await request<{ name: string }[]>(app, path, { token })).map(({ name }) => name),
  );
  const categories = await request<{ id: string; slug: string }[]>(app, "/api/buyer/categories");
  for (const { picture, category, ...product } of PRODUCTS) {
    if (listed.has(product.name)) continue;
    const url = await upload(app, token, picture);
    const category_id = categories.find(({ slug }) => slug === category)?.id ?? null;
    const images = [{ url, is_primary: true }];
    await request(app, "/api/seller/products", {
      method: "POST",
      token,
      json: { ...product, category_id, images, status: "active" },
    });
  }
}

async function openStore(app: string, token: string): Promise<void> {
  const [area] = await request<{ area_id: string }[]>(app, "/api/buyer/areas?input=kepanjenkidul");
  const json = { ...STORE, area_id: area?.area_id };
  await request(app, "/api/seller/store", { method: "PUT", token, json });
}

async function upload(app: string, token: string, picture: string): Promise<string> {
  const bytes = readFileSync(join(import.meta.dirname, "pictures", picture));
  const form = new FormData();
  form.set("file", new File([bytes], picture, { type: "image/jpeg" }));
  const { url } = await request<{ url: string }>(app, "/api/seller/uploads", {
    method: "POST",
    token,
    form,
  });
  return url;
}
