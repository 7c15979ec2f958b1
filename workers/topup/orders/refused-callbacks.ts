import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { seal } from "../../../shared/crypto/index.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../../../shared/inbox/inbox.ts";

const PROVIDER = "vip-reseller-refused";
const OWNER = "topup-callback-refused";
/** Of each so much text is kept: several times a real one. */
const LONGEST_KEPT = 2_000;
/** What one message holds. Sealed it is a third longer, and a queue takes 128 KB. */
const MOST_BYTES = 64_000;
/** So many messages a minute and isolate are sent at once; then one a second, so that real notices are not held up. */
const QUICK_A_MINUTE = 60;
const PACE = { gatherMs: 20, busyMs: 1_000 };
/** What all refused callbacks together may take in the database; the oldest make room, and are counted. */
const MOST_STORED_BYTES = 100_000_000;
/** They are looked over for that with every so many messages of an isolate. */
const TRIM_EVERY = 32;

export type Refusal = "forged" | "unreadable";

/** Refused callbacks that go on the queue together. Equal ones are one entry. */
interface Gathered {
  entries: Map<
    string,
    { verdict: Refusal; at: string; length: number; text: string; times: number }
  >;
  bytes: number;
  counts: Record<Refusal | "dropped", number>;
  state: "open" | "sending" | "kept" | "lost";
}

/**
 * Keeps every callback that is refused, without the database on the way and however many there are: those that come
 * while a message is gathered go with it. A flood that fills it is turned away, which is counted in it.
 */
export class RefusedCallbacks {
  readonly #pace: typeof PACE;
  #open: Gathered | null = null;
  #minute = "";
  #sentInMinute = 0;
  #sent = 0;

  constructor(pace = PACE) {
    this.#pace = pace;
  }

  /**
   * Resolves when it is kept. Throws `rate_limited` for one that finds no room, and `unavailable` when the queue is out.
   * It goes on though the caller hangs up.
   */
  async keep(ctx: Ctx, verdict: Refusal, body: string): Promise<void> {
    const kept = this.#keep(ctx, verdict, body);
    ctx.waitUntil(kept.catch(() => undefined));
    await kept;
  }

  async #keep(ctx: Ctx, verdict: Refusal, body: string): Promise<void> {
    const minute = ctx.now().toISOString().slice(0, 16);
    if (this.#minute !== minute) [this.#minute, this.#sentInMinute] = [minute, 0];
    this.#open ??= newGathered();
    const gathered = this.#open;
    if (!add(gathered, { verdict, at: ctx.now().toISOString(), body })) {
      gathered.counts.dropped += 1;
      throw new AppError("rate_limited", "Too many callbacks that are refused");
    }
    const { gatherMs, busyMs } = this.#pace;
    await pause(this.#sentInMinute < QUICK_A_MINUTE ? gatherMs : busyMs);
    if (gathered.state === "open") await this.#send(ctx, gathered);
    await isSent(gathered, gatherMs);
  }

  async #send(ctx: Ctx, gathered: Gathered): Promise<void> {
    gathered.state = "sending";
    this.#open = null;
    this.#sentInMinute += 1;
    this.#sent += 1;
    try {
      const { entries, counts } = gathered;
      const kept: Kept = {
        v: 1,
        place: crypto.randomUUID(),
        verdict: counts.forged > 0 ? "forged" : "unreadable",
        count: counts.forged + counts.unreadable,
        dropped: counts.dropped,
        trim: this.#sent % TRIM_EVERY === 0,
        original: await seal(ctx.config, OWNER, JSON.stringify([...entries.values()])),
      };
      await receiveNotice(ctx, { provider: PROVIDER, body: JSON.stringify(kept) });
      gathered.state = "kept";
    } catch (error) {
      gathered.state = "lost";
      throw error;
    }
  }
}

const MOST_LOOKS = 500;

/** Who woke first sends for all. The others look at its word: a promise of its request may not outlive it. */
async function isSent(gathered: Gathered, everyMs: number): Promise<void> {
  for (let look = 0; gathered.state === "sending" && look < MOST_LOOKS; look += 1) {
    await pause(everyMs);
  }
  if (gathered.state !== "kept") throw new AppError("unavailable", "");
}

const newGathered = (): Gathered => ({
  entries: new Map(),
  bytes: 0,
  counts: { forged: 0, unreadable: 0, dropped: 0 },
  state: "open",
});

/** Whether there was room for it. */
function add(
  gathered: Gathered,
  { verdict, at, body }: { verdict: Refusal; at: string; body: string },
): boolean {
  const { entries, counts } = gathered;
  const known = entries.get(`${verdict}/${body}`);
  if (known) {
    known.times += 1;
  } else {
    const entry = { verdict, at, length: body.length, text: body.slice(0, LONGEST_KEPT), times: 1 };
    const bytes = new TextEncoder().encode(JSON.stringify(entry)).length;
    if (gathered.bytes + bytes > MOST_BYTES) return false;
    gathered.bytes += bytes;
    entries.set(`${verdict}/${body}`, entry);
  }
  counts[verdict] += 1;
  return true;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What is kept of those that were gathered: how many, and their texts sealed. */
const Kept = z.object({
  v: z.literal(1),
  place: z.string(),
  verdict: z.enum(["forged", "unreadable"]),
  count: z.number(),
  dropped: z.number(),
  trim: z.boolean(),
  original: z.string(),
});
type Kept = z.output<typeof Kept>;

/** What was refused has no effect; it is only kept, as long as there is room for it. */
export const refusedCallbackApplier: NoticeApplier = {
  provider: PROVIDER,
  eventKey: (_ctx, body) => Kept.parse(JSON.parse(body)).place,
  async apply(ctx, body) {
    if (Kept.parse(JSON.parse(body)).trim) await trimRefused(ctx);
    return "applied";
  },
};

/** Makes room: the oldest refused callbacks are forgotten, and how many they were is noted. */
export async function trimRefused(ctx: Ctx, mostBytes = MOST_STORED_BYTES): Promise<void> {
  const input = { provider: PROVIDER, most_bytes: mostBytes };
  const shape = z.object({ forgotten: z.number() });
  const { forgotten } = await ctx.db.run(call("topup_callbacks_trim", input, shape));
  if (forgotten > 0) ctx.log.warn("refused callbacks forgotten", { forgotten, alert: true });
}
