import type { GiftResult } from "../gifts.ts";
import type { Broadcasts } from "./broadcasts.ts";
import type { GiftWindow } from "./gift-window.ts";
import type { Hosting } from "./hosting.ts";
import type { Member, Members } from "./members.ts";
import type { Messages } from "./messages.ts";
import { ownerOf, partsOf, type RoomKind } from "./names.ts";
import type { GiftNews, LiveNews, Viewer } from "./news.ts";
import type { RoomOp, RoomReply } from "./ops.ts";
import { Coalesced, Pace } from "./pace.ts";
import { giftPayload, guestId, livePayload, personPayload } from "./payloads.ts";
import { StandIns } from "./stand-ins.ts";

/** The number of viewers is told every 300 ms at most, in a crowd more rarely: each time costs a message a viewer. */
const COUNT_EVERY_MS = { least: 300, most: 2_000 };
/** Comings and goings that a room shows, in hundreds of viewers: beyond it the number of viewers tells enough. */
const COMINGS = { burst: 30, perSecond: 10 };
const VIEWERS_SHOWN = 100;
const NOT_TAKEN = {
  full: { code: "unavailable", message: "Server sibuk, coba lagi sebentar" },
  mismatch: {
    code: "idempotency_mismatch",
    message: "Idempotency-Key sudah dipakai untuk permintaan lain",
  },
};

export interface LiveRoomParts {
  /** The object's name, as `roomName` made it. */
  name: string;
  members: Members;
  messages: Messages;
  hosting: Hosting;
  gifts: GiftWindow<GiftResult>;
  broadcasts: Broadcasts;
  now(): number;
}

/** What a live or party room decides. It knows persons and sockets by name; who they are was settled at the shard. */
export class LiveRoom {
  readonly kind: RoomKind;
  readonly roomId: string;
  readonly #parts: LiveRoomParts;
  readonly #count: Coalesced;
  readonly #comings: Pace;
  readonly #standIns: StandIns;
  /** Of each live the users who came since it was last proven. */
  readonly #newcomers = new Map<number, Set<number>>();

  constructor(parts: LiveRoomParts) {
    const { kind, roomId } = partsOf(parts.name);
    this.kind = kind;
    this.roomId = roomId;
    this.#parts = parts;
    this.#comings = new Pace(COMINGS, parts.now());
    this.#standIns = new StandIns(parts);
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
        if (this.#parts.members.find(op.socket)?.shard === shard) this.leave(op.socket);
        return this.#fine(false);
      case "message":
        return this.#message(shard, op);
      case "gift":
        return this.#gift(shard, op);
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

  #join(member: Member, isQuiet: boolean): RoomReply {
    const { members, hosting, now } = this.#parts;
    const sitter = member.seat === null ? undefined : members.sitter(member.seat);
    if (sitter && sitter.key !== member.key) {
      return { ok: false, code: "conflict", message: "Kursi sudah terisi" };
    }
    const isNew = this.#standIns.watch(member.address, now(), () => members.join(member, now()));
    if (member.userId !== null && isNew) {
      for (const users of this.#newcomers.values()) users.add(member.userId);
      hosting.came(member.userId, now(), true);
    }
    if (isNew || (this.kind === "party" && !isQuiet)) this.#tellOfJoin(member, isQuiet);
    return this.#fine(isNew);
  }

  #tellOfJoin(member: Member, isQuiet: boolean): void {
    if (!isQuiet && this.#mayShowComing()) {
      const payload = personPayload(this.kind, this.roomId, member);
      const except = this.kind === "live" ? member.socket : null;
      this.#parts.broadcasts.say(`${this.kind}:user-joined`, payload, { except });
    }
    this.#counted();
  }

  /** A socket leaves, was lost, or its shard was. */
  leave(socket: string): void {
    const { members, hosting, now, broadcasts } = this.#parts;
    const address = members.find(socket)?.address ?? null;
    const left = this.#standIns.watch(address, now(), () => members.leave(socket));
    if (!left?.isGone) return;
    const { member } = left;
    if (member.userId !== null) hosting.went(member.userId, now());
    if (this.#mayShowComing()) {
      const payload = personPayload(this.kind, this.roomId, member);
      broadcasts.say(`${this.kind}:user-left`, payload, { except: socket });
    }
    this.#counted();
  }

  #mayShowComing(): boolean {
    return this.#comings.take(this.#parts.now(), Math.max(1, this.#parts.members.count / 100));
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

  #gift(shard: string, { wish, socket, ask }: Extract<RoomOp, { kind: "gift" }>): RoomReply {
    const taken = this.#parts.gifts.accept(wish, { shard, socket, ask });
    return taken === "taken" ? this.#fine(false) : { ok: false, ...NOT_TAKEN[taken] };
  }

  /** A shard's own list of the sockets it holds here: what it lost leaves; answers what is unknown here. */
  reconcile(shard: string, sockets: string[]): string[] {
    const { lost, unknown } = this.#parts.members.reconcile(shard, sockets, this.#parts.now());
    for (const socket of lost) this.leave(socket);
    return unknown;
  }

  /** Sockets of shards that died without a word leave; of lives that are over nobody is kept. */
  sweep(): void {
    const { members, hosting, now } = this.#parts;
    for (const socket of members.lapsed(now())) this.leave(socket);
    const open = new Set(hosting.list().map(({ sessionId }) => sessionId));
    for (const id of this.#newcomers.keys()) if (!open.has(id)) this.#newcomers.delete(id);
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

  showGift(gift: GiftNews): void {
    this.#parts.broadcasts.say("live:gift-received", giftPayload(this.roomId, gift));
  }

  /**
   * A live began or ended here. Rooms are named by clients, so several lives may share one: nobody's viewers are told of
   * another's, only that the room went live and that it is dark; in a host's own room (`room_<id>`) only his are told.
   * Answers whether the room was told.
   */
  tellLive(news: LiveNews): boolean {
    const { hosting, broadcasts, now } = this.#parts;
    const { hostId, sessionId, state, address = null } = news;
    if (state === "started") {
      hosting.start({ hostId, sessionId, address }, this.#isVerified(hostId), now());
      if (this.#standIns.standsFor(hostId)) hosting.came(hostId, now(), false);
    } else {
      hosting.end(hostId, sessionId);
    }
    this.#counted();
    const isShown = this.#isNewsOf(hostId, state);
    if (isShown) broadcasts.say(`live:${state}`, livePayload(news, now()));
    return isShown;
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
  areHere(userIds: readonly number[]): boolean[] {
    return userIds.map((userId) => this.#isVerified(userId));
  }

  #isVerified(userId: number): boolean {
    return this.#parts.members.isThere(`u:${userId}`);
  }

  /** The users who came since it was last asked for this live; all who are there when that is not known. */
  takeNewcomers(sessionId: number): number[] {
    const known = this.#newcomers.get(sessionId);
    this.#newcomers.set(sessionId, new Set());
    if (known) return [...known];
    return this.#parts.members.people().flatMap(({ userId }) => userId ?? []);
  }

  /** Lets the next asker have them again: the answer did not reach whom it was for. */
  returnNewcomers(sessionId: number, userIds: number[]): void {
    for (const userId of userIds) this.#newcomers.get(sessionId)?.add(userId);
  }

  #fine(isNew: boolean) {
    const { mark } = this.#parts.broadcasts;
    return { ok: true as const, count: this.viewerCount, isNew, mark };
  }
}
