import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { type JobOutcome, wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import {
  type Instagram,
  type InstagramAuth,
  InstagramError,
} from "../../../shared/providers/instagram.ts";
import { pictureUrl } from "../images.ts";
import { breakAccount, openToken } from "./accounts.ts";
import { instagramOf } from "./client.ts";
import { captionProblem, productLink, wholeCaption } from "./fitting.ts";

/** A post that could not go out for so long is not what its seller meant any more. */
const LATEST_MS = 48 * 3_600_000;
/** A publishing call that has left no trace after this has not arrived. */
const DOUBT_MS = 60_000;
/** Meta's advice: once a minute. */
const LOOK_MS = 60_000;
const PUT_OFF_MS = 3_600_000;
/** How soon a post finds out that its store may use Instagram again. */
const HELD_MS = 600_000;
const THROTTLED_MS = 900_000;
const MOST_TROUBLES = 12;
const MOST_CONTAINERS = 3;
/** Pictures are processed within seconds; one that takes longer never ends. */
const STUCK_MS = 15 * 60_000;

const ms = z.number().nullable();
const Work = z.object({
  id: z.uuid(),
  run: z.number(),
  caption: z.string(),
  image_url: z.string().nullable(),
  product_id: z.string().nullable(),
  product_gone: z.boolean(),
  store_slug: z.string(),
  held: z.boolean(),
  late_ms: z.number(),
  troubles: z.number(),
  containers: z.number(),
  container_id: z.string().nullable(),
  container_ms: ms,
  stale: z.boolean(),
  sent_at: z.string().nullable(),
  sent_ms: ms,
  account: z
    .object({
      id: z.uuid(),
      account_id: z.string(),
      access_token_enc: z.string(),
      generation: z.number(),
    })
    .nullable(),
  account_reason: z.string().nullable(),
});
type Work = z.output<typeof Work>;

interface Note {
  container_id?: string;
  account_id?: string;
  drop_container?: boolean;
  trouble?: boolean;
  reason?: string;
  put_off?: boolean;
  sent?: { seen: string | null } | "not";
}

export interface Pauses {
  /** After the container is made, before it is looked at for the first time. */
  firstLookMs: number;
}

const wait = (error: string, afterMs: number): JobOutcome => ({ state: "retry", error, afterMs });

/** Brings one run of a post as far as it comes now. Null: the run no longer counts. */
export async function publishPost(
  ctx: Ctx,
  run: { post_id: string; run: number },
  pauses: Pauses,
): Promise<JobOutcome> {
  const work = await ctx.db.run(call("market_instagram_begin", run, Work.nullable()));
  if (!work) return { state: "success" };
  const { account } = work;
  const publisher = new Publisher(ctx, work, pauses);
  if (work.held && work.sent_at === null) return await publisher.hold();
  if (work.late_ms > LATEST_MS) return await publisher.fail("Tidak berhasil terbit dalam 48 jam");
  if (!account)
    return await publisher.fail(work.account_reason ?? "Akun Instagram tidak terhubung");
  const accessToken = await openToken(ctx, account.id, account.access_token_enc);
  return await publisher.run({ accessToken, accountId: account.account_id });
}

/** One attempt. All it must know later lies in the row before the call is made that it is about. */
class Publisher {
  readonly #ctx: Ctx;
  readonly #work: Work;
  readonly #client: Instagram;
  readonly #pauses: Pauses;
  /** A publishing call may have been made whose effect nobody has seen. */
  #inDoubt: boolean;

  constructor(ctx: Ctx, work: Work, pauses: Pauses) {
    this.#ctx = ctx;
    this.#work = work;
    this.#client = instagramOf(ctx);
    this.#pauses = pauses;
    this.#inDoubt = work.sent_at !== null && work.container_id !== null;
  }

  async run(auth: InstagramAuth): Promise<JobOutcome> {
    try {
      return await this.#step(auth);
    } catch (error) {
      if (!(error instanceof InstagramError)) throw error;
      return await this.#met(error);
    }
  }

  async #step(auth: InstagramAuth): Promise<JobOutcome> {
    const { container_id: container, stale } = this.#work;
    if (container !== null && this.#inDoubt) return await this.#clear(auth, container);
    if (container !== null && !stale) return await this.#look(auth, container);
    return await this.#begin(auth);
  }

  /** Whether a publishing call arrived whose answer was lost. Never another one before that is known. */
  async #clear(auth: InstagramAuth, container: string): Promise<JobOutcome> {
    const status = await this.#client.containerStatus(auth, container);
    if (status === "PUBLISHED") return await this.#published(null);
    if ((this.#work.sent_ms ?? 0) < DOUBT_MS) return wait("publishing in doubt", DOUBT_MS);
    this.#inDoubt = false;
    if (this.#work.held) {
      await this.#note({ sent: "not" });
      return await this.hold();
    }
    if (status === "FINISHED" && !this.#work.stale) return await this.#publish(auth, container);
    await this.#note({ drop_container: true });
    return await this.#begin(auth);
  }

  async #begin(auth: InstagramAuth): Promise<JobOutcome> {
    const { image_url: imageUrl, product_id: productId, store_slug: slug, caption } = this.#work;
    if (imageUrl === null) return await this.fail("Kiriman ini tidak punya gambar");
    if (this.#work.product_gone) return await this.fail("Produknya sudah dihapus");
    const link = productId === null ? null : productLink(this.#ctx, slug, productId);
    const whole = wholeCaption(caption, link);
    const problem = captionProblem(whole);
    if (problem !== null) return await this.fail(problem);
    if (this.#work.containers >= MOST_CONTAINERS) {
      return await this.fail("Instagram tidak dapat memproses gambar ini");
    }
    const { used, total } = await this.#client.publishingLimit(auth);
    if (total !== null && used >= total) return await this.#putOff(`${used} dari ${total}`);
    const container = await this.#client.createContainer(auth, {
      imageUrl: pictureUrl(this.#ctx.config, imageUrl),
      caption: whole,
    });
    if (!(await this.#note({ container_id: container, account_id: auth.accountId }))) {
      return { state: "success" };
    }
    await new Promise((resolve) => setTimeout(resolve, this.#pauses.firstLookMs));
    return await this.#look(auth, container);
  }

  async #look(auth: InstagramAuth, container: string): Promise<JobOutcome> {
    const status = await this.#client.containerStatus(auth, container);
    switch (status) {
      case "PUBLISHED":
        return await this.#published(null);
      case "FINISHED":
        return await this.#publish(auth, container);
      case "IN_PROGRESS":
        if ((this.#work.container_ms ?? 0) < STUCK_MS) return wait(status, LOOK_MS);
        break;
      case "ERROR":
      case "EXPIRED":
        break;
      default:
        status satisfies never;
    }
    await this.#note({ drop_container: true });
    return wait(`container ${status}`, LOOK_MS);
  }

  /** Written down before it is sent: from here on, only an answer or a question tells whether the post is out. */
  async #publish(auth: InstagramAuth, container: string): Promise<JobOutcome> {
    const isOurs = await this.#note({ sent: { seen: this.#work.sent_at } });
    if (!isOurs) return wait("somebody else publishes it", DOUBT_MS);
    this.#inDoubt = true;
    const mediaId = await this.#client.publish(auth, container);
    const permalink = await this.#client.permalink(auth, mediaId).catch(() => null);
    return await this.#published(mediaId, permalink);
  }

  async #published(mediaId: string | null, permalink: string | null = null): Promise<JobOutcome> {
    await this.#end({ status: "published", media_id: mediaId, permalink });
    return { state: "success", result: { status: "published" } };
  }

  /** What a failed call means for the post. */
  async #met(error: InstagramError): Promise<JobOutcome> {
    const { fault, reason } = error;
    // A refused publishing call has surely done nothing.
    if (this.#inDoubt && fault !== "unknown" && fault !== "token") await this.#undoubt();
    switch (fault) {
      case "token":
        return await this.#locked(reason);
      case "quota":
        return await this.#putOff(null);
      case "throttled":
        return await this.#trouble(error, error.retryAfterMs ?? THROTTLED_MS);
      case "not_ready":
        return await this.#trouble(error, LOOK_MS);
      case "gone":
        await this.#note({ drop_container: true });
        return await this.#trouble(error, LOOK_MS);
      case "unavailable":
      case "unknown":
        return await this.#trouble(error, LOOK_MS * 2 ** Math.min(this.#work.troubles, 5));
      case "stopped":
      case "picture":
      case "caption":
      case "rejected":
        return await this.fail(reason);
      default:
        return fault satisfies never;
    }
  }

  async #undoubt(): Promise<void> {
    this.#inDoubt = false;
    await this.#note({ sent: "not" });
  }

  async #locked(reason: string): Promise<JobOutcome> {
    const { account } = this.#work;
    if (account) await breakAccount(this.#ctx, { ...account, reason });
    return await this.fail(reason);
  }

  async #trouble(error: InstagramError, afterMs: number): Promise<JobOutcome> {
    if (this.#work.troubles >= MOST_TROUBLES && !this.#inDoubt)
      return await this.fail(error.reason);
    await this.#note({ trouble: true, reason: error.reason });
    return wait(`instagram ${error.fault}`, afterMs);
  }

  /** The account's day is full: later, and until then the seller may change the post. */
  async #putOff(usage: string | null): Promise<JobOutcome> {
    const counted = usage === null ? "" : ` (${usage} dalam 24 jam)`;
    const reason = `Batas kiriman harian Instagram tercapai${counted}. Dikirim begitu ada tempat.`;
    await this.#note({ reason, put_off: true });
    return wait("daily limit", PUT_OFF_MS);
  }

  /** Nothing goes out while an admin has Instagram switched off for the store. */
  async hold(): Promise<JobOutcome> {
    const words = "Instagram sedang dinonaktifkan untuk toko Anda";
    if (this.#work.late_ms > LATEST_MS) {
      return await this.fail(`${words}, dan jadwalnya sudah lewat 48 jam`);
    }
    await this.#note({ reason: `${words}. Dikirim begitu diaktifkan lagi.`, put_off: true });
    return wait("switched off", HELD_MS);
  }

  async #note(note: Note): Promise<boolean> {
    const { id: post_id, run } = this.#work;
    return await this.#ctx.db.run(
      call("market_instagram_note", { post_id, run, ...note }, z.boolean()),
    );
  }

  async fail(reason: string): Promise<JobOutcome> {
    const words = this.#inDoubt
      ? `${reason}. Mungkin sudah terbit: periksa akun Instagram Anda.`
      : reason;
    await this.#end({ status: "failed", reason: words, in_doubt: this.#inDoubt });
    return { state: "success", result: { status: "failed" } };
  }

  async #end(ending: Record<string, unknown>): Promise<void> {
    const { id: post_id, run } = this.#work;
    const input = { post_id, run, ...ending };
    const ended = await this.#ctx.db.run(
      call("market_instagram_end", input, z.object({ wake: wakeSchema })),
    );
    wake(this.#ctx, ended.wake);
  }
}
