import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { extendLease, type Job, type JobHandler, wake } from "../../../../shared/jobs/jobs.ts";
import { describeError } from "../../../../shared/log.ts";
import { MarketplaceError } from "../../../../shared/providers/marketplace.ts";
import { ShopPausedError } from "../connections/pace.ts";
import { haltShop, Shop } from "../connections/shop.ts";
import { RenewalBusyError, ShopClosedError } from "../connections/tokens.ts";
import { OrderNews } from "../orders/poll.ts";
import { RemoteCategories } from "./categories.ts";
import type { Desk } from "./desk.ts";
import { ShopImages } from "./images.ts";
import { claim, endPump, keepImages, type Result, record, type Work } from "./rows.ts";
import { bring, bringQuick, isQuick, untouched } from "./work.ts";

/** New work is begun for this long; then the next job goes on, so that no run outlives its isolate. */
const SLICE_MS = 45_000;
/** Of the job and of the listings that it has claimed. */
const LEASE_SECONDS = 180;
/** So long before its end nothing more is sent: the longest call, whatever it still does there, is over by then. */
const SILENT_SECONDS = 60;
/** Listings side by side: their pace holds them back, not their number; the platform lets six calls wait at once. */
const LANES = 12;
/** About so long a chunk lasts where each listing takes one call. */
const CHUNK_SECONDS = 20;
const CHUNK = { least: 10, most: 100, mostKnown: 500 };

const UNAVAILABLE_PAUSE_MS = 60_000;
const OPERATOR_PAUSE_MS = 600_000;

const Payload = z.object({ connection_id: z.uuid(), seq: z.number() });
type Payload = z.output<typeof Payload>;

interface Counts {
  synced: number;
  failed: number;
  later: number;
}

/**
 * The pump of one shop: works its dirty listings off, chunk by chunk, for a slice of time, and sees to its successor.
 * All it knows lies in the listings, so a crash costs the calls that were under way and nothing else.
 */
export function listingsJob({ sliceMs = SLICE_MS, lanes = LANES } = {}): JobHandler {
  return {
    kind: "market.listings",
    queue: "marketplace-sync",
    async run(ctx, job) {
      const payload = Payload.parse(job.payload);
      const counts: Counts = { synced: 0, failed: 0, later: 0 };
      const shop = await openOrHalt(ctx, payload.connection_id);
      if (shop) {
        const pump = new Pump(ctx, { job, payload, shop, lanes, counts });
        await pump.run(Date.now() + sliceMs);
      }
      const ended = await ctx.db.run(endPump(payload.connection_id, payload.seq));
      wake(ctx, ended.wake);
      return { state: "success", result: { ...counts } };
    },
  };
}

/** A shop that cannot be opened now is left alone for a while, without a failed job a minute. */
async function openOrHalt(ctx: Ctx, connectionId: string): Promise<Shop | null> {
  try {
    return await Shop.open(ctx, connectionId);
  } catch (error) {
    if (error instanceof ShopClosedError) return null;
    const isOurs = error instanceof MarketplaceError && error.fault === "misconfigured";
    if (!(error instanceof MarketplaceError || error instanceof RenewalBusyError)) throw error;
    ctx.log.warn("shop not opened", { connectionId, alert: isOurs, ...describeError(error) });
    await haltShop(ctx, connectionId, isOurs ? OPERATOR_PAUSE_MS : UNAVAILABLE_PAUSE_MS);
    return null;
  }
}

interface PumpOptions {
  job: Job;
  payload: Payload;
  shop: Shop;
  lanes: number;
  counts: Counts;
}

class Pump {
  readonly #ctx: Ctx;
  readonly #options: PumpOptions;
  readonly #desk: Desk;
  /** The shop is closed or wants a pause: nothing more is begun. */
  #stopped = false;

  constructor(ctx: Ctx, options: PumpOptions) {
    this.#ctx = ctx;
    this.#options = options;
    const { shop } = options;
    const [categories, images] = [new RemoteCategories(ctx, shop), new ShopImages(ctx, shop)];
    this.#desk = { shop, categories, images, news: new OrderNews(ctx, shop) };
  }

  async run(deadline: number): Promise<void> {
    const { job, payload } = this.#options;
    if (!(await this.#catchUp())) return;
    let begun = this.#ctx.now();
    if (!(await extendLease(this.#ctx, job, LEASE_SECONDS))) return;
    let works = await this.#ctx.db.run(this.#claim());
    while (works && works.length > 0) {
      this.#options.shop.sendUntil(after(begun, LEASE_SECONDS - SILENT_SECONDS));
      const results = await this.#chunk(works, deadline);
      this.#count(results);
      const { connection_id: id } = payload;
      const pictures = keepImages(this.#desk.shop.row, this.#desk.images.takeUnkept());
      const kept = record(id, job.leaseId, results);
      if (this.#stopped || Date.now() >= deadline) {
        await this.#ctx.db.batch([pictures, kept]);
        return;
      }
      begun = this.#ctx.now();
      const [isOurs, [, , next]] = await Promise.all([
        extendLease(this.#ctx, job, LEASE_SECONDS),
        this.#ctx.db.batch([pictures, kept, this.#claim()]),
      ]);
      if (!isOurs) return;
      works = next;
    }
  }

  /** False: the shop is closed or wants a pause. */
  async #catchUp(): Promise<boolean> {
    const { job } = this.#options;
    try {
      await this.#desk.news.catchUp(() => extendLease(this.#ctx, job, LEASE_SECONDS));
      return true;
    } catch (error) {
      if (error instanceof ShopClosedError || error instanceof ShopPausedError) return false;
      throw error;
    }
  }

  #claim() {
    const { job, payload, shop } = this.#options;
    const { writesPerSecond, priceBatch, stockBatch } = shop.client.limits;
    const calls = Math.max(CHUNK.least, Math.ceil(writesPerSecond * CHUNK_SECONDS));
    return claim({
      ...payload,
      claim_id: job.leaseId,
      seconds: LEASE_SECONDS,
      most: Math.min(CHUNK.most, calls),
      most_known: Math.min(CHUNK.mostKnown, calls * Math.min(priceBatch, stockBatch)),
    });
  }

  /** Quick ones by the batch, the others side by side; one that is not begun in time is given back. */
  async #chunk(works: Work[], deadline: number): Promise<Result[]> {
    const quick = works.filter(isQuick);
    const waiting = works.filter((work) => !isQuick(work)).values();
    const results: Result[] = [];
    const lane = async () => {
      for (const work of waiting) {
        const isLate = this.#stopped || Date.now() >= deadline;
        const result = isLate ? untouched(work) : await bring(this.#desk, work);
        results.push(result);
        this.#stopped ||= result.outcome === "release";
      }
    };
    const lanes = Array.from({ length: this.#options.lanes }, lane);
    const [done] = await Promise.all([bringQuick(this.#desk, quick), ...lanes]);
    this.#stopped ||= done.some(({ outcome }) => outcome === "release");
    return [...done, ...results];
  }

  #count(results: Result[]): void {
    const { counts } = this.#options;
    for (const { outcome } of results) {
      if (outcome === "synced") counts.synced += 1;
      else if (outcome === "failed") counts.failed += 1;
      else counts.later += 1;
    }
  }
}

const after = (moment: Date, seconds: number) => new Date(moment.getTime() + seconds * 1_000);
