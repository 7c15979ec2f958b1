import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { createProduct, createUser, unique } from "../../../testing/factories.ts";
import { createShop, run } from "../../testing/catalogue.ts";
import { formOf, Visitor } from "../testing/visitor.ts";
import { safeNext } from "../visit.ts";

const PASSWORD = "rahasia-sekali";

async function shop() {
  const { store } = await createShop();
  return { store, product: await createProduct(store), visitor: new Visitor(store) };
}

const registration = () => ({
  full_name: "Sari Wulandari",
  email: `${unique("sari")}@test.example`,
  phone: "",
  password: PASSWORD,
});

describe("a visitor who is not signed in", () => {
  it("is asked to sign in and then continues where he was", async () => {
    const { visitor } = await shop();
    for (const path of ["/keranjang", "/checkout", "/pesanan", "/pesanan?halaman=2"]) {
      const answer = await visitor.get(path);
      expect([answer.status, answer.location]).toEqual([
        303,
        `/masuk?next=${encodeURIComponent(path)}`,
      ]);
    }
  });

  it("who adds to the cart registers, and the product is in the cart", async () => {
    const { visitor, product } = await shop();
    const asked = await visitor.post("/keranjang", { product_id: product.id, quantity: "2" });
    expect(asked.location).toMatch(/^\/masuk\?/);
    const signIn = await visitor.get(asked.location ?? "");
    expect(signIn.html).toContain("langsung masuk keranjang");
    const link = /href="(\/daftar\?[^"]+)"/.exec(signIn.html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const form = formOf(await visitor.get(link), "/daftar");
    const done = await visitor.post("/daftar", { ...form, ...registration() });
    expect([done.status, done.location]).toEqual([303, "/keranjang"]);
    expect((await visitor.get("/keranjang")).html).toContain(product.name);
  });

  it("who adds more than there is is signed in and led to the product, which tells it once", async () => {
    const { store, visitor, product } = await shop();
    const { email, ...rest } = registration();
    const wish = { next: "/keranjang", product_id: product.id, quantity: "99" };
    const page = `/produk/${product.id}`;
    const registered = await visitor.post("/daftar", { email, ...rest, ...wish });
    const fresh = new Visitor(store);
    const entered = await fresh.post("/masuk", { identifier: email, password: PASSWORD, ...wish });
    for (const [who, done] of [
      [visitor, registered],
      [fresh, entered],
    ] as const) {
      expect([done.status, done.location]).toEqual([303, page]);
      const note = done.headers.getSetCookie().find((cookie) => cookie.includes(`Path=${page}`));
      expect(note).toContain("HttpOnly");
      const told = await who.get(page, { cookie: note?.split(";")[0] ?? "" });
      expect([told.status, told.headers.get("cache-control")]).toEqual([200, "private, no-store"]);
      expect(told.html).toContain("Stok tersisa 10");
      expect(told.html).toContain('value="99"');
      expect(told.headers.get("set-cookie")).toContain("Max-Age=0");
      expect((await who.get(page)).html).not.toContain("Stok tersisa 10");
      expect((await who.get("/keranjang")).status).toBe(200);
    }
  });

  it("is told nothing by a note that no page of ours wrote", async () => {
    const { visitor, product } = await shop();
    for (const note of ["x", "%", "%7B%22words%22%3A1%7D", ""]) {
      const answer = await visitor.get(`/produk/${product.id}`, { cookie: `lumbung_note=${note}` });
      expect([answer.status, answer.html.includes('role="alert"')]).toEqual([200, false]);
    }
  });
});

describe("signing in", () => {
  it("keeps the token in a cookie that scripts cannot read and other sites do not send", async () => {
    const { store, visitor } = await shop();
    const { email, ...rest } = registration();
    await visitor.post("/daftar", { email, ...rest });
    const fresh = new Visitor(store);
    const answer = await fresh.post("/masuk", {
      identifier: email,
      password: PASSWORD,
      next: "/pesanan",
    });
    expect([answer.status, answer.location]).toEqual([303, "/pesanan"]);
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toContain("HttpOnly");
    expect(cookie).toContain("SameSite=Lax");
    expect((await fresh.get("/pesanan")).html).toContain("Belum ada pesanan");
  });

  it("with a wrong password says so in place and keeps what was typed, but not the password", async () => {
    const { visitor } = await shop();
    const { email } = await createUser();
    const answer = await visitor.post("/masuk", { identifier: email, password: "salah-sekali" });
    expect(answer.status).toBe(401);
    expect(answer.html).toContain("Email atau password salah");
    expect(answer.html).toContain(`value="${email}"`);
    expect(answer.html).not.toContain("salah-sekali");
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  it("goes on only to a place on this host", async () => {
    const { store } = await shop();
    for (const next of [
      "https://jahat.example",
      "//jahat.example",
      "/\\jahat.example",
      "/..//jahat.example/x",
      "/%2e//jahat.example/x",
      "javascript:alert(1)",
    ]) {
      const visitor = new Visitor(store);
      const answer = await visitor.post("/daftar", { ...registration(), next });
      expect([next, answer.location]).toEqual([next, "/"]);
    }
  });

  it("ends with signing out, everywhere", async () => {
    const { store } = await shop();
    const buyer = await createUser();
    const visitor = new Visitor(store, buyer);
    expect((await visitor.get("/pesanan")).status).toBe(200);
    const out = await visitor.post("/keluar", {});
    expect([out.status, out.location]).toEqual([303, "/"]);
    expect(out.headers.get("set-cookie")).toContain("Max-Age=0");
    expect((await new Visitor(store, buyer).get("/pesanan")).location).toContain("/masuk");
  });

  it("that has ended elsewhere leads to signing in again, also in the middle of a form", async () => {
    const { store, product } = await shop();
    const buyer = await createUser();
    await run(sql`update identity_sessions set revoked_at = now() where id = ${buyer.sessionId}`);
    const visitor = new Visitor(store, buyer);
    const answer = await visitor.post("/keranjang/ubah", { product_id: product.id, ke: "1" });
    expect([answer.status, answer.location]).toEqual([303, "/masuk?next=%2Fkeranjang"]);
    expect(answer.headers.get("set-cookie")).toContain("Max-Age=0");
  });
});

describe("registering", () => {
  it("says at each field what is wrong and loses nothing that was typed", async () => {
    const { visitor } = await shop();
    const answer = await visitor.post("/daftar", {
      full_name: "S",
      email: "bukan email <b>",
      password: "123",
      phone: "abc",
    });
    expect(answer.status).toBe(400);
    for (const words of [
      "Nama minimal 2 karakter",
      "Format email tidak valid",
      "Password minimal 6 karakter",
      "Format nomor HP tidak valid",
    ]) {
      expect(answer.html).toContain(words);
    }
    expect(answer.html).toContain('value="bukan email &lt;b&gt;"');
    expect(answer.html).toContain('aria-invalid="true"');
  });

  it("with a known e-mail says so", async () => {
    const { visitor } = await shop();
    const { email } = await createUser();
    const answer = await visitor.post("/daftar", { ...registration(), email });
    expect(answer.status).toBe(400);
    expect(answer.html).toContain("Email sudah terdaftar");
  });
});

describe("a place to go on to", () => {
  const here = "http://wafero.localhost:8787/masuk";

  it.each([
    ["/keranjang", "/keranjang"],
    ["/pesanan?halaman=2", "/pesanan?halaman=2"],
    ["/a/../checkout", "/checkout"],
    [undefined, "/"],
    ["", "/"],
    ["keranjang", "/"],
    ["//jahat.example/x", "/"],
    ["/\t/jahat.example", "/"],
    ["/\\jahat.example", "/"],
    ["/..//jahat.example/x", "/"],
    ["/.//jahat.example/x", "/"],
    ["/a/..//jahat.example", "/"],
    ["/%2e%2E//jahat.example/x", "/"],
    ["/.%2e//jahat.example", "/"],
    ["/..///jahat.example", "/"],
    ["/..\\/jahat.example", "/"],
    ["/.\t.//jahat.example", "/"],
    ["/..\n//jahat.example", "/"],
    ["/%2fjahat.example", "/%2fjahat.example"],
    ["/%5cjahat.example", "/%5cjahat.example"],
    ["/a//jahat.example", "/a//jahat.example"],
    ["http://wafero.localhost:8787@jahat.example/", "/"],
  ])("%s is %s", (value, expected) => {
    expect(safeNext(value, here)).toBe(expected);
  });
});
