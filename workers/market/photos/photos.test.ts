import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { readImage } from "../../../shared/files/image.ts";
import { PHONE_JPEG } from "../../../shared/files/image-samples.ts";
import { settleBackground } from "../../testing/api.ts";
import { createProduct } from "../../testing/factories.ts";
import { enhancePhoto, getPhoto } from "./enhance.ts";
import {
  addPicture,
  createStudio,
  letPass,
  photoRow,
  png,
  providerFault,
  type Studio,
  studioContext,
  turn,
} from "./testing/photo-bench.ts";
import { advancePhoto } from "./work.ts";

const enhance = ({ ctx, product, imageUrl }: Studio, url = imageUrl) =>
  enhancePhoto(ctx, { productId: product.id, imageUrl: url });

const certain = { kind: "invalid", retryable: false, outcome: "not_done" } as const;

afterEach(settleBackground);

describe("a picture that is made better", () => {
  it("is copied to our own host before it vanishes, and the original stays", async () => {
    const studio = await createStudio();
    const { enhanced_url: url, job_id: id } = await enhance(studio);
    expect(url).toMatch(/\/uploads\/products\/\d+\/[0-9a-f]{32}\.jpg$/);
    const { assets, config } = studio.ctx;
    const keyOf = (address: string) => address.slice(`${config.APP_URL}/uploads/`.length);
    const stored = await assets.get(keyOf(url ?? ""));
    // As every marketplace takes it, the model's PNG written anew.
    const image = readImage(new Uint8Array((await stored?.arrayBuffer()) ?? []));
    expect(image).toEqual({ type: "jpeg", width: 96, height: 72 });
    expect(await assets.head(keyOf(studio.imageUrl))).not.toBeNull();
    expect(await getPhoto(studio.ctx, id)).toMatchObject({ status: "ready", enhanced_url: url });
    // 4 seconds at the configured price.
    expect(await photoRow(id)).toMatchObject({ run_ms: 4_000, cost_micro_usd: 900 });
  });

  it("is the same picture and is paid for once, also where it was stored with the address of then", async () => {
    const studio = await createStudio();
    const { ctx } = studio;
    const first = await enhance(studio);
    await ctx.db.run(
      rows(
        sql`update market_photos set source_url = 'http://localhost:9123' || source_url,
          result_url = 'http://localhost:9123' || result_url where id = ${first.job_id}`,
        z.unknown(),
      ),
    );
    expect(await enhance(studio)).toEqual(first);
    expect(first.enhanced_url).toMatch(`${ctx.config.APP_URL}/uploads/`);
    const { imageUrl: image_url } = studio;
    const { enhanced_url } = first;
    expect(await getPhoto(ctx, first.job_id)).toMatchObject({ image_url, enhanced_url });
    expect(studio.fake.count("createPrediction")).toBe(1);
  });

  it("that takes longer goes on as a job, which polls until it is done", async () => {
    const studio = await createStudio();
    studio.fake.born = "processing";
    const { enhanced_url: url, job_id: id } = await enhance(studio);
    expect(url).toBeNull();
    expect(await turn(studio, id)).toBe("queued");
    studio.fake.finish((await photoRow(id)).prediction_id ?? "");
    expect(await turn(studio, id)).toBe("success");
    expect((await getPhoto(studio.ctx, id)).enhanced_url).not.toBeNull();
    expect(studio.fake.count("createPrediction")).toBe(1);
  });

  it("and is ready within two seconds is in the answer, whoever asked first or has ended it", async () => {
    const studio = await createStudio();
    studio.fake.born = "processing";
    const asked = [enhance(studio), scheduler.wait(100).then(() => enhance(studio))];
    const made = async () => [...studio.fake.predictions.keys()][0] ?? "";
    await expect.poll(made).not.toBe("");
    // After the first has looked twice, as a webhook tells of it.
    await scheduler.wait(900);
    studio.fake.finish(await made());
    const [{ id = "" } = {}] = await studio.ctx.db.run(
      rows(
        sql`select id from market_photos where store_id = ${studio.store.id}`,
        z.object({ id: z.string() }),
      ),
    );
    await advancePhoto(studio.ctx, id);
    const [first, second] = await Promise.all(asked);
    expect(first?.enhanced_url).not.toBeNull();
    expect(second).toEqual(first);
  });

  it("is paid for once, however often and by how many at once it is asked for", async () => {
    const studio = await createStudio();
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => enhance(studio)));
    expect(new Set(answers.map(({ job_id: id }) => id)).size).toBe(1);
    await settleBackground();
    const again = await enhance(studio);
    expect(again.enhanced_url).not.toBeNull();
    expect(studio.fake.count("createPrediction")).toBe(1);
    const other = await createProduct(studio.store);
    const { imageUrl } = studio;
    expect(await enhancePhoto(studio.ctx, { productId: other.id, imageUrl })).toEqual(again);
  });

  it("is refused where it is not the seller's own upload, too large, or of another's product", async () => {
    const studio = await createStudio();
    const other = await createStudio();
    const refusal = (words: string) =>
      expect.objectContaining({ code: "invalid_input", message: expect.stringContaining(words) });
    for (const url of [
      "https://evil.example/a.png",
      "http://169.254.169.254/latest/meta-data",
      other.imageUrl,
      `${studio.imageUrl}?x=1`,
      studio.imageUrl.replace("//", "//user@"),
    ]) {
      await expect(enhance(studio, url)).rejects.toEqual(refusal("unggah di sini"));
    }
    const gone = studio.imageUrl.replace(/[0-9a-f]{32}/, "f".repeat(32));
    await expect(enhance(studio, gone)).rejects.toEqual(refusal("tidak ditemukan"));
    const large = await addPicture(studio.ctx, studio.seller, await png(1_600, 1_400));
    await expect(enhance(studio, large)).rejects.toEqual(refusal("resolusi tinggi"));
    const tiny = await addPicture(studio.ctx, studio.seller, PHONE_JPEG);
    await expect(enhance(studio, tiny)).rejects.toEqual(refusal("terlalu kecil"));
    const { imageUrl } = studio;
    await expect(
      enhancePhoto(studio.ctx, { productId: other.product.id, imageUrl }),
    ).rejects.toMatchObject({ code: "not_found" });
    expect(studio.fake.calls).toEqual([]);
  });

  it("is one of so many a day; what was never sent does not count", async () => {
    const studio = await createStudio();
    const ctx = { ...studio.ctx, config: { ...studio.ctx.config, MARKET_PHOTOS_PER_DAY: 2 } };
    const ask = async () => {
      const imageUrl = await addPicture(ctx, studio.seller);
      return await enhancePhoto(ctx, { productId: studio.product.id, imageUrl });
    };
    studio.fake.before = () => {
      throw providerFault(certain);
    };
    await ask();
    studio.fake.before = () => undefined;
    await ask();
    await ask();
    await expect(ask()).rejects.toMatchObject({
      code: "rate_limited",
      message: "Batas 2 foto per hari sudah tercapai. Coba lagi besok.",
    });
    expect(studio.fake.predictions.size).toBe(2);
  });

  it("is one of the day's last even where many ask at once", async () => {
    const studio = await createStudio();
    const ctx = { ...studio.ctx, config: { ...studio.ctx.config, MARKET_PHOTOS_PER_DAY: 2 } };
    const urls = await Promise.all([1, 2, 3, 4, 5].map(() => addPicture(ctx, studio.seller)));
    const asked = await Promise.allSettled(
      urls.map((imageUrl) => enhancePhoto(ctx, { productId: studio.product.id, imageUrl })),
    );
    expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    expect(studio.fake.predictions.size).toBe(2);
  });

  it("is answered for with 503 without a key, and refused where it is switched off", async () => {
    const studio = await createStudio();
    const { product, imageUrl, store, seller } = studio;
    const input = { productId: product.id, imageUrl };
    await expect(enhancePhoto(studioContext(seller, null), input)).rejects.toMatchObject({
      code: "not_configured",
    });
    await studio.ctx.db.run(
      rows(
        sql`insert into market_feature_flags (store_id, flag, is_on, updated_by)
          values (${store.id}, 'photo_enhance', false, ${seller.userId})`,
        z.unknown(),
      ),
    );
    await expect(enhance(studio)).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("a photo fails readably and can be asked for again, when", () => {
  const ends: [string, (studio: Studio, id: string) => void, string][] = [
    [
      "the model fails",
      ({ fake }, id) => fake.finish(id, { status: "failed", output: null }),
      "Coba foto lain",
    ],
    [
      "it is called off",
      ({ fake }, id) => fake.finish(id, { status: "canceled", output: null }),
      "tidak selesai",
    ],
    [
      "it is aborted",
      ({ fake }, id) => fake.finish(id, { status: "aborted", output: null }),
      "tidak selesai",
    ],
    [
      "its result is removed",
      ({ fake }, id) => fake.finish(id, { output: null, isRemoved: true }),
      "tidak selesai",
    ],
    [
      "its result has vanished",
      ({ fake }, id) => {
        fake.finish(id);
        fake.outputs.clear();
      },
      "tidak selesai",
    ],
    [
      "its result is no picture",
      ({ fake }, id) => {
        fake.picture = new TextEncoder().encode("<html>not a picture</html>");
        fake.finish(id);
      },
      "Coba foto lain",
    ],
    [
      "its prediction is unknown",
      ({ fake }, id) => void fake.predictions.delete(id),
      "tidak selesai",
    ],
  ];
  it.each(ends)("%s", async (_name, end, words) => {
    const studio = await createStudio();
    studio.fake.born = "processing";
    const { job_id: id } = await enhance(studio);
    end(studio, (await photoRow(id)).prediction_id ?? "");
    expect(await turn(studio, id)).toBe("success");
    const photo = await getPhoto(studio.ctx, id);
    expect(photo).toMatchObject({ status: "failed", enhanced_url: null });
    expect(photo.reason).toContain(words);
    studio.fake.born = "succeeded";
    studio.fake.picture = await png(10, 10);
    expect((await enhance(studio)).job_id).not.toBe(id);
  });

  it("our account there is empty, of which the operator hears", async () => {
    const studio = await createStudio();
    studio.fake.before = () => {
      throw providerFault({ ...certain, kind: "refused", code: "credit" });
    };
    const { job_id: id } = await enhance(studio);
    expect(await photoRow(id)).toMatchObject({ status: "failed" });
    const { job_id: jobId } = await photoRow(id);
    const query = sql`select state, error from jobs where id = ${jobId}`;
    const [job] = await studio.ctx.db.run(rows(query, z.unknown()));
    expect(job).toEqual({ state: "failed", error: "replicate refused credit" });
  });

  it("it never ends, upon which it is called off", async () => {
    const studio = await createStudio();
    studio.fake.born = "processing";
    const { job_id: id } = await enhance(studio);
    await letPass(id, "1 hour");
    await turn(studio, id);
    expect(await photoRow(id)).toMatchObject({ status: "failed" });
    expect(studio.fake.count("cancelPrediction")).toBe(1);
  });
});
