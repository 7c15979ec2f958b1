import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { settleBackground } from "../../testing/api.ts";
import { mortalContext } from "../testing/mortal.ts";
import { enhancePhoto } from "./enhance.ts";
import { photoJob } from "./job.ts";
import { photoApplier } from "./notices.ts";
import {
  createStudio,
  onlyPhotoOf,
  photoRow,
  providerFault,
  type Studio,
  studioContext,
  turn,
} from "./testing/photo-bench.ts";

const enhance = ({ ctx, product, imageUrl }: Studio, url = imageUrl) =>
  enhancePhoto(ctx, { productId: product.id, imageUrl: url });

const told = (id: string, photoId: string | null, status = "succeeded") =>
  JSON.stringify({ prediction_id: id, status, photo_id: photoId });

afterEach(settleBackground);

describe("a creation", () => {
  it("whose answer was lost is looked for and found, not paid for again", async () => {
    const studio = await createStudio();
    studio.fake.after = (name) => {
      if (name === "createPrediction") throw providerFault({ kind: "timeout" });
    };
    const { enhanced_url: url, job_id: id } = await enhance(studio);
    expect(url).toBeNull();
    studio.fake.after = () => undefined;
    await turn(studio, id);
    expect(await photoRow(id)).toMatchObject({ status: "ready" });
    expect(studio.fake.predictions.size).toBe(1);
  });

  it("that never arrived is made again, but not before that is sure", async () => {
    const studio = await createStudio();
    studio.fake.before = (name) => {
      if (name === "createPrediction") throw providerFault({});
    };
    const { job_id: id } = await enhance(studio);
    studio.fake.before = () => undefined;
    const { job_id: jobId } = await photoRow(id);
    await studio.ctx.db.run(
      rows(sql`update jobs set run_at = now() where id = ${jobId}`, z.unknown()),
    );
    expect(await runJob(studio.ctx, jobId, [photoJob()])).toBe("unknown");
    expect(studio.fake.count("createPrediction")).toBe(1);
    await turn(studio, id);
    expect(await photoRow(id)).toMatchObject({ status: "ready" });
    expect(studio.fake.count("createPrediction")).toBe(2);
  });

  it("that is refused for its pace is made when the provider asks for it", async () => {
    const studio = await createStudio();
    studio.fake.before = (name) => {
      if (name === "createPrediction") {
        throw providerFault({ kind: "rate_limited", outcome: "not_done", retryAfterMs: 9_000 });
      }
    };
    const { job_id: id } = await enhance(studio);
    studio.fake.before = () => undefined;
    await turn(studio, id);
    expect(studio.fake.count("findPrediction")).toBe(0);
    expect(await photoRow(id)).toMatchObject({ status: "ready" });
  });
});

describe("a webhook", () => {
  it("brings the result at once, and nothing more when it comes again or in a crowd", async () => {
    const studio = await createStudio();
    studio.fake.born = "processing";
    const { job_id: id } = await enhance(studio);
    const predictionId = (await photoRow(id)).prediction_id ?? "";
    studio.fake.finish(predictionId);
    const body = told(predictionId, id);
    const apply = () => photoApplier.apply(studioContext(null, studio.fake), body);
    expect(await Promise.all([apply(), apply(), apply()])).toEqual([
      "applied",
      "applied",
      "applied",
    ]);
    const first = await photoRow(id);
    expect(first.status).toBe("ready");
    expect(await apply()).toBe("applied");
    expect(await photoRow(id)).toEqual(first);
    const listed = await studio.ctx.assets.list({ prefix: `products/${studio.seller.userId}/` });
    expect(listed.objects).toHaveLength(2);
  });

  it("is not believed: a prediction that goes on is not over because somebody says so", async () => {
    const studio = await createStudio();
    studio.fake.born = "processing";
    const { job_id: id } = await enhance(studio);
    const predictionId = (await photoRow(id)).prediction_id ?? "";
    const ctx = studioContext(null, studio.fake);
    expect(await photoApplier.apply(ctx, told(predictionId, id))).toEqual({
      parked: "the photo goes on",
    });
    expect(await photoRow(id)).toMatchObject({ status: "running" });
  });

  it("tells which prediction works on a photo whose creation is in doubt", async () => {
    const studio = await createStudio();
    studio.fake.after = (name) => {
      if (name === "createPrediction") throw providerFault({ kind: "timeout" });
    };
    const { job_id: id } = await enhance(studio);
    studio.fake.after = () => undefined;
    const [prediction] = studio.fake.predictions.keys();
    const ctx = studioContext(null, studio.fake);
    expect(await photoApplier.apply(ctx, told(prediction ?? "", id))).toBe("applied");
    expect(await photoRow(id)).toMatchObject({ status: "ready", prediction_id: prediction });
    expect(studio.fake.count("findPrediction")).toBe(0);
  });

  it("about something that is not ours is kept for a person", async () => {
    const studio = await createStudio();
    const ctx = studioContext(null, studio.fake);
    expect(await photoApplier.apply(ctx, told("p123", null))).toEqual({
      parked: "no photo has this prediction",
    });
    expect(studio.fake.calls).toEqual([]);
  });
});

describe("a worker that dies", () => {
  const deaths = Array.from({ length: 14 }, (_, at) => [
    [at, "before"] as const,
    [at, "after"] as const,
  ]).flat();

  it.concurrent.each(deaths)(
    "at call %i, %s it acted, leaves a photo that gets ready and is paid for once",
    async (at, kill) => {
      const studio = await createStudio();
      const dying = mortalContext(studio.ctx, "replicate", at, kill);
      const { product, imageUrl, fake } = studio;
      const asked = enhancePhoto(dying.ctx, { productId: product.id, imageUrl });
      const fate = await Promise.race([asked.then(() => "done"), dying.killed]);
      // The seller asks again, as people do; the job is woken by cron.
      if (fate === "killed") await enhance(studio);
      const id = await onlyPhotoOf(studio.store);
      for (let round = 0; round < 4 && (await photoRow(id)).status !== "ready"; round += 1) {
        await turn(studio, id);
      }
      expect(await photoRow(id)).toMatchObject({ status: "ready" });
      expect(fake.predictions.size).toBe(1);
    },
  );
});
