import type { Drawings } from "../drawings.ts";
import type { GiftResult } from "../gifts.ts";
import type { Broadcasts } from "./broadcasts.ts";
import { Comings } from "./comings.ts";
import type { GiftShow } from "./gift-show.ts";
import { type GiftWindow, NOT_TAKEN } from "./gift-window.ts";
import type { Hosting, Live } from "./hosting.ts";
import { isUnderNumber, type Member, type Members, visitorOf } from "./members.ts";
import type { Messages } from "./messages.ts";
import { ownerOf, partsOf, type RoomKind } from "./names.ts";
import type { LiveNews, Viewer } from "./news.ts";
import type { RoomOp, RoomReply } from "./ops.ts";
import { Coalesced } from "./pace.ts";
import { guestId, livePayload, personPayload } from "./payloads.ts";
import { StandIns } from "./stand-ins.ts";
import type { Turnout } from "./turnout.ts";

/** The number of viewers is told every 300 ms at most, in a crowd more rarely: each time costs a message a viewer. */
const COUNT_EVERY_MS = { least: 300, most: 2_000 };
const VIEWERS_SHOWN = 100;
const MAX_ENDED = 1_000;

const NO_GIFT = { code: "not_found", message: "Gift tidak ditemukan" };

export interface LiveRoomParts {
  /** The object's name, as `roomName` made it. */
  name: string;
  members: Members;
  messages: Messages;
  hosting: Hosting;
  turnout: Turnout;
  gifts: GiftWindow<GiftResult>;
  /** Of the gifts that wait there, by their keys. */
  drawings: Drawings;
  giftShow: GiftShow;
  broadcasts: Broadcasts;
  now(): number;
}

/** What became of the word of a live's start or end. */
export interface TellingOfLive {
  /** The room did not know it. */
  isNews: boolean;
  /** Its sockets were told. */
  isShown: boolean;
  /** Of an end: there are viewers whom nobody was told of yet. */
  hasLastWord: boolean;
}

const NO_NEWS: TellingOfLive = { isNews: false, isShown: false, hasLastWord: false };

/** What a live or party room decides. It knows persons and sockets by name; who they are was settled at the shard. */
export class LiveRoom {
  readonly kind: RoomKind;
  readonly roomId: string;
  readonly #parts: LiveRoomParts;
  readonly #count: Coalesced;
  readonly #comings: Comings;
  readonly #standIns: StandIns;
  /** Of each host his last live that ended: word of its start may come late. */
  readonly #endedUpTo = new Map<number, number>();

  constructor(parts: LiveRoomParts) {
    const { kind, roomId } = partsOf(parts.name);
    this.kind = kind;
    this.roomId = roomId;
    this.#parts = parts;
    this.#comings = new Comings({ ...parts, kind, roomId });
    this.#standIns = new StandIns({ ...parts, found: (visitor) => parts.turnout.strike(visitor) });
    const { least, most } = COUNT_EVERY_MS;
    const everyMs = () => Math.min(most, Math.max(least, parts.members.count));
    this.#count = new Coalesced(everyMs, () => {
      parts.broadcasts.say("live:viewer-count", { count: this.viewerCount }, { isVolatile: true });
    });
  }

  /** What the sockets of one shard ask, in their order. */
  apply(shard: string, ops: RoomOp[]): RoomReply[] {
    return ops.map((op) => this.#applyOne(shard, op));
  }

  #applyOne(shard: string, op: RoomOp): RoomReply {
    switch (op.kind) {
      case "join":
        return this.#enter(shard, op);
      case "leave":
        // One that has moved to another shard is not taken out by the goodbye of the first.
        if (this.#parts.members.find(op.socket)?.shard === shard)
          this.leave(op.socket, op.isGoodbye);
        return this.#fine(false);
      case "message":
        return this.#message(shard, op);
      case "gift":
        return this.#gift(shard, op);
      case "drawing":
        return this.#drawing(op);
      case "roll":
        return { ...this.#fine(false), unknown: this.reconcile(shard, op.sockets) };
      default:
        return op satisfies never;
    }
  }

  #enter(shard: string, op: Extract<RoomOp, { kind: "join" }>): RoomReply {
    const { person, socket, seat, quiet, since } = op;
    const reply = this.#join({ ...person, socket, shard, seat }, quiet);
    if (reply.ok && since !== undefined) this.#parts.broadcasts.admit(shard, socket, since);
    return reply;
  }

  #join(coming: Omit<Member, "isNamed" | "since">, isQuiet: boolean): RoomReply {
    const { members, hosting, turnout, now } = this.#parts;
    const before = members.find(coming.socket);
    // How he came in is his client's own word, not ours when we put him back.
    const known = isQuiet ? (before?.isNamed ?? this.#standIns.cameAs(coming.socket)) : null;
    const isNamed = known ?? isUnderNumber(coming);
    const member = { ...coming, isNamed, since: before?.since ?? now() };
    const sitter = member.seat === null ? undefined : members.sitter(member.seat);
    if (sitter && sitter.key !== member.key) {
      return { ok: false, code: "conflict", message: "Kursi sudah terisi" };
    }
    const isNew = this.#standIns.watch(now(), () => {
      const isNew = members.join(member, now());
      if (isNew) turnout.came(visitorOf(member));
      if (member.userId === null) this.#standIns.arrived(member, now());
      return isNew;
    });
    if (member.userId !== null && isNew) hosting.came(member.userId, now(), true);
    this.#showJoin(member, { isNew, isQuiet, seatBefore: before?.seat ?? null });
    return this.#fine(isNew);
  }

  /** Who comes back to a live shows in the number of its viewers alone; of a party everybody is to know who sits where. */
  #showJoin(
    member: Member,
    { isNew, isQuiet, seatBefore }: { isNew: boolean; isQuiet: boolean; seatBefore: number | null },
  ): void {
    const isParty = this.kind === "party";
    const isShown = isParty ? isNew || !isQuiet || member.seat !== seatBefore : isNew && !isQuiet;
    if (isShown) this.#comings.joined(member);
    if (isNew) this.#counted();
  }

  /** A socket leaves, was lost, or its shard was. */
  leave(socket: string, isGoodbye = false): void {
    const { members, hosting, turnout, now } = this.#parts;
    const left = this.#standIns.watch(now(), () => {
      const left = members.leave(socket);
      if (left) this.#standIns.left(left.member, isGoodbye);
      return left;
    });
    if (!left) return;
    const { member, isGone } = left;
    if (!isGone) {
      this.#comings.gotUp(member);
      return;
    }
    turnout.went(visitorOf(member));
    if (member.userId !== null) hosting.went(member.userId, now());
    this.#comings.left(member);
    this.#counted();
  }

  #counted(): void {
    if (this.kind === "live") this.#count.ask();
  }

  #message(shard: string, op: Extract<RoomOp, { kind: "message" }>): RoomReply {
    const { members, messages, broadcasts, now } = this.#parts;
    if (!members.find(op.socket)) {
      if (this.kind === "party") {
        return { ok: false, code: "forbidden", message: "Anda belum masuk ke ruangan ini" };
      }
      // The app does not join again after a reconnect; who speaks in a live room is in it.
      this.#join({ ...op.person, socket: op.socket, shard, seat: null }, true);
    }
    const said = {
      ...personPayload(this.kind, this.roomId, { ...op.person, seat: null }),
      message: op.text,
      timestamp: new Date(now()).toISOString(),
    };
    messages.keep(JSON.stringify(said));
    const except = this.kind === "live" ? op.socket : null;
    broadcasts.say(`${this.kind}:new-message`, said, { except });
    return this.#fine(false);
  }

  #gift(shard: string, op: Extract<RoomOp, { kind: "gift" }>): RoomReply {
    const { wish, socket, ask, drawing } = op;
    const taken = this.#parts.gifts.accept(wish, { shard, socket, ask });
    if (taken !== "taken") return { ok: false, ...NOT_TAKEN[taken] };
    if (drawing !== undefined) this.#parts.drawings.keep(wish.key, drawing);
    return this.#fine(false);
  }

  #drawing({ drawing, ...told }: Extract<RoomOp, { kind: "drawing" }>): RoomReply {
    const { giftShow } = this.#parts;
    const isOne = drawing === undefined ? giftShow.isAwaited(told) : giftShow.draw(told, drawing);
    return isOne ? this.#fine(false) : { ok: false, ...NO_GIFT };
  }

  /** A shard's own list of the sockets it holds here: what it lost leaves; answers what is unknown here. */
  reconcile(shard: string, sockets: string[]): string[] {
    const { lost, unknown } = this.#parts.members.reconcile(shard, sockets, this.#parts.now());
    for (const socket of lost) this.leave(socket);
    return unknown;
  }

  /** Sockets of shards that died without a word leave. */
  sweep(): void {
    const { members, now } = this.#parts;
    for (const socket of members.lapsed(now())) this.leave(socket);
  }

  /** Distinct people, without those who host here: a host is no viewer of his own live, nor is who stands for him. */
  get viewerCount(): number {
    const { members, hosting } = this.#parts;
    const hosts = hosting.list().filter(({ hostId }) => this.#isVerified(hostId));
    return members.count - hosts.length - this.#standIns.count;
  }

  /** Who watches, each person once, users before guests. */
  viewers(): Viewer[] {
    const { members, hosting } = this.#parts;
    const most = VIEWERS_SHOWN + hosting.list().length;
    const isViewer = (member: Member) =>
      member.userId === null ? !this.#standIns.isOne(member) : !hosting.find(member.userId);
    const viewers = members.people(most).filter(isViewer).slice(0, VIEWERS_SHOWN);
    return viewers.map((member) => ({
      id: member.userId ?? guestId(member.key),
      name: member.name,
      avatar: member.avatar,
      level: member.level,
      verified: member.userId !== null,
    }));
  }

  /**
   * A live began or ended here. Either may be told again, late, and in any order: what is known is no news. Rooms are
   * named by clients, so several lives may share one: nobody's viewers are told of another's, only that the room went
   * live and that it is dark; in a host's own room (`room_<id>`) only his are told.
   */
  tellLive(news: LiveNews): TellingOfLive {
    const { broadcasts, now } = this.#parts;
    const told = news.state === "started" ? this.#begin(news) : this.#end(news);
    if (!told.isNews) return told;
    this.#counted();
    const isShown = this.#isNewsOf(news.hostId, news.state);
    if (isShown) broadcasts.say(`live:${news.state}`, livePayload(news, now()));
    return { ...told, isShown };
  }

  #begin({ hostId, sessionId, hostName, address = null, askedAt }: LiveNews): TellingOfLive {
    const { hosting, turnout, now } = this.#parts;
    const known = hosting.find(hostId);
    const newest = Math.max(known?.sessionId ?? 0, this.#endedUpTo.get(hostId) ?? 0);
    if (newest >= sessionId) return NO_NEWS;
    if (known) this.#end(known);
    const live = { hostId, sessionId, hostName, address, toldTo: turnout.mark };
    this.#standIns.seek(hosting.start(live, this.#isVerified(hostId), now()), askedAt ?? now());
    if (this.#standIns.standsFor(hostId)) hosting.came(hostId, now(), false);
    return { ...NO_NEWS, isNews: true };
  }

  #end({ hostId, sessionId }: Pick<Live, "hostId" | "sessionId">): TellingOfLive {
    const { hosting, turnout } = this.#parts;
    const known = hosting.find(hostId);
    const hasLastWord = turnout.end(sessionId, known?.sessionId === sessionId ? known : undefined);
    const newest = Math.max(sessionId, this.#endedUpTo.get(hostId) ?? 0);
    if (this.#endedUpTo.size >= MAX_ENDED) this.#endedUpTo.clear();
    this.#endedUpTo.set(hostId, newest);
    return { ...NO_NEWS, isNews: hosting.end(hostId, sessionId), hasLastWord };
  }

  #isNewsOf(hostId: number, state: LiveNews["state"]): boolean {
    const owner = ownerOf(this.roomId);
    if (owner !== null) return owner === hostId;
    const open = this.#parts.hosting.list();
    return state === "ended" ? open.length === 0 : open.every((live) => live.hostId === hostId);
  }

  /** A host is here with a verified socket, or with one that stands for him. */
  isHere = (hostId: number): boolean =>
    this.#isVerified(hostId) || this.#standIns.standsFor(hostId);

  /** These users are here with a verified socket. */
  areHere = (userIds: readonly number[]): boolean[] => userIds.map((id) => this.#isVerified(id));

  #isVerified(userId: number): boolean {
    return this.#parts.members.isThere(`u:${userId}`);
  }

  /** Somebody came whom the live has not told of. */
  hasNews = (live: Live): boolean => this.#parts.turnout.hasNews(live);

  #fine(isNew: boolean) {
    const { mark } = this.#parts.broadcasts;
    return { ok: true as const, count: this.viewerCount, isNew, mark };
  }
}
