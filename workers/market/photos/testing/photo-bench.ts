import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { rows } from "../../../../shared/db/statement.ts";
import { pngChunk } from "../../../../shared/files/image-samples.ts";
import { runJob } from "../../../../shared/jobs/jobs.ts";
import { contextWithQueues } from "../../../../shared/jobs/test-queues.ts";
import { type Failure, ProviderError } from "../../../../shared/providers/provider-error.ts";
import type { Prediction, Replicate } from "../../../../shared/providers/replicate.ts";
import {
  createProduct,
  createStore,
  createUser,
  type TestProduct,
  type TestStore,
  type TestUser,
  unique,
} from "../../../testing/factories.ts";
import { photoJob } from "../job.ts";

/** A picture's head with any size: enough for all who only ask how large it is. */
export async function png(width: number, height: number): Promise<Uint8Array> {
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([1, 0, 0, 0, 0], 8);
  const raw = new Uint8Array((Math.ceil(width / 8) + 1) * height);
  const packed = new Blob([raw]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(packed).arrayBuffer());
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    pngChunk("IHDR", head),
    pngChunk("IDAT", data),
    pngChunk("IEND", new Uint8Array()),
  ];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

export type CallName = keyof Replicate;

export const providerFault = (failure: Partial<Failure>) =>
  new ProviderError(
    "replicate",
    { kind: "unavailable", retryable: true, outcome: "unknown", ...failure },
    "a fault of the test",
  );

/** A Replicate in memory: predictions end when `finish` says so, or at once. */
export class FakeReplicate implements Replicate {
  readonly predictions = new Map<string, Prediction>();
  readonly calls: { name: CallName; id: string }[] = [];
  outputs = new Map<string, Uint8Array>();
  /** How a new prediction stands at once. */
  born: Prediction["status"] = "succeeded";
  picture: Uint8Array = new Uint8Array();
  before: (name: CallName) => void = () => undefined;
  after: (name: CallName) => void = () => undefined;

  count(name: CallName): number {
    return this.calls.filter((call) => call.name === name).length;
  }

  finish(id: string, changes: Partial<Prediction> = {}): void {
    const prediction = this.predictions.get(id);
    if (!prediction) throw new Error("no such prediction");
    Object.assign(prediction, { status: "succeeded", output: this.#output(id), ...changes });
  }

  #output(id: string): string {
    const url = `https://replicate.delivery/${id}/out.png`;
    this.outputs.set(url, this.picture);
    return url;
  }

  async #does<T>(name: CallName, id: string, act: () => T): Promise<T> {
    this.calls.push({ name, id });
    this.before(name);
    const result = act();
    this.after(name);
    return structuredClone(result);
  }

  createPrediction: Replicate["createPrediction"] = ({ imageUrl }) =>
    this.#does("createPrediction", imageUrl, () => {
      const id = unique("p");
      const made: Prediction = {
        id,
        status: this.born,
        image: imageUrl,
        output: this.born === "succeeded" ? this.#output(id) : null,
        error: null,
        isRemoved: false,
        createdAt: new Date(),
        runMs: 4_000,
      };
      this.predictions.set(id, made);
      return made;
    });

  getPrediction: Replicate["getPrediction"] = (id) =>
    this.#does("getPrediction", id, () => {
      const found = this.predictions.get(id);
      if (!found)
        throw providerFault({
          kind: "refused",
          retryable: false,
          outcome: "not_done",
          status: 404,
        });
      return found;
    });

  findPrediction: Replicate["findPrediction"] = (imageUrl) =>
    this.#does("findPrediction", imageUrl, () => {
      const found = [...this.predictions.values()].find(({ image }) => image === imageUrl);
      return found ?? null;
    });

  cancelPrediction: Replicate["cancelPrediction"] = (id) =>
    this.#does("cancelPrediction", id, () => this.finish(id, { status: "canceled", output: null }));

  fetchOutput: Replicate["fetchOutput"] = (url) =>
    this.#does("fetchOutput", url, () => this.outputs.get(url) ?? null);

  parseWebhook: Replicate["parseWebhook"] = async () => null;
}

/** A seller with a product and a picture that lies in the bucket. */
export interface Studio {
  seller: TestUser;
  store: TestStore;
  product: TestProduct;
  fake: FakeReplicate;
  ctx: Ctx;
  imageUrl: string;
}

export function studioContext(seller: TestUser | null, fake: FakeReplicate | null): Ctx {
  const base = contextWithQueues().ctx;
  return { ...base, actor: seller, providers: { ...base.providers, replicate: fake } };
}

export async function createStudio(): Promise<Studio> {
  const seller = await createUser(["buyer", "seller"]);
  const store = await createStore(seller);
  const product = await createProduct(store);
  const fake = new FakeReplicate();
  fake.picture = await png(96, 72);
  const ctx = studioContext(seller, fake);
  return { seller, store, product, fake, ctx, imageUrl: await addPicture(ctx, seller) };
}

export async function addPicture(ctx: Ctx, seller: TestUser, bytes?: Uint8Array) {
  const name = crypto.randomUUID().replaceAll("-", "");
  const key = `products/${seller.userId}/${name}.png`;
  const httpMetadata = { contentType: "image/png" };
  await ctx.assets.put(key, bytes ?? (await png(100, 75)), { httpMetadata });
  return `${ctx.config.APP_URL}/uploads/${key}`;
}

const Row = z.object({
  status: z.string(),
  reason: z.string().nullable(),
  prediction_id: z.string().nullable(),
  result_url: z.string().nullable(),
  run_ms: z.number().nullable(),
  cost_micro_usd: z.number().nullable(),
  job_id: z.string(),
});

export async function photoRow(id: string) {
  const query = sql`select status, reason, prediction_id, result_url, run_ms, cost_micro_usd, job_id
    from market_photos where id = ${id}`;
  const [found] = await contextWithQueues().ctx.db.run(rows(query, Row));
  if (!found) throw new Error("no such photo");
  return found;
}

/** Lets time pass for a photo and its job: leases and pauses end. */
export async function letPass(id: string, span = "2 minutes"): Promise<void> {
  const { db } = contextWithQueues().ctx;
  await db.run(
    rows(
      sql`update market_photos set sent_at = sent_at - ${span}::interval,
        created_at = created_at - ${span}::interval where id = ${id}`,
      z.unknown(),
    ),
  );
  await db.run(
    rows(
      sql`update jobs set run_at = now() - interval '1 minute', lease_until = now() - interval '1 minute'
        where dedupe_key = ${`market.photo/${id}`} and finished_at is null`,
      z.unknown(),
    ),
  );
}

/** The photo's job, as cron would wake it. */
export async function turn(studio: Studio, id: string, ctx: Ctx = studio.ctx): Promise<string> {
  await letPass(id);
  return await runJob(ctx, (await photoRow(id)).job_id, [photoJob()]);
}

export async function onlyPhotoOf(store: TestStore): Promise<string> {
  const query = sql`select id from market_photos where store_id = ${store.id}`;
  const found = await contextWithQueues().ctx.db.run(rows(query, z.object({ id: z.string() })));
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} photos`);
  return found[0].id;
}
