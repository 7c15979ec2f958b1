import { inTime } from "../../../shared/time/in-time.ts";
import type { Delivery, RoomReply } from "../rooms/ops.ts";
import type { DisconnectReason } from "../socketio/index.ts";
import { batchOf, batchRoom } from "./batches.ts";
import { type AppSocket, type Desk, UNAVAILABLE } from "./desk.ts";
import type { SocketData } from "./people.ts";
import { Places, seatIn } from "./places.ts";
import { NO_ROOM } from "./spots.ts";
import { RETRIES_MS, stubbornly } from "./stubbornly.ts";

/** A socket watches one room; a few more are for apps that preview. */
const MAX_ROOMS = 10;
/** After these a client does not come back by itself. */
const FOR_GOOD: DisconnectReason[] = [
  "client namespace disconnect",
  "server namespace disconnect",
  "flood",
];

/** Who comes back does not wait longer for his rooms. */
const ENTRY_MS = 3_000;

/** A socket that is about to go on, and waits for a room to let it in. */
interface Entry {
  socket: AppSocket;
  done(isWhole: boolean): void;
}

/** Keeps rooms, and the homes of persons, in step with where the sockets of this shard are. */
export class Attendance {
  readonly #desk: Desk;
  readonly #retriesMs: readonly number[];
  readonly #entryMs: number;
  readonly #places: Places;
  /** By room and socket. */
  readonly #entries = new Map<string, Map<string, Entry>>();

  constructor(desk: Desk, retriesMs: readonly number[] = RETRIES_MS, entryMs = ENTRY_MS) {
    this.#desk = desk;
    this.#retriesMs = retriesMs;
    this.#entryMs = entryMs;
    this.#places = new Places(desk, retriesMs);
  }

  /** Puts a socket into a room, on a seat or standing. What is said from now on reaches it. */
  async join(socket: AppSocket, room: string, seat: number | null): Promise<RoomReply> {
    return await this.#join(socket, room, { seat, isQuiet: false });
  }

  /**
   * A join of ours, not the client's, who asks no second time: it is tried again, and where the room stays silent the next
   * round tells it (`sheets`). A seat that it holds is its seat there too, unless somebody else has taken it.
   */
  async joinQuietly(socket: AppSocket, room: string): Promise<RoomReply> {
    const seat = seatIn(socket, room) ?? null;
    const reply = await this.#join(socket, room, { seat, isQuiet: true });
    if (reply.ok || seat === null || reply.code === UNAVAILABLE.code) return reply;
    return await this.#join(socket, room, { seat: null, isQuiet: true });
  }

  async #join(
    socket: AppSocket,
    room: string,
    { seat, isQuiet }: { seat: number | null; isQuiet: boolean },
  ): Promise<RoomReply> {
    const { data } = socket;
    if (!data) return { ok: false, ...UNAVAILABLE };
    const place = data.isBatched ? batchRoom(room) : room;
    const wasIn = socket.rooms.has(place);
    if (!wasIn && roomsOf(socket).length >= MAX_ROOMS) {
      return { ok: false, code: "conflict", message: "Terlalu banyak ruangan" };
    }
    if (!this.isWanted(room)) this.#desk.marks.forget(room);
    socket.join(place);
    const reply = await this.#ask(socket, room, { seat, isQuiet });
    const isDue = !reply.ok && isQuiet && reply.code === UNAVAILABLE.code && socket.connected;
    if (!reply.ok && !wasIn && !isDue) socket.leave(place);
    if (!reply.ok) return reply;
    this.#desk.marks.joined(room, reply.mark ?? 0);
    this.#places.sits(socket, room, seat);
    return reply;
  }

  /**
   * A lost socket is about to go on, here or from another shard. Each room that it was in lets it in with what its shard
   * has not heard, in step with what it says to all. False where that is not all that it missed: the room has forgotten a
   * part, was evicted, or does not answer; or this shard does not know what it has heard.
   */
  async resume(socket: AppSocket): Promise<boolean> {
    const { marks } = this.#desk;
    const here = roomsOf(socket).map((room) => [room, marks.of(room)] as const);
    const rooms = [...here, ...Object.entries(socket.data?.pending ?? {})];
    const entries = rooms.map(([room, since]) => this.#enter(socket, room, since));
    try {
      return (await inTime(this.#entryMs, Promise.all(entries))).every((isWhole) => isWhole);
    } catch {
      return false;
    } finally {
      for (const [room] of rooms) this.#awaitNoMore(socket, room);
    }
  }

  async #enter(socket: AppSocket, room: string, since: number | null): Promise<boolean> {
    const entries = this.#entries.get(room) ?? new Map<string, Entry>();
    this.#entries.set(room, entries);
    const isWhole = new Promise<boolean>((done) => entries.set(socket.id, { socket, done }));
    try {
      const seat = seatIn(socket, room) ?? null;
      const reply = await this.#ask(socket, room, { seat, isQuiet: true, since });
      if (reply.ok) return await isWhole;
      if (seat === null || reply.code === UNAVAILABLE.code) return false;
      const standing = await this.#ask(socket, room, { seat: null, isQuiet: true, since });
      if (!standing.ok || !(await isWhole)) return false;
      this.#places.sits(socket, room, null);
      return true;
    } finally {
      this.#awaitNoMore(socket, room);
    }
  }

  /** Another connection may have come back as the same socket, and wait for its own entry. */
  #awaitNoMore(socket: AppSocket, room: string): void {
    const entries = this.#entries.get(room);
    const entry = entries?.get(socket.id);
    if (!entries || entry?.socket !== socket) return;
    entry.done(false);
    entries.delete(socket.id);
    if (entries.size === 0) this.#entries.delete(room);
  }

  /** The room lets it in: what is said from now on reaches it. */
  entered(
    room: string,
    {
      socket: id,
      frames,
      isWhole,
    }: Pick<Extract<Delivery, { kind: "entry" }>, "socket" | "frames" | "isWhole">,
  ): void {
    const entry = this.#entries.get(room)?.get(id);
    const { data } = entry?.socket ?? {};
    if (!entry || !data) return;
    const { socket, done } = entry;
    if (isWhole && data.pending && room in data.pending) {
      if (!data.isBatched) for (const { event } of frames) socket.send(event);
      else if (frames.length > 0) socket.send(batchOf(frames));
      socket.data = { ...data, pending: without(data.pending, room) };
      socket.join(placeOf(socket, room));
    }
    done(isWhole);
  }

  /** What a socket takes along to another shard: the rooms are to be entered there. */
  packed(socket: AppSocket): { rooms: string[]; data: SocketData | null } {
    const { data } = socket;
    const marks = roomsOf(socket).map((room) => [room, this.#desk.marks.of(room)] as const);
    const pending = { ...data?.pending, ...Object.fromEntries(marks) };
    const rooms = [...socket.rooms].filter((room) => namesOf([room]).length === 0);
    return { rooms, data: data && { ...data, pending, moves: (data.moves ?? 0) + 1 } };
  }

  /** Takes a socket out of a room, as its client asked. A room that does not answer learns of it at the next round. */
  async leave(socket: AppSocket, room: string): Promise<void> {
    socket.leave(room);
    socket.leave(batchRoom(room));
    const data = socket.data;
    const seat = data?.seat?.room === room ? null : (data?.seat ?? null);
    const isKept = data?.seat?.room === room || (data?.pending && room in data.pending);
    if (data && (isKept || data.isAdrift)) {
      socket.data = { ...data, seat, pending: without(data.pending, room), isAdrift: false };
    }
    this.#places.tell("unplace", socket, room);
    try {
      await this.#desk.rooms.deliver(room, { kind: "leave", socket: socket.id, isGoodbye: true });
    } catch (error) {
      this.#desk.beside("leave", Promise.reject(error));
    }
  }

  /** Puts a socket back into its rooms: after a reconnect the app asks for none. A home that is away is asked at each round. */
  async restore(socket: AppSocket): Promise<void> {
    if (!socket.data || roomsOf(socket).length > 0) return;
    const { rooms, seats = {} } = await this.#places.recall(socket);
    if (roomsOf(socket).length > 0) return;
    const [taken] = Object.entries(seats);
    if (taken && socket.data) {
      const [room, seat] = taken;
      socket.data = { ...socket.data, seat: { room, seat } };
    }
    await Promise.all(rooms.map((room) => this.joinQuietly(socket, room)));
  }

  /** A socket is gone: it leaves its rooms now, and its person finds them again for a while. */
  lose(socket: AppSocket, reason: DisconnectReason): void {
    const kind = FOR_GOOD.includes(reason) ? "unplace" : "lost";
    const goodbye = reason === "client namespace disconnect" && { isGoodbye: true };
    const { rooms, beside } = this.#desk;
    for (const room of roomsToBeIn(socket)) {
      const leave = () => rooms.deliver(room, { kind: "leave", socket: socket.id, ...goodbye });
      const isGone = () => !this.#isBack(socket, room);
      // It is told after all that its client asked for before: the client may be here again.
      if (!isGone()) continue;
      beside("leave", stubbornly(leave, { pausesMs: this.#retriesMs, isDue: isGone }));
      this.#places.tell(kind, socket, room);
    }
  }

  /** Another connection goes on as this socket, or is about to. */
  #isBack(socket: AppSocket, room: string): boolean {
    const entry = this.#entries.get(room)?.get(socket.id);
    if (entry && entry.socket !== socket) return true;
    return this.#desk.engine.socket(socket.id) !== null;
  }

  /** True while a socket of this shard is in the room, is about to be, or may yet come back to it. */
  isWanted(room: string): boolean {
    const { engine } = this.#desk;
    if (this.#entries.has(room)) return true;
    return [room, batchRoom(room)].some((place) => engine.isFollowed(place));
  }

  /** The sockets of this shard by room, with those whose entry is on its way: the room may know of them already. */
  sheets(): Map<string, string[]> {
    const sheets = new Map<string, string[]>();
    for (const socket of this.#desk.engine.sockets()) {
      for (const room of roomsToBeIn(socket)) {
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
    if (socket?.rooms.has(placeOf(socket, room))) await this.joinQuietly(socket, room);
  }

  /** Tells the homes again what they know of this shard's sockets, so that it does not lapse, or asks what they did not say. */
  renewPlaces(sockets: AppSocket[] = this.#desk.engine.sockets()): void {
    for (const socket of sockets) {
      const rooms = roomsOf(socket);
      if (rooms.length === 0 && this.#places.isAsked(socket)) continue;
      if (rooms.length === 0 && socket.data?.isAdrift) {
        this.#desk.beside("restore", this.restore(socket));
        continue;
      }
      for (const room of rooms.length > 0 ? rooms : [NO_ROOM]) {
        this.#places.tell("place", socket, room);
      }
    }
  }

  async #ask(
    socket: AppSocket,
    room: string,
    { seat, isQuiet, since }: { seat: number | null; isQuiet: boolean; since?: number | null },
  ): Promise<RoomReply> {
    const person = socket.data?.person;
    if (!person) return { ok: false, ...UNAVAILABLE };
    try {
      const joining = { kind: "join", socket: socket.id, person, seat, quiet: isQuiet } as const;
      const op = since === undefined ? joining : { ...joining, since };
      const bring = () => this.#desk.rooms.deliver(room, op);
      const isDue = () =>
        socket.connected || this.#entries.get(room)?.get(socket.id)?.socket === socket;
      return await (isQuiet ? stubbornly(bring, { pausesMs: this.#retriesMs, isDue }) : bring());
    } catch (error) {
      this.#desk.beside("join", Promise.reject(error));
      return { ok: false, ...UNAVAILABLE };
    }
  }
}

const placeOf = ({ data }: AppSocket, room: string) => (data?.isBatched ? batchRoom(room) : room);

function without<T>(record: Record<string, T> | undefined, key: string): Record<string, T> {
  const { [key]: _, ...rest } = record ?? {};
  return rest;
}

const BATCHED = batchRoom("");

/** The app's rooms among a socket's rooms, by their own names. */
export const roomsOf = (socket: AppSocket): string[] => namesOf(socket.rooms);

/** With those that it was in on another shard and is not in here yet. */
const roomsToBeIn = (socket: AppSocket): Set<string> =>
  new Set([...roomsOf(socket), ...Object.keys(socket.data?.pending ?? {})]);

function namesOf(rooms: Iterable<string>): string[] {
  return [...rooms].flatMap((room) => {
    const name = room.startsWith(BATCHED) ? room.slice(BATCHED.length) : room;
    return name.startsWith("live:") || name.startsWith("party:") ? [name] : [];
  });
}
