import { describe, expect, it } from "vitest";
import { PHONE_JPEG, PHONE_PNG } from "../../../shared/files/image-samples.ts";
import { api, fetchWorker } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { createShop, failure, refusesStrangers } from "../testing/catalogue.ts";

const path = "/api/seller/uploads";

function form(
  bytes: string | Uint8Array<ArrayBuffer>,
  name = "foto.jpg",
  type = "image/jpeg",
  field = "file",
): FormData {
  const data = new FormData();
  data.set(field, new File([bytes], name, { type }));
  return data;
}

const upload = (user: TestUser, body: BodyInit) =>
  api(path, { method: "POST", token: user.token, body });

const textOf = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

describe("POST /api/seller/uploads", () => {
  it("is for sellers", async () => {
    await refusesStrangers(path, { method: "POST", body: "x" }, "seller");
  });

  it("keeps the picture under an address of its owner, served without EXIF", async () => {
    const seller = await createUser(["seller"]);
    expect(textOf(PHONE_JPEG)).toContain("Somebody");
    const { status, body } = await upload(seller, form(PHONE_JPEG));
    expect(status).toBe(201);
    const { url } = body.data;
    expect(url).toMatch(
      new RegExp(`^http://localhost:8787/uploads/products/${seller.userId}/[0-9a-f]{32}\\.jpg$`),
    );
    const served = await fetchWorker(url);
    expect([served.status, served.headers.get("content-type")]).toEqual([200, "image/jpeg"]);
    const bytes = new Uint8Array(await served.arrayBuffer());
    expect(textOf(bytes)).not.toMatch(/Somebody|Phonemaker|trailer-secret/);
  });

  it("can then stand on a product, of this seller only", async () => {
    const { seller } = await createShop();
    const { url } = (await upload(seller, form(PHONE_PNG, "a.png", "image/png"))).body.data;
    const add = (user: TestUser) =>
      api("/api/seller/products", {
        method: "POST",
        token: user.token,
        json: { name: "Kopi", price: 1000, images: [{ url }] },
      });
    expect((await add(seller)).body.data.product_images).toMatchObject([{ url, is_primary: true }]);
    expect((await add((await createShop()).seller)).status).toBe(400);
  });

  it("judges by the bytes: a zip, HTML or a script named .jpg is no picture", async () => {
    const seller = await createUser(["seller"]);
    const zip = new Uint8Array([0x50, 0x4b, 0x03, 0x04, ...new Array(200).fill(0)]);
    for (const bytes of [
      zip,
      "<html><script>alert(1)</script>",
      "<svg onload=alert(1)/>",
      "GIF89a",
    ]) {
      const { status, body } = await upload(seller, form(bytes));
      expect([status, body]).toEqual([415, failure("Berkas bukan gambar JPEG, PNG atau WebP", {})]);
    }
    const named = await upload(seller, form(PHONE_PNG, "virus.exe", "application/zip"));
    expect([named.status, named.body.data.url]).toEqual([201, expect.stringMatching(/\.png$/)]);
  });

  it("takes at most 5 MB", async () => {
    const seller = await createUser(["seller"]);
    for (const size of [5 * 1024 * 1024 + 1, 10 * 1024 * 1024]) {
      const { status, body } = await upload(seller, form(new Uint8Array(size)));
      expect([status, body]).toEqual([413, failure("Ukuran gambar maksimal 5 MB", {})]);
    }
  });

  it("says what is wrong with a form", async () => {
    const seller = await createUser(["seller"]);
    for (const body of [
      form(PHONE_JPEG, "a.jpg", "image/jpeg", "photo"),
      form(""),
      new FormData(),
      "x",
    ]) {
      const answer = await upload(seller, body);
      expect([answer.status, answer.body]).toEqual([400, failure(expect.any(String), {})]);
    }
  });
});
