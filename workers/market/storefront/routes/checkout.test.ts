import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { testContext } from "../../../testing/api.ts";
import {
  createProduct,
  createUser,
  type TestProduct,
  type TestStore,
  type TestUser,
  unique,
} from "../../../testing/factories.ts";
import { searchAreas } from "../../shipping/areas.ts";
import { createShop, run } from "../../testing/catalogue.ts";
import { formOf, type Page, putInCart, tripsOf, Visitor } from "../testing/visitor.ts";

let store: TestStore;
let product: TestProduct;
let buyer: TestUser;
let visitor: Visitor;

beforeEach(async () => {
  store = (await createShop()).store;
  await run(
    sql`update market_stores set area_id = ${await areaId("sananwetan")} where id = ${store.id}`,
  );
  product = await createProduct(store, { stock: 10, price: 25_000 });
  buyer = await createUser();
  await putInCart(buyer, product, 2);
  visitor = new Visitor(store, buyer);
});

const ADDRESS = {
  name: "Sari & Wulan",
  phone: "0812-9876-5432",
  street: "Jl. Tebet Raya No. 5, RT 02 RW 03",
};

async function areaId(name: string): Promise<string> {
  const [area] = await searchAreas(testContext(), name);
  if (!area) throw new Error(`the courier twin knows no ${name}`);
  return area.area_id;
}

const press = (page: Page, aksi: string, typed: Record<string, string> = {}) =>
  visitor.post("/checkout", { ...formOf(page, "/checkout#lanjut"), ...typed, aksi });

/** The page with an address, a district and a courier chosen: one click before paying. */
async function readyToPay(typed: Record<string, string> = {}): Promise<Page> {
  const found = await press(await visitor.get("/checkout"), "cari", {
    ...ADDRESS,
    wilayah: "tebet",
    ...typed,
  });
  return found.html.includes('name="courier"')
    ? found
    : await press(found, "ongkir", { area: areaOf(found) });
}

const areaOf = ({ html }: Page) => /name="area" value="([^"]+)"/.exec(html)?.[1] ?? "";

async function ordersOf(user: TestUser) {
  return await testContext().db.run(
    rows(
      sql`select id, total_amount::float8 as total, discount_amount::float8 as discount, shipping_address as address
        from market_orders where buyer_id = ${user.userId}`,
      z.object({
        id: z.string(),
        total: z.number(),
        discount: z.number(),
        address: z.record(z.string(), z.string()),
      }),
    ),
  );
}

async function createPromo(percent: number, maxUses = 5): Promise<string> {
  const code = unique("P").toUpperCase().slice(0, 12);
  await run(sql`insert into market_promo_codes (store_id, created_by, code, type, value, max_uses, starts_at, ends_at)
    values (${store.id}, ${buyer.userId}, ${code}, 'percentage', ${percent}, ${maxUses},
      now() - interval '1 hour', now() + interval '1 hour')`);
  return code;
}

describe("the checkout page", () => {
  it("costs one round trip to show", async () => {
    await visitor.get("/");
    expect(await tripsOf(await visitor.get("/checkout"))).toBe(1);
  });

  it("sends an empty cart back", async () => {
    await run(sql`delete from market_cart_items where user_id = ${buyer.userId}`);
    expect((await visitor.get("/checkout")).location).toBe("/keranjang");
  });

  it("works in steps without scripts: district, courier, total, and keeps all that was typed", async () => {
    const page = await readyToPay();
    expect(page.status).toBe(200);
    expect(page.html).toContain('value="Sari &amp; Wulan"');
    expect(page.html).toContain("Tebet, Jakarta Selatan");
    const price = Number(/data-price="(\d+)"/.exec(page.html)?.[1]);
    expect(page.html).toContain(`Rp${(50_000 + price).toLocaleString("id-ID")}`);
    expect(page.html).toContain('value="bayar"');
  });

  it("says what a district search did not find", async () => {
    const page = await press(await visitor.get("/checkout"), "cari", { wilayah: "Atlantis" });
    expect(page.html).toContain("“Atlantis” tidak ditemukan");
    const short = await press(page, "cari", { wilayah: "te" });
    expect(short.html).toContain("paling sedikit 3 huruf");
  });

  it("suggests districts to its script, and only to somebody signed in", async () => {
    const areas = await visitor.get("/checkout/wilayah?q=tebet");
    expect(JSON.parse(areas.html)[0]).toMatchObject({ name: expect.stringContaining("Tebet") });
    expect(JSON.parse((await visitor.get("/checkout/wilayah?q=t")).html)).toEqual([]);
    expect((await new Visitor(store).get("/checkout/wilayah?q=tebet")).status).toBe(303);
  });

  it("fills in the address of the last order, with the couriers that go there", async () => {
    await press(await readyToPay(), "bayar");
    await putInCart(buyer, product);
    const { html } = await visitor.get("/checkout");
    expect(html).toMatch(/<input type="radio" name="courier" [^>]*checked/);
    expect(html).toContain(">Bayar<");
    expect(html).toContain('value="081298765432"');
    expect(html).toContain(ADDRESS.street);
    expect(html).toContain("Tebet, Jakarta Selatan");
  });
});

describe("a courier that does not answer", () => {
  it("keeps nobody from the page, whose last address stands there", async () => {
    await press(await readyToPay(), "bayar");
    await putInCart(buyer, product);
    await run(sql`update market_stores set area_id = '1' where id = ${store.id}`);
    const page = await visitor.get("/checkout");
    expect(page.status).toBe(200);
    expect(page.html).toContain(ADDRESS.street);
    expect(page.html).not.toContain('name="courier"');
  });

  it("is said in place, and the chosen district stays", async () => {
    await run(sql`update market_stores set area_id = '1' where id = ${store.id}`);
    const page = await readyToPay();
    expect(page.html).toContain("Kurir tidak melayani alamat ini");
    expect(page.html).toContain("Tebet, Jakarta Selatan");
    expect(page.html).toContain(ADDRESS.street);
  });
});

describe("paying", () => {
  it("places the order that the page showed and leads to its payment", async () => {
    const page = await readyToPay();
    const answer = await press(page, "bayar");
    expect(answer.status).toBe(303);
    const [order] = await ordersOf(buyer);
    expect(answer.location).toBe(`/pesanan/${order?.id}`);
    expect(order?.address).toMatchObject({
      name: "Sari & Wulan",
      phone: "081298765432",
      province: expect.stringContaining("Jakarta"),
    });
    expect(await tripsOf(answer)).toBeLessThanOrEqual(2);
  });

  it("twice, at once or later, is one order", async () => {
    const page = await readyToPay();
    const [first, second] = await Promise.all([press(page, "bayar"), press(page, "bayar")]);
    const third = await press(page, "bayar");
    expect(new Set([first.location, second.location, third.location]).size).toBe(1);
    expect(first.status).toBe(303);
    expect(await ordersOf(buyer)).toHaveLength(1);
  });

  it("again with other input does not place a second order unseen", async () => {
    const page = await readyToPay();
    await press(page, "bayar");
    await putInCart(buyer, product);
    const answer = await press(page, "bayar", { name: "Orang Lain" });
    expect(answer.status).toBe(409);
    expect(answer.html).toContain("sudah pernah dikirim");
    expect(await ordersOf(buyer)).toHaveLength(1);
  });

  it("does not happen at a price that the page did not show", async () => {
    const page = await readyToPay();
    await run(sql`update market_products set price = 40000 where id = ${product.id}`);
    const answer = await press(page, "bayar");
    expect(answer.status).toBe(409);
    expect(answer.html).toContain("Harga di keranjang Anda baru saja berubah");
    expect(answer.html).toContain("Rp80.000");
    expect(answer.html).toContain(ADDRESS.street);
    expect(await ordersOf(buyer)).toHaveLength(0);
    expect((await press(answer, "bayar")).status).toBe(303);
  });

  it("says in place that a product sold out, and loses nothing that was typed", async () => {
    const other = await createProduct(store);
    await putInCart(buyer, other);
    const page = await readyToPay();
    await run(sql`update market_products set reserved = stock where id = ${product.id}`);
    const answer = await press(page, "bayar");
    expect(answer.status).toBe(409);
    expect(answer.html).toContain("tidak mencukupi");
    expect(answer.html).toContain("1 produk di keranjang tidak dapat dipesan");
    expect(answer.html).toContain(ADDRESS.street);
    expect(await ordersOf(buyer)).toHaveLength(0);
  });

  it("says at each field what is missing", async () => {
    const page = await readyToPay();
    const answer = await press(page, "bayar", { name: "", phone: "12", street: "pendek" });
    expect(answer.status).toBe(400);
    for (const words of ["Tulis nama penerima", "diawali 08", "minimal 10 huruf"]) {
      expect(answer.html).toContain(words);
    }
    expect(answer.html).toContain('name="courier"');
    expect(await ordersOf(buyer)).toHaveLength(0);
  });

  it("refuses a courier price that somebody made up, and shows the true ones", async () => {
    const page = await readyToPay();
    const answer = await press(page, "bayar", { courier: "eyJwcmljZUlkciI6MX0.AAAA" });
    expect(answer.status).toBe(400);
    expect(answer.html).toContain('data-price="');
    expect(await ordersOf(buyer)).toHaveLength(0);
  });

  it("for another district than the one that was quoted asks for the rates again", async () => {
    const page = await readyToPay();
    const answer = await press(page, "bayar", {
      area: `${await areaId("menteng")}|Menteng, Jakarta Pusat, DKI Jakarta`,
    });
    expect(answer.status).toBe(409);
    expect(answer.html).toContain("hitung ulang ongkos kirim");
    expect((await press(answer, "bayar")).status).toBe(303);
  });
});

describe("a promo code", () => {
  it("is counted before paying, and the order costs exactly that", async () => {
    const code = await createPromo(10);
    const page = await press(await readyToPay(), "promo", { promo: code.toLowerCase() });
    expect(page.html).toContain("−Rp5.000");
    expect((await press(page, "bayar")).status).toBe(303);
    const [order] = await ordersOf(buyer);
    expect(order?.discount).toBe(5_000);
  });

  it("that was typed but not counted is counted first, so that the buyer sees the total he pays", async () => {
    const code = await createPromo(10);
    const page = await press(await readyToPay(), "bayar", { promo: code });
    expect(page.status).toBe(409);
    expect(page.html).toContain("−Rp5.000");
    expect(await ordersOf(buyer)).toHaveLength(0);
    expect((await press(page, "bayar")).status).toBe(303);
  });

  it("that is refused says why, at its field, and can be taken away again", async () => {
    const page = await press(await readyToPay(), "promo", { promo: "NGAWUR" });
    expect(page.html).toContain("Kode promo tidak berlaku di toko ini");
    expect((await press(page, "bayar")).html).toContain("Kode promo tidak berlaku di toko ini");
    expect((await press(page, "bayar", { promo: "" })).status).toBe(303);
  });

  it("whose last use was taken meanwhile is refused in place", async () => {
    const code = await createPromo(10, 1);
    const page = await press(await readyToPay(), "promo", { promo: code });
    await run(sql`update market_promo_codes set used_count = 1 where code = ${code}`);
    const answer = await press(page, "bayar");
    expect(answer.status).toBe(400);
    expect(answer.html).toContain("sudah habis digunakan");
    expect(await ordersOf(buyer)).toHaveLength(0);
  });

  it("that is worth less than the page showed does not pass unseen", async () => {
    const code = await createPromo(50);
    const page = await press(await readyToPay(), "promo", { promo: code });
    await run(sql`update market_promo_codes set value = 1 where code = ${code}`);
    const answer = await press(page, "bayar");
    expect(answer.status).toBe(409);
    expect(answer.html).toContain("Potongan promo baru saja berubah");
    expect(await ordersOf(buyer)).toHaveLength(0);
  });
});
