import type { RoomReply } from "../rooms/ops.ts";
import type { DisconnectReason } from "../socketio/index.ts";
import { batchRoom } from "./batches.ts";
import { type AppSocket, type Desk, UNAVAILABLE } from "./desk.ts";
import { GRACE_MS } from "./directory.ts";
import { homeOf } from "./home.ts";

/** A socket watches one room; a few more are for apps that preview. */
const MAX_ROOMS = 10;
/** After these a client does not come back by itself. */
const FOR_GOOD: DisconnectReason[] = [
  "client namespace disconnect",
  "server namespace disconnect",
  "flood",
];

/** Waits before an object that did not answer is asked again for somebody who comes back: it is being moved. */
const RETRIES_MS = [200, 1_000, 3_000];

/** Keeps rooms, and the homes of persons, in step with where the sockets of this shard are. */
export class Attendance {
  readonly #desk: Desk;
  readonly #retriesMs: readonly number[];
  /** Rooms of sockets that were lost and may be recovered: what is said there is still wanted, for replay. */
  #lost: Map<string, number> | null = null;

  constructor(desk: Desk, retriesMs: readonly number[] = RETRIES_MS) {
    this.#desk = desk;
    this.#retriesMs = retriesMs;
  }

  /**
   * Puts a socket into a room. What is said from now on reaches it. A quiet join is ours, not its client's, who asks no
   * second time: it is tried again, and where the room stays silent the next round tells it (`sheets`).
   */
  async join(
    socket: AppSocket,
    room: string,
    { seat = null, isQuiet = false }: { seat?: number | null; isQuiet?: boolean } = {},
  ): Promise<RoomReply> {
    const data = socket.data;
    if (!data) return { ok: false, ...UNAVAILABLE };
    const place = data.isBatched ? batchRoom(room) : room;
    const wasIn = socket.rooms.has(place);
    if (!wasIn && roomsOf(socket).length >= MAX_ROOMS) {
      return { ok: false, code: "conflict", message: "Terlalu banyak ruangan" };
    }
    socket.join(place);
    const reply = await this.#ask(socket, room, seat, isQuiet);
    const isDue = !reply.ok && isQuiet && reply.code === UNAVAILABLE.code;
    if (!reply.ok && !wasIn && !isDue) socket.leave(place);
    if (!reply.ok) return reply;
    if (seat !== null) socket.data = { ...data, seat: { room, seat } };
    this.#tellHome({ kind: "place", person: data.person.key, room });
    return reply;
  }

  /** Takes a socket out of a room, as its client asked. A room that does not answer learns of it at the next round. */
  async leave(socket: AppSocket, room: string): Promise<void> {
    socket.leave(room);
    socket.leave(batchRoom(room));
    const data = socket.data;
    if (data?.seat?.room === room) socket.data = { ...data, seat: null };
    if (data) this.#tellHome({ kind: "unplace", person: data.person.key, room });
    try {
      await this.#desk.rooms.deliver(room, { kind: "leave", socket: socket.id });
    } catch (error) {
      this.#desk.beside("leave", Promise.reject(error));
    }
  }

  /** The rooms that a recovered socket was in learn that it is back. */
  async rejoin(socket: AppSocket): Promise<void> {
    const seat = socket.data?.seat ?? null;
    await Promise.all(
      roomsOf(socket).map(async (room) => {
        const taken = seat?.room === room ? seat.seat : null;
        const reply = await this.join(socket, room, { seat: taken, isQuiet: true });
        if (!reply.ok && taken !== null) await this.join(socket, room, { isQuiet: true });
      }),
    );
  }

  /** Puts a socket back into the rooms of its person: after a reconnect the app asks for none. */
  async restore(socket: AppSocket): Promise<void> {
    const data = socket.data;
    if (!data || data.person.key.startsWith("g:#") || roomsOf(socket).length > 0) return;
    const { key: person } = data.person;
    const { isReturning } = data;
    const home = homeOf(person, this.#desk.shards);
    const recall = { kind: "recall" as const, person, isReturning };
    const { rooms } = await stubbornly(
      () => this.#desk.homes.deliver(home, recall),
      this.#retriesMs,
    );
    await Promise.all(rooms.map((room) => this.join(socket, room, { isQuiet: true })));
  }

  /** A socket is gone: it leaves its rooms now, and its person finds them again for a while. */
  lose(socket: AppSocket, reason: DisconnectReason): void {
    const isForGood = FOR_GOOD.includes(reason);
    const kind = isForGood ? "unplace" : "lost";
    for (const room of roomsOf(socket)) {
      if (!isForGood) this.#awaited().set(room, this.#desk.now() + GRACE_MS);
      const left = this.#desk.rooms.deliver(room, { kind: "leave", socket: socket.id });
      this.#desk.beside("leave", left);
      if (socket.data) this.#tellHome({ kind, person: socket.data.person.key, room });
    }
  }

  /** True while a socket of this shard is in the room, or may yet come back to it. */
  isWanted(room: string): boolean {
    const { engine, now } = this.#desk;
    if (engine.socketsIn(room).length > 0 || engine.socketsIn(batchRoom(room)).length > 0) {
      return true;
    }
    const lost = this.#awaited();
    const until = lost.get(room);
    if (until !== undefined && until <= now()) lost.delete(room);
    return until !== undefined && until > now();
  }

  /** Read from the engine's storage when this memory is young: an eviction must not forget who may come back. */
  #awaited(): Map<string, number> {
    if (this.#lost) return this.#lost;
    const lost = new Map<string, number>();
    this.#lost = lost;
    for (const { rooms, until } of this.#desk.engine.awaitedRooms()) {
      for (const room of namesOf(rooms)) lost.set(room, Math.max(until, lost.get(room) ?? 0));
    }
    return lost;
  }

  /** The sockets of this shard by room. */
  sheets(): Map<string, string[]> {
    const sheets = new Map<string, string[]>();
    for (const socket of this.#desk.engine.sockets()) {
      for (const room of roomsOf(socket)) {
        const sheet = sheets.get(room);
        if (sheet) sheet.push(socket.id);
        else sheets.set(room, [socket.id]);
      }
    }
    return sheets;
  }

  /** A room does not know a socket that is in it: what told it was lost. */
  async remind(room: string, socketId: string): Promise<void> {
    const socket = this.#desk.engine.socket(socketId);
    if (socket) await this.join(socket, room, { isQuiet: true });
  }

  /** Tells the homes again what they know of this shard's sockets, so that it does not lapse. */
  renewPlaces(): void {
    for (const socket of this.#desk.engine.sockets()) {
      if (!socket.data) continue;
      const person = socket.data.person.key;
      for (const room of roomsOf(socket)) this.#tellHome({ kind: "place", person, room });
    }
  }

  async #ask(
    socket: AppSocket,
    room: string,
    seat: number | null,
    isQuiet: boolean,
  ): Promise<RoomReply> {
    const person = socket.data?.person;
    if (!person) return { ok: false, ...UNAVAILABLE };
    try {
      const op = { kind: "join", socket: socket.id, person, seat, quiet: isQuiet } as const;
      const bring = () => this.#desk.rooms.deliver(room, op);
      return await (isQuiet ? stubbornly(bring, this.#retriesMs) : bring());
    } catch (error) {
      this.#desk.beside("join", Promise.reject(error));
      return { ok: false, ...UNAVAILABLE };
    }
  }

  #tellHome(op: { kind: "place" | "lost" | "unplace"; person: string; room: string }): void {
    // Nobody can say again that he was this guest.
    if (op.person.startsWith("g:#")) return;
    const home = homeOf(op.person, this.#desk.shards);
    this.#desk.beside("place", this.#desk.homes.deliver(home, op));
  }
}

/** Asks an object again, after pauses, while it does not answer. */
export async function stubbornly<T>(
  call: () => Promise<T>,
  pausesMs: readonly number[] = RETRIES_MS,
): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await call();
    } catch {
      await new Promise((wake) => setTimeout(wake, pauseMs));
    }
  }
  return await call();
}

const BATCHED = batchRoom("");

/** The app's rooms among a socket's rooms, by their own names. */
export const roomsOf = (socket: AppSocket): string[] => namesOf(socket.rooms);

function namesOf(rooms: Iterable<string>): string[] {
  return [...rooms].flatMap((room) => {
    const name = room.startsWith(BATCHED) ? room.slice(BATCHED.length) : room;
    return name.startsWith("live:") || name.startsWith("party:") ? [name] : [];
  });
}
