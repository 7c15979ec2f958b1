import type { Ctx } from "../../../shared/context.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { receiveNotice } from "../../../shared/inbox/inbox.ts";
import { REFUSED_PROVIDER } from "./refused-archive.ts";
import { entryOf, Parcel, type Refused } from "./refused-parcel.ts";

/** The longest body that is kept whole although nobody signed it: a list of some 200 orders. */
export const LONGEST_BYTES = 32 * 1024;
/** What is kept of one that is longer, beside its length and digest. */
const BEGINNING_BYTES = 2_000;
/** The same in a flood. */
const FLOOD_BYTES = 200;
/**
 * So many messages a minute and isolate begin at once; then each gathers for a second. Bodies are kept whole up to so
 * many bytes a minute; beyond that it is a flood, of which each has its facts kept: some 200 of them fit into a message.
 */
const PACE = { gatherMs: 20, busyMs: 1_000, quickAMinute: 60, wholeBytesAMinute: 5_000_000 };

/**
 * Keeps every callback that is refused, without the database on the way: those that come while a message is gathered go
 * with it, and what does not fit goes with the next one. None is turned away.
 */
export class RefusedCallbacks {
  readonly #pace: typeof PACE;
  #open: Parcel | null = null;
  #minute = "";
  #openedInMinute = 0;
  #bytesInMinute = 0;

  constructor(pace: Partial<typeof PACE> = {}) {
    this.#pace = { ...PACE, ...pace };
  }

  /** Resolves when it is on the queue. Throws `unavailable` when that is out. It goes on though the caller hangs up. */
  async keep(ctx: Ctx, refused: Refused): Promise<void> {
    const kept = this.#keep(ctx, refused);
    ctx.waitUntil(kept.catch(() => undefined));
    await kept;
  }

  async #keep(ctx: Ctx, refused: Refused): Promise<void> {
    const entry = await entryOf(ctx, refused, this.#bytesKeptOf(ctx, refused));
    const parcel = this.#open ?? this.#begin();
    const mine = parcel.add(entry) ? parcel : this.#begin();
    if (mine !== parcel) mine.add(entry);
    const { gatherMs, busyMs, quickAMinute } = this.#pace;
    await pause(this.#openedInMinute <= quickAMinute ? gatherMs : busyMs);
    if (mine.state === "open") await this.#send(ctx, mine);
    await isSent(mine, gatherMs);
  }

  #bytesKeptOf(ctx: Ctx, { bytes, length, isSigned }: Refused): number {
    const minute = ctx.now().toISOString().slice(0, 16);
    if (this.#minute !== minute) {
      this.#minute = minute;
      this.#openedInMinute = 0;
      this.#bytesInMinute = 0;
    }
    // The supplier's own is no flood, and says most where it says it in a new way.
    if (isSigned) return LONGEST_BYTES;
    const most = length > LONGEST_BYTES ? BEGINNING_BYTES : bytes.length;
    if (this.#bytesInMinute + most > this.#pace.wholeBytesAMinute) return FLOOD_BYTES;
    this.#bytesInMinute += most;
    return most;
  }

  #begin(): Parcel {
    this.#openedInMinute += 1;
    this.#open = new Parcel();
    return this.#open;
  }

  async #send(ctx: Ctx, parcel: Parcel): Promise<void> {
    parcel.state = "sending";
    if (this.#open === parcel) this.#open = null;
    try {
      const body = JSON.stringify(await parcel.pack(ctx));
      await receiveNotice(ctx, { provider: REFUSED_PROVIDER, body, queue: "topup-callbacks" });
      parcel.state = "kept";
    } catch (error) {
      parcel.state = "lost";
      throw error;
    }
  }
}

const MOST_LOOKS = 500;

/** Who woke first sends for all. The others look at its word: a promise of its request may not outlive it. */
async function isSent(parcel: Parcel, everyMs: number): Promise<void> {
  for (let look = 0; parcel.state === "sending" && look < MOST_LOOKS; look += 1) {
    await pause(everyMs);
  }
  if (parcel.state !== "kept") throw new AppError("unavailable", "");
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
