import { sessionGate } from "../../../shared/auth/sessions.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { inTime } from "../../../shared/time/in-time.ts";
import { sendPrivate } from "../chat.ts";
import { Drawings, drawingOf } from "../drawings.ts";
import { clientKeyOf, giftKey } from "../gifts.ts";
import type { GiftAnswer, PersonCard, RoomOp, RoomReply } from "../rooms/ops.ts";
import { TokenBucket } from "../socketio/index.ts";
import { type Attendance, roomsOf } from "./attendance.ts";
import { batchRoom } from "./batches.ts";
import { type Ack, type AppSocket, type Desk, refuse, UNAVAILABLE } from "./desk.ts";
import {
  type Action,
  type AskedGift,
  type Claim,
  type Drawn,
  decide,
  NOT_SIGNED_IN,
} from "./events.ts";
import { claimedCard, type SignIn, type SocketData } from "./people.ts";

/** Waits before a gift is brought to its room again; the key keeps it one gift. */
const GIFT_RETRIES_MS = [200, 1_000, 3_000];
const MAX_ACKS = 5_000;
/** Whoever asked for an answer has one by then. */
const PATIENCE_MS = 20_000;
/** Reading a large drawing takes as long as hundreds of words: whoever sends many starves nobody, their gifts go without. */
const READING = { burst: 30, perSecond: 5 };
/** So many of what guests have to say of gifts lie here until their rooms have said whether they wait for it. */
const MAX_TOLD = 8;
const PENDING = { code: "unavailable", message: "Gift masih diproses, mohon tunggu sebentar" };
const OUTSIDE = { code: "forbidden", message: "Anda belum masuk ke ruangan ini" };

/** Answers what sockets ask for. */
export class Requests {
  readonly #desk: Desk;
  readonly #attendance: Attendance;
  /** Acknowledgements that gifts wait for, by the question; lost with this memory, like their askers' patience. */
  readonly #acks = new Map<string, Ack>();
  /** Of gifts that are being brought to their rooms, by the question. */
  readonly #drawings = new Drawings();
  readonly #reading = new TokenBucket(READING, Date.now());
  #told = 0;
  readonly #patienceMs: number;

  constructor(desk: Desk, attendance: Attendance, patienceMs: number = PATIENCE_MS) {
    this.#desk = desk;
    this.#attendance = attendance;
    this.#patienceMs = patienceMs;
  }

  async handle(socket: AppSocket, data: SocketData, event: string, payload: unknown, ack: Ack) {
    const isVerified = data.signIn !== null;
    const action = decide(event, payload, { isVerified, guestChat: this.#desk.guestChat });
    await this.#act(socket, data, action, ack);
  }

  async #act(socket: AppSocket, data: SocketData, action: Action, ack: Ack): Promise<void> {
    switch (action.kind) {
      case "ignore":
        return ack?.({ success: false, code: "not_found", message: "Event tidak dikenal" });
      case "refuse":
        return refuse(socket, ack, { code: action.code, message: action.message });
      case "claim":
        await this.#claim(socket, data, action.claim);
        return ack?.({ success: true });
      case "join":
        return await this.#join(socket, data, action, ack);
      case "leave":
        await this.#attendance.leave(socket, action.room);
        return ack?.({ success: true });
      case "message":
        return await this.#message(socket, data, action, ack);
      case "gift":
        return this.#gift(socket, data, action, ack);
      case "drawing":
        return this.#drawing(socket, data, action, ack);
      case "private":
        return this.#private(socket, data, action, ack);
      default:
        return action satisfies never;
    }
  }

  async #claim(socket: AppSocket, data: SocketData, claim: Claim): Promise<void> {
    if (data.signIn) return;
    await this.#rename(socket, data, claim);
    await this.#attendance.restore(socket);
  }

  /** A guest is who he says; the rooms that he is in learn his new name. */
  async #rename(socket: AppSocket, data: SocketData, claim: Claim): Promise<void> {
    if (data.signIn || (!claim.name && !claim.id)) return;
    const person = claimedCard(data.person, claim, socket.id);
    if (isSame(person, data.person)) return;
    socket.data = { ...data, person };
    await Promise.all(roomsOf(socket).map((room) => this.#attendance.joinQuietly(socket, room)));
  }

  async #join(
    socket: AppSocket,
    data: SocketData,
    { room, seat, claim }: Extract<Action, { kind: "join" }>,
    ack: Ack,
  ): Promise<void> {
    await this.#rename(socket, data, claim);
    const reply = await this.#attendance.join(socket, room, seat);
    if (!reply.ok) return refuse(socket, ack, { code: reply.code, message: reply.message });
    // Somebody new makes the room tell everybody; a second tab is told alone.
    if (!reply.isNew && room.startsWith("live:")) {
      socket.emit("live:viewer-count", { count: reply.count });
    }
    ack?.({ success: true, count: reply.count });
  }

  /** The app does not join again after a reconnect: who speaks in a live room is in it. */
  async #message(
    socket: AppSocket,
    { person, isBatched }: SocketData,
    { room, text }: Extract<Action, { kind: "message" }>,
    ack: Ack,
  ): Promise<void> {
    const place = isBatched ? batchRoom(room) : room;
    if (room.startsWith("live:") && !socket.rooms.has(place)) {
      const reply = await this.#attendance.joinQuietly(socket, room);
      if (!reply.ok) return refuse(socket, ack, { code: reply.code, message: reply.message });
    }
    const said = this.#desk.rooms.deliver(room, {
      ...{ kind: "message" as const, socket: socket.id },
      ...{ person, text },
    });
    this.#answerLater(socket, ack, said);
  }

  /** Goes on without waiting for the answer; what a socket asks of a room stays in order all the same. */
  #answerLater(socket: AppSocket, ack: Ack, asked: Promise<RoomReply>): void {
    const answered = asked.then(
      (reply) => {
        if (reply.ok) ack?.({ success: true });
        else refuse(socket, ack, { code: reply.code, message: reply.message });
      },
      (error: unknown) => {
        refuse(socket, ack, UNAVAILABLE);
        throw error;
      },
    );
    this.#desk.beside("room", answered);
  }

  #gift(
    socket: AppSocket,
    { person, signIn, isBatched }: SocketData,
    { room, gift }: Extract<Action, { kind: "gift" }>,
    ack: Ack,
  ): void {
    if (!signIn) return;
    if (!socket.rooms.has(isBatched ? batchRoom(room) : room)) {
      refuse(socket, ack, OUTSIDE);
      return;
    }
    const { drawn: read, ...asked } = gift;
    const drawing = this.#read(read);
    const wish = wishOf(signIn, asked);
    const ask = crypto.randomUUID();
    const key = clientKeyOf(wish.senderId, wish.key);
    if (ack) this.#keepAck(ask, key, ack);
    const isDrawn = drawing !== null && this.#drawings.keep(ask, drawing);
    const drawn = isDrawn ? { drawing } : {};
    const op: RoomOp = { kind: "gift", socket: socket.id, ask, person, wish, ...drawn };
    const brought = this.#bringGift(room, op).then((reply) => {
      this.#drawings.take(ask);
      if (reply.ok) return;
      const { code, message } = reply;
      const answer = { success: false as const, key, code, message };
      this.answerGift({ socket: socket.id, ask, answer });
    });
    this.#desk.beside("gift", brought);
  }

  /** Only what the room waits for is read, and brought there: anybody may say that he gave something. */
  #drawing(
    socket: AppSocket,
    { isBatched }: SocketData,
    { room, giftId, drawn }: Extract<Action, { kind: "drawing" }>,
    ack: Ack,
  ): void {
    const { rooms, giftDrawings } = this.#desk;
    const isIn = socket.rooms.has(isBatched ? batchRoom(room) : room);
    if (!giftDrawings || !isIn || this.#told >= MAX_TOLD) {
      refuse(socket, ack, NOT_SIGNED_IN);
      return;
    }
    this.#told += 1;
    const op: RoomOp = { kind: "drawing", socket: socket.id, giftId };
    const told = rooms
      .deliver(room, op)
      .then((reply) => (reply.ok ? this.#tellDrawing(room, op, drawn) : reply))
      .then((reply) => (reply?.ok ? reply : { ok: false as const, ...NOT_SIGNED_IN }))
      .finally(() => {
        this.#told -= 1;
      });
    this.#answerLater(socket, ack, told);
  }

  async #tellDrawing(
    room: string,
    op: Extract<RoomOp, { kind: "drawing" }>,
    drawn: Drawn,
  ): Promise<RoomReply | null> {
    const drawing = this.#read(drawn);
    return drawing === null ? null : await this.#desk.rooms.deliver(room, { ...op, drawing });
  }

  #read(drawn: Drawn): string | null {
    const { giftDrawings, now } = this.#desk;
    if (!giftDrawings || !(drawn.lottie || drawn.src)) return null;
    return !drawn.lottie || this.#reading.take(now()) ? drawingOf(drawn) : null;
  }

  /** The gift itself waits for as long as it takes; who asks again with its key is answered with what became of it. */
  #keepAck(ask: string, key: string, ack: NonNullable<Ack>): void {
    const timer = setTimeout(() => {
      this.#acks.delete(ask);
      ack({ success: false, key, ...PENDING });
    }, this.#patienceMs);
    const answer = (...args: unknown[]) => {
      clearTimeout(timer);
      ack(...args);
    };
    this.#acks.set(ask, answer);
    const [oldest] = this.#acks.keys();
    if (this.#acks.size > MAX_ACKS && oldest !== undefined) this.#acks.delete(oldest);
  }

  async #bringGift(room: string, op: RoomOp): Promise<RoomReply> {
    for (const waitMs of GIFT_RETRIES_MS) {
      try {
        return await this.#desk.rooms.deliver(room, op);
      } catch {
        await new Promise((wake) => setTimeout(wake, waitMs));
      }
    }
    try {
      return await this.#desk.rooms.deliver(room, op);
    } catch {
      return { ok: false, ...UNAVAILABLE };
    }
  }

  /** A room has decided on a gift: who asked, and nobody else, is told. */
  answerGift({ socket: socketId, ask, answer }: GiftAnswer): void {
    const ack = this.#acks.get(ask) ?? null;
    this.#acks.delete(ask);
    const socket = this.#desk.engine.socket(socketId);
    if (answer.success) {
      ack?.(answer);
      return;
    }
    const { success: _, ...refusal } = answer;
    if (socket) refuse(socket, ack, refusal);
  }

  #private(
    socket: AppSocket,
    { signIn }: SocketData,
    { toUserId, text }: Extract<Action, { kind: "private" }>,
    ack: Ack,
  ): void {
    if (!signIn) return;
    const ctx = this.#desk.context(signIn);
    const gate = sessionGate(signIn, { role: null, fresh: false }, ctx.now());
    if (gate) ctx.db.guard(gate);
    const sending = sendPrivate(ctx, { toUserId, content: text, via: "socket" });
    const sent = inTime(this.#patienceMs, sending).then(
      ({ id, time }) => ack?.({ success: true, id, timestamp: time }),
      (error: unknown) => {
        const known = error instanceof AppError && error.code !== "unavailable";
        refuse(socket, ack, known ? { code: error.code, message: error.message } : UNAVAILABLE);
        if (!(error instanceof AppError)) throw error;
      },
    );
    this.#desk.beside("private message", sent);
  }
}

const isSame = (a: PersonCard, b: PersonCard) =>
  a.key === b.key &&
  a.name === b.name &&
  a.line?.number === b.line?.number &&
  a.line?.visitor === b.line?.visitor;

/** The order of a verified user: ids, a count and a key that is made once. */
function wishOf({ userId, sessionId }: SignIn, { key, ...gift }: Omit<AskedGift, "drawn">) {
  return {
    key: giftKey(userId, key),
    senderId: userId,
    authSessionId: sessionId,
    ...gift,
  };
}
