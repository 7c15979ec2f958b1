import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { settleBackground } from "../../testing/api.ts";
import { createProduct, createUser } from "../../testing/factories.ts";
import { picturePath } from "../images.ts";
import { enhancePhoto, getPhoto } from "../photos/index.ts";
import {
  createStudio,
  photoRow,
  type Studio,
  studioContext,
  turn,
} from "../photos/testing/photo-bench.ts";
import { run } from "../testing/catalogue.ts";
import { undoAction } from "./sessions.ts";
import { actOutside, refusedAfterADay } from "./testing/outside.ts";

const enhance = (studio: Studio) =>
  actOutside(studio.ctx, studio.seller, [
    "enhance_product_photo",
    { product_id: studio.product.id, image_url: studio.imageUrl },
  ]);

const stored = async ({ ctx }: Studio, url: string | null) =>
  (await ctx.assets.head((url ?? "").replace(/^.*\/uploads\//, ""))) !== null;

afterEach(settleBackground);

describe("undoing the enhancement of a photo", () => {
  it("removes the file that came of it, leaves the original, and lets it be asked for anew", async () => {
    const studio = await createStudio();
    const id = await enhance(studio);
    const { result_url: result } = await photoRow(id);
    expect(await stored(studio, result)).toBe(true);
    await undoAction(studio.ctx, id);
    await settleBackground();
    expect([await stored(studio, result), await stored(studio, studio.imageUrl)]).toEqual([
      false,
      true,
    ]);
    expect(await getPhoto(studio.ctx, id)).toMatchObject({
      status: "failed",
      reason: "Dibatalkan",
      enhanced_url: null,
    });
    await expect(undoAction(studio.ctx, id)).rejects.toMatchObject({ code: "conflict" });
    const again = await enhance(studio);
    expect((await photoRow(again)).status).toBe("ready");
  });

  it("calls off a work that is not done, and takes over nothing of it any more", async () => {
    const studio = await createStudio();
    studio.fake.born = "processing";
    const id = await enhance(studio);
    const { prediction_id: prediction } = await photoRow(id);
    await undoAction(studio.ctx, id);
    await settleBackground();
    expect(studio.fake.predictions.get(prediction ?? "")?.status).toBe("canceled");
    studio.fake.finish(prediction ?? "");
    await turn(studio, id);
    expect(await photoRow(id)).toMatchObject({ status: "failed", result_url: null });
    expect(studio.fake.count("fetchOutput")).toBe(0);
  });

  it("calls off a work whose creation was still on its way", async () => {
    const studio = await createStudio();
    studio.fake.born = "processing";
    const { promise: created, resolve } = Promise.withResolvers<string>();
    const { promise: undone, resolve: goOn } = Promise.withResolvers<void>();
    const { createPrediction } = studio.fake;
    studio.fake.createPrediction = async (input) => {
      const made = await createPrediction(input);
      resolve(made.id);
      await undone;
      return made;
    };
    const acting = enhance(studio);
    const prediction = await created;
    const id = studio.fake.calls[0]?.id.split("photo=")[1] ?? "";
    await undoAction(studio.ctx, id);
    goOn();
    await acting;
    await settleBackground();
    expect(studio.fake.predictions.get(prediction)?.status).toBe("canceled");
    expect(await photoRow(id)).toMatchObject({ status: "failed", prediction_id: null });
  });

  it("is refused after a day, and to others", async () => {
    const studio = await createStudio();
    const id = await enhance(studio);
    const stranger = studioContext(await createUser(["buyer", "seller"]), studio.fake);
    await expect(undoAction(stranger, id)).rejects.toMatchObject({ code: "not_found" });
    await refusedAfterADay(studio.ctx, id);
    await undoAction(studio.ctx, id);
    expect((await photoRow(id)).status).toBe("failed");
  });

  it("shows the original again wherever the result is: products, deleted ones too, posts, the store", async () => {
    const studio = await createStudio();
    const { ctx, store, product } = studio;
    const id = await enhance(studio);
    const { result_url: result } = await photoRow(id);
    const url = ctx.config.APP_URL + result;
    const source = picturePath(studio.imageUrl);
    const [both, deleted] = [await createProduct(store), await createProduct(store)];
    await run(sql`insert into market_product_images (product_id, url, is_primary, sort_order) values
      (${product.id}, ${url}, true, 0), (${deleted.id}, ${result}, true, 0),
      (${both.id}, ${source}, false, 1), (${both.id}, ${result}, true, 0)`);
    await run(sql`update market_products set deleted_at = now() where id = ${deleted.id}`);
    await run(
      sql`insert into market_instagram_posts (store_id, caption, image_url) values (${store.id}, '', ${result})`,
    );
    await run(
      sql`update market_stores set logo_url = ${result}, banner_url = ${source} where id = ${store.id}`,
    );
    expect((await undoAction(ctx, id)).message).toContain("dipakai lagi di 5 tempat");
    await settleBackground();
    const pictures = await ctx.db.run(
      rows(
        sql`select i.product_id as id, i.url, i.is_primary from market_product_images i
          join market_products p on p.id = i.product_id where p.store_id = ${store.id}`,
        z.unknown(),
      ),
    );
    const shown = [product, both, deleted].map((one) => ({
      id: one.id,
      url: source,
      is_primary: true,
    }));
    expect(pictures).toHaveLength(3);
    expect(pictures).toEqual(expect.arrayContaining(shown));
    const rest = sql`select s.logo_url as logo, s.banner_url as banner, p.image_url as post, p.container_stale as stale
      from market_stores s join market_instagram_posts p on p.store_id = s.id where s.id = ${store.id}`;
    expect(await ctx.db.run(rows(rest, z.unknown()))).toEqual([
      { logo: source, banner: source, post: source, stale: true },
    ]);
    expect([await stored(studio, result), await stored(studio, source)]).toEqual([false, true]);
  });

  it("leaves the file to a post that is out", async () => {
    const studio = await createStudio();
    const id = await enhance(studio);
    const { result_url: result } = await photoRow(id);
    await run(sql`insert into market_instagram_posts (store_id, caption, image_url, status)
      values (${studio.store.id}, '', ${result}, 'published')`);
    expect((await undoAction(studio.ctx, id)).message).toContain("tetap menampilkan foto hasilnya");
    await settleBackground();
    expect(await stored(studio, result)).toBe(true);
  });

  it("of what another was made from leaves that one the original", async () => {
    const studio = await createStudio();
    const first = await enhance(studio);
    const { result_url: result } = await photoRow(first);
    const second = await enhance({ ...studio, imageUrl: studio.ctx.config.APP_URL + result });
    const { result_url: better } = await photoRow(second);
    await run(sql`insert into market_product_images (product_id, url, is_primary)
      values (${studio.product.id}, ${better}, true)`);
    await undoAction(studio.ctx, first);
    await undoAction(studio.ctx, second);
    const [picture] = await studio.ctx.db.run(
      rows(
        sql`select url from market_product_images where product_id = ${studio.product.id}`,
        z.object({ url: z.string() }),
      ),
    );
    expect(await stored(studio, picture?.url ?? null)).toBe(true);
  });

  it("of a photo that its seller had asked for before touches nothing", async () => {
    const studio = await createStudio();
    const { product, imageUrl } = studio;
    const own = await enhancePhoto(studio.ctx, { productId: product.id, imageUrl });
    const id = await enhance(studio);
    expect((await undoAction(studio.ctx, id)).message).toContain("Tidak ada foto yang dibuat");
    expect(await getPhoto(studio.ctx, own.job_id)).toMatchObject({ status: "ready" });
  });
});
