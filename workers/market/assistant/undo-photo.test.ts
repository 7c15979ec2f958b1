import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { settleBackground } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
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

  it("is refused in clear words while the result is in use, after a day, and to others", async () => {
    const studio = await createStudio();
    const id = await enhance(studio);
    const { result_url: result } = await photoRow(id);
    const stranger = studioContext(await createUser(["buyer", "seller"]), studio.fake);
    await expect(undoAction(stranger, id)).rejects.toMatchObject({ code: "not_found" });
    await run(sql`insert into market_product_images (product_id, url, is_primary)
      values (${studio.product.id}, ${`${studio.ctx.config.APP_URL}${result}`}, true)`);
    await expect(undoAction(studio.ctx, id)).rejects.toMatchObject({
      code: "changed",
      message: expect.stringContaining("sudah dipakai"),
    });
    expect(await stored(studio, result)).toBe(true);
    await run(sql`delete from market_product_images where product_id = ${studio.product.id}`);
    await refusedAfterADay(studio.ctx, id);
    await undoAction(studio.ctx, id);
    expect((await photoRow(id)).status).toBe("failed");
  });

  it("of a photo that its seller had asked for before touches nothing", async () => {
    const studio = await createStudio();
    const { product, imageUrl } = studio;
    const own = await enhancePhoto(studio.ctx, { productId: product.id, imageUrl });
    const id = await enhance(studio);
    await expect(undoAction(studio.ctx, id)).rejects.toMatchObject({ code: "changed" });
    expect(await getPhoto(studio.ctx, own.job_id)).toMatchObject({ status: "ready" });
  });
});
