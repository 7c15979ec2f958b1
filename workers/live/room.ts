import { DurableObject } from "cloudflare:workers";
import { loadConfig } from "../../shared/config/config.ts";
import { type Ctx, createContext } from "../../shared/context.ts";
import { createLog, describeError } from "../../shared/log.ts";
import { inTime } from "../../shared/time/in-time.ts";
import { Drawings } from "./drawings.ts";
import type { GiftResult } from "./gifts.ts";
import { ObjectTables } from "./object-tables.ts";
import { Broadcasts } from "./rooms/broadcasts.ts";
import { openGiftDesk } from "./rooms/gift-desk.ts";
import { GiftQueue } from "./rooms/gift-queue.ts";
import { GiftShow } from "./rooms/gift-show.ts";
import type { GiftWindow } from "./rooms/gift-window.ts";
import { doHostDuties, handInLastWords } from "./rooms/host-duties.ts";
import { Hosting } from "./rooms/hosting.ts";
import { LiveRoom } from "./rooms/live-room.ts";
import { Members } from "./rooms/members.ts";
import { Messages } from "./rooms/messages.ts";
import { partsOf } from "./rooms/names.ts";
import type { GiftNews, LiveNews, Viewer } from "./rooms/news.ts";
import type { RoomOp, RoomReply } from "./rooms/ops.ts";
import { ShownGifts } from "./rooms/shown-gifts.ts";
import { ROOM_TABLES } from "./rooms/tables.ts";
import { Turnout } from "./rooms/turnout.ts";

/** A database that hangs does not hold the alarm for longer. */
const DUTIES_MS = 20_000;
const OVERDUE_MS = 30_000;
const RETRY_MS = 5_000;
/** An empty room is forgotten after a day, with its messages. */
const FORGET_MS = 24 * 60 * 60 * 1_000;

/**
 * One object a live or party room (`live:<id>`, `party:<id>`): who is in, on which shards; the last messages; the gift
 * window; the leases of its hosts. It holds no socket: shards bring what their sockets ask, and get what they are to hear.
 */
export class Room extends DurableObject<Env> {
  readonly #tables: ObjectTables;
  readonly #members: Members;
  readonly #messages: Messages;
  readonly #hosting: Hosting;
  readonly #turnout: Turnout;
  readonly #gifts: GiftWindow<GiftResult>;
  readonly #giftShow: GiftShow;
  readonly #room: LiveRoom;
  #alarmAt: number | null = null;
  /** When last words that wait are handed in again. */
  #lastWordsAt = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const name = this.#name;
    const tables = new ObjectTables(state.storage, ROOM_TABLES);
    void state.blockConcurrencyWhile(async () => tables.open());
    const members = new Members(tables);
    const broadcasts = new Broadcasts({
      tables,
      members,
      callShard: (shard, deliveries) => env.SOCKET_SHARD.getByName(shard).deliver(name, deliveries),
      now: () => Date.now(),
      failed: (error) => createLog("room").warn("a shard missed news", describeError(error)),
    });
    const [queue, drawings] = [new GiftQueue(tables), new Drawings()];
    this.#tables = tables;
    this.#members = members;
    this.#messages = new Messages(tables);
    this.#hosting = new Hosting(tables);
    this.#turnout = new Turnout({ tables, members, hosting: this.#hosting });
    this.#giftShow = new GiftShow({
      ...{ roomId: partsOf(name).roomId, members, broadcasts },
      shownGifts: new ShownGifts(tables),
      hasDrawings: loadConfig(env).LIVE_GIFT_DRAWINGS === "on",
    });
    this.#gifts = openGiftDesk({
      ...partsOf(name),
      queue,
      drawings,
      broadcasts,
      context: () => this.#context(),
      show: (gifts) => this.#giftShow.show(gifts),
      dueChanged: () => this.#arm(),
    });
    this.#room = new LiveRoom({
      name,
      members,
      messages: this.#messages,
      hosting: this.#hosting,
      turnout: this.#turnout,
      gifts: this.#gifts,
      drawings,
      giftShow: this.#giftShow,
      broadcasts,
      now: () => Date.now(),
    });
  }

  /** What the sockets of a shard ask of this room, in their order; each is answered by itself. */
  apply(shard: string, ops: RoomOp[]): RoomReply[] {
    const replies = this.#room.apply(shard, ops);
    this.#arm();
    return replies;
  }

  announceGift(gift: GiftNews): void {
    this.#giftShow.announce(gift);
  }

  /**
   * A live began or ended; it may be told again. `isForHostAlone`: being shared, the room is not told of it. Who waits for
   * an end gets the number of the live's viewers, or null where nobody came last or they could not be counted in time.
   */
  async announceLive(
    news: LiveNews,
    waitMs = 0,
  ): Promise<{ isForHostAlone: boolean; viewers: number | null }> {
    const told = this.#room.tellLive(news);
    const isForHostAlone = told.isNews && !told.isShown;
    const counting = news.state === "ended" ? this.#handIn() : Promise.resolve(null);
    this.#arm();
    // Of an end that is known the last viewers may be on their way to be counted.
    const isAwaited = waitMs > 0 && (told.hasLastWord || !told.isNews);
    if (!isAwaited) return { isForHostAlone, viewers: null };
    const totals = await inTime(waitMs, counting).catch(() => null);
    return { isForHostAlone, viewers: totals?.get(news.sessionId) ?? null };
  }

  /** Which of these users are in the room, verified. */
  areHere(userIds: number[]): boolean[] {
    return this.#room.areHere(userIds);
  }

  /** Renews what is due of the leases of hosts who are here, whenever it was last tried. */
  async proveHosts(): Promise<void> {
    this.#room.sweep();
    this.#hosting.hurry();
    await inTime(DUTIES_MS, this.#doHostDuties());
    this.#arm();
  }

  viewers(): Viewer[] {
    return this.#room.viewers();
  }

  viewerCount(): number {
    return this.#room.viewerCount;
  }

  messages(): string[] {
    return this.#messages.list();
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    try {
      this.#room.sweep();
      await Promise.all([this.#gifts.run(), inTime(DUTIES_MS, this.#doHostDuties())]);
      if (this.#isIdle() && this.#messages.lastAt() + FORGET_MS <= Date.now()) {
        this.#messages.forget();
        await this.#tables.drop();
      }
    } finally {
      this.#arm();
    }
  }

  async #doHostDuties(): Promise<void> {
    const parts = { room: this.#room, hosting: this.#hosting, turnout: this.#turnout };
    await doHostDuties(this.#context(), parts);
    if (this.#lastWordsAt <= Date.now()) await this.#handIn();
  }

  /** Null where the database did not take them: they wait. */
  async #handIn(): Promise<Map<number, number> | null> {
    const ctx = this.#context();
    this.#lastWordsAt = Date.now() + RETRY_MS;
    try {
      return await handInLastWords(ctx, this.#turnout);
    } catch (error) {
      ctx.log.warn("a live's last viewers wait for the database", describeError(error));
      return null;
    }
  }

  /** Sets the alarm to the next thing that is due, where that is earlier than what is set. */
  #arm(): void {
    if (!this.#tables.made) return;
    const now = Date.now();
    const next = Math.max(this.#nextDue(), now);
    // One that is long overdue was lost with the process that was to ring it.
    const at = this.#alarmAt ?? 0;
    if (at > now - OVERDUE_MS && at <= next) return;
    this.#alarmAt = next;
    void this.ctx.storage.setAlarm(next);
  }

  #nextDue(): number {
    const times = [
      this.#gifts.dueAt,
      this.#hosting.next(this.#room),
      this.#turnout.hasLastWords ? this.#lastWordsAt : null,
      this.#members.nextLapse(),
    ];
    const due = times.filter((time) => time !== null);
    if (due.length > 0) return Math.min(...due);
    return Math.max(this.#messages.lastAt() + FORGET_MS, Date.now() + FORGET_MS / 24);
  }

  #isIdle(): boolean {
    return (
      this.#gifts.dueAt === null &&
      this.#members.count === 0 &&
      this.#members.shards(Date.now()).length === 0 &&
      this.#hosting.list().length === 0 &&
      !this.#turnout.hasLastWords
    );
  }

  #context(): Ctx {
    return createContext(this.env, {
      config: loadConfig(this.env),
      requestId: crypto.randomUUID(),
      waitUntil: (work) => this.ctx.waitUntil(work),
    });
  }

  /** Rooms are named by what they are; nothing else addresses one. */
  get #name(): string {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("a room was addressed without its name");
    return name;
  }
}
