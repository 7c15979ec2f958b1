import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { readImage } from "../../../shared/files/image.ts";
import { LOSSY_WEBP, PHONE_PNG, patched } from "../../../shared/files/image-samples.ts";
import { createProduct } from "../../testing/factories.ts";
import { pictureKey, picturePath } from "../images.ts";
import { png as pngOf } from "../photos/testing/photo-bench.ts";
import { captionProblem, fitPicture } from "./fitting.ts";
import { readMoment } from "./moment.ts";
import { draftPost, editPost, publishNow } from "./posts.ts";
import { addJpeg, addPicture, connectedDesk, openDesk, run } from "./testing/post-bench.ts";

const refusal = (words: string) =>
  expect.objectContaining({ code: "invalid_input", message: expect.stringContaining(words) });

describe("a caption", () => {
  it("has 2,200 characters at most, however many bytes they take, and the product's link among them", async () => {
    expect(captionProblem("🌾".repeat(2_200))).toBeNull();
    expect(captionProblem("🌾".repeat(2_201))).toContain("2201 dari 2200");
    const { ctx, store } = await openDesk();
    const product = await createProduct(store);
    const caption = "x".repeat(2_200);
    expect(await draftPost(ctx, { caption })).toMatchObject({ caption, state: "draft" });
    await expect(draftPost(ctx, { caption, productId: product.id })).rejects.toEqual(
      refusal("caption: Keterangan"),
    );
  });

  it("has 30 hashtags and 20 mentions at most", () => {
    const many = (word: string, times: number) =>
      Array.from({ length: times }, (_, i) => `${word}${i}`).join(" ");
    expect(captionProblem(many("#kopi", 30))).toBeNull();
    expect(captionProblem(many("#kopi", 31))).toContain("31 dari 30");
    expect(captionProblem(many("@toko", 20))).toBeNull();
    expect(captionProblem(many("@toko", 21))).toContain("21 dari 20");
  });
});

describe("a picture", () => {
  it.each([
    [1_080, 1_080, null],
    [1_080, 1_350, null],
    [1_910, 1_000, null],
    [4_000, 3_000, null],
    [1_080, 1_351, "4:5"],
    [1_911, 1_000, "4:5"],
    [319, 319, "320"],
  ] as const)("of %i × %i pixels: %s", async (width, height, words) => {
    const { ctx, seller } = await openDesk();
    const url = await addJpeg(ctx, seller, width, height);
    const fitted = await fitPicture(ctx, url);
    if (words === null) expect(fitted).toEqual({ path: picturePath(url) });
    else expect(fitted).toEqual({ problem: expect.stringContaining(words) });
  });

  it("is a JPEG of the seller's own, and anything else is refused in words", async () => {
    const { ctx, seller } = await openDesk();
    const other = await openDesk();
    const png = await addPicture(ctx, seller, await pngOf(600, 600), "png");
    // A WebP of the size that would fit; its pixels are never read.
    const webp = await addPicture(ctx, seller, patched(LOSSY_WEBP, 26, 88, 2, 88, 2), "webp");
    await expect(draftPost(ctx, { imageUrl: webp })).rejects.toEqual(
      refusal("hanya menerima JPEG, sedangkan gambar ini WebP. Simpan ulang"),
    );
    for (const imageUrl of [other.imageUrl, "https://evil.example/a.jpg"]) {
      await expect(draftPost(ctx, { imageUrl })).rejects.toEqual(refusal("unggah di sini"));
    }
    const large = { head: async () => ({ size: 8 * 1024 * 1024 + 1 }) };
    const assets = Object.assign(Object.create(ctx.assets), large);
    await expect(draftPost({ ...ctx, assets }, { imageUrl: png })).rejects.toEqual(refusal("8 MB"));
  });

  it("that is a PNG is posted as the JPEG that is made of it", async () => {
    const { ctx, seller, imageUrl: first } = await openDesk();
    const imageUrl = await addPicture(ctx, seller, await pngOf(640, 480), "png");
    const { id, image_url: shown } = await draftPost(ctx, { imageUrl });
    const isJpeg = async (url: string | null) => {
      const stored = await ctx.assets.get(pictureKey(url ?? "") ?? "");
      return readImage(new Uint8Array((await stored?.arrayBuffer()) ?? []));
    };
    const made = { type: "jpeg", width: 640, height: 480 };
    expect(await isJpeg(shown)).toEqual(made);
    expect((await editPost(ctx, id, { image_url: first })).image_url).toBe(first);
    expect(await isJpeg((await editPost(ctx, id, { image_url: imageUrl })).image_url)).toEqual(
      made,
    );
  });

  it("is the product's first that fits, where none is named", async () => {
    const { ctx, seller, store, imageUrl } = await openDesk();
    const product = await createProduct(store);
    const png = await addPicture(ctx, seller, PHONE_PNG, "png");
    for (const [place, url] of [png, imageUrl].entries()) {
      await run(sql`insert into market_product_images (product_id, url, is_primary, sort_order)
        values (${product.id}, ${url}, ${place === 0}, ${place})`);
    }
    expect(await draftPost(ctx, { productId: product.id })).toMatchObject({ image_url: imageUrl });
  });

  it("of a product that has only others is missed when the post is written, not when it is to go out", async () => {
    const { ctx, seller, store } = await openDesk();
    const [product, bare] = [await createProduct(store), await createProduct(store)];
    const webp = await addPicture(ctx, seller, patched(LOSSY_WEBP, 26, 88, 2, 88, 2), "webp");
    await run(sql`insert into market_product_images (product_id, url, is_primary)
      values (${product.id}, ${webp}, true)`);
    await expect(draftPost(ctx, { productId: product.id })).rejects.toEqual(
      refusal(
        "Tidak ada foto produk ini yang cocok untuk Instagram: Instagram hanya menerima JPEG",
      ),
    );
    expect(await draftPost(ctx, { productId: bare.id })).toMatchObject({ image_url: null });
  });
});

describe("a moment", () => {
  it("without a zone is Jakarta's, and is shown on Jakarta's clock", async () => {
    const { ctx: base, imageUrl, fake, ...rest } = await connectedDesk();
    const ctx = { ...base, now: () => new Date("2026-11-21T10:00:00Z") };
    expect([fake.accountId, rest.store.id].every(Boolean)).toBe(true);
    for (const given of [
      "2026-11-22T09:00",
      "2026-11-22 09:00:00",
      "2026-11-22T02:00:00Z",
      "2026-11-22T10:00+08:00",
    ]) {
      expect(readMoment(ctx, given).toISOString()).toBe("2026-11-22T02:00:00.000Z");
    }
    const post = await draftPost(ctx, { imageUrl, scheduleAt: "2026-11-22T09:00" });
    expect(post).toMatchObject({
      scheduled_at: "2026-11-22T02:00:00.000Z",
      scheduled_at_local: "22 Nov 2026 09.00 WIB",
      state: "scheduled",
      status: "draft",
    });
  });

  it.each([
    ["2026-11-21T16:00", "sudah lewat"],
    ["2027-11-21T16:00", "180 hari"],
    ["besok", "Tulis waktu"],
    ["2026-02-30T10:00", "Tulis waktu"],
    ["2026-11-22T25:00", "Tulis waktu"],
    ["2026-11-22", "Tulis waktu"],
    ["", "Tulis waktu"],
  ])("%j is refused in words", async (given, words) => {
    const { ctx: base } = await openDesk();
    const ctx = { ...base, now: () => new Date("2026-11-21T10:00:00Z") };
    expect(() => readMoment(ctx, given)).toThrow(words);
  });
});

describe("a schedule", () => {
  const scheduleAt = () => new Date(Date.now() + 3_600_000).toISOString();

  it("needs an account and a picture", async () => {
    const { ctx, imageUrl } = await openDesk();
    await expect(draftPost(ctx, { imageUrl, scheduleAt: scheduleAt() })).rejects.toEqual(
      refusal("Hubungkan akun"),
    );
    const desk = await connectedDesk();
    await expect(draftPost(desk.ctx, { scheduleAt: scheduleAt() })).rejects.toEqual(
      refusal("Pilih gambar"),
    );
    const { id } = await draftPost(desk.ctx, { caption: "Tanpa gambar" });
    await expect(publishNow(desk.ctx, id)).rejects.toEqual(refusal("Pilih gambar"));
    await expect(editPost(desk.ctx, id, { scheduled_at: scheduleAt() })).rejects.toEqual(
      refusal("Pilih gambar"),
    );
    await editPost(desk.ctx, id, { image_url: desk.imageUrl, scheduled_at: scheduleAt() });
    await expect(editPost(desk.ctx, id, { image_url: null })).rejects.toEqual(
      refusal("Pilih gambar"),
    );
  });
});
