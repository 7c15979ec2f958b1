import { PacketType } from "socket.io-parser";
import type { HandshakeRequest } from "./handshake-request.ts";
import {
  eventFrames,
  type Frame,
  type PreparedEvent,
  packetFrames,
  prepareEvent,
} from "./packets.ts";
import type { Session } from "./session.ts";
import type { Ack, DisconnectReason, Socket } from "./socket.ts";
import type { SocketState } from "./socket-state.ts";

/** What a socket needs of the connection that it is on. */
export interface Connection<Data> {
  readonly session: Pick<Session, "id" | "isOpen" | "send" | "hasRoomFor">;
  readonly request: HandshakeRequest;
  /** Keeps what an eviction must not take. */
  keep(): void;
  /** The socket is none of this connection's any more. */
  release(socket: LiveSocket<Data>): void;
  close(reason: DisconnectReason): Promise<void>;
}

/** What a socket needs of the server. */
export interface Hub<Data> {
  maxRooms: number;
  joined(socket: LiveSocket<Data>, room: string): void;
  left(socket: LiveSocket<Data>, room: string): void;
  /** Keeps the socket's state; throws when it is too large. */
  keep(socket: LiveSocket<Data>): void;
  /** The offset of now; null without recovery. */
  offset(): number | null;
  /** Sends an event to one socket, kept for replay. */
  sendTo(socket: LiveSocket<Data>, event: PreparedEvent, isVolatile: boolean): void;
  closed(socket: LiveSocket<Data>, reason: DisconnectReason): Promise<void>;
  nextAckId(): number;
  onError(error: unknown, where: string): void;
}

interface Asked {
  resolve(args: unknown[]): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

const ACK_TIMEOUT_MS = 5_000;
/** So many events of one socket may wait for their turn; a client that sends on is closed. */
const MAX_WAITING = 256;
const NOBODY: HandshakeRequest = { headers: {}, query: {}, address: "" };

/** The engine's own `Socket`. */
export class LiveSocket<Data> implements Socket<Data> {
  readonly id: string;
  readonly pid: string;
  readonly namespace: string;
  readonly recovered: boolean;
  readonly from: number;
  /** Null for one that is only told of, after its connection is gone. */
  readonly client: Connection<Data> | null;
  phase: "connecting" | "resuming" | "connected" | "gone" = "connecting";
  readonly #hub: Hub<Data>;
  readonly #rooms: Set<string>;
  readonly #since: Map<string, number>;
  #data: Data | null;
  #held: Frame[] = [];
  #asked = new Map<number, Asked>();
  #turn: Promise<void> | null = null;
  #waiting = 0;

  constructor(hub: Hub<Data>, client: Connection<Data> | null, state: SocketState) {
    this.#hub = hub;
    this.client = client;
    this.id = state.id;
    this.pid = state.pid;
    this.namespace = state.namespace;
    this.recovered = state.recovered;
    this.from = state.from;
    this.#rooms = new Set(state.rooms);
    this.#since = new Map(Object.entries(state.since));
    this.#data = dataOf<Data>(state.data);
  }

  /** One that is not there any more, for those who must be told. */
  static gone<Data>(hub: Hub<Data>, state: SocketState): LiveSocket<Data> {
    const socket = new LiveSocket<Data>(hub, null, state);
    socket.phase = "gone";
    return socket;
  }

  get sessionId(): string {
    return this.client?.session.id ?? "";
  }

  get request(): HandshakeRequest {
    return this.client?.request ?? NOBODY;
  }

  get connected(): boolean {
    return this.phase === "connected";
  }

  get rooms(): ReadonlySet<string> {
    return this.#rooms;
  }

  get data(): Readonly<Data> | null {
    return this.#data;
  }

  set data(value: Data | null) {
    const before = this.#data;
    this.#data = value;
    this.#keepOr(() => {
      this.#data = before;
    });
  }

  get state(): SocketState {
    const { namespace, id, pid, recovered, from } = this;
    const [rooms, since] = [[...this.#rooms], Object.fromEntries(this.#since)];
    return { namespace, id, pid, rooms, since, data: this.#data, recovered, from };
  }

  /** Once it is gone this, like `leave`, is only for those who are told of its leaving, in their turn. */
  join(room: string): void {
    if (this.#rooms.has(room) || room === this.id) return;
    if (this.#rooms.size >= this.#hub.maxRooms) throw new RangeError("too many rooms");
    this.#rooms.add(room);
    const since = this.#hub.offset();
    if (since !== null) this.#since.set(room, since);
    this.#keepOr(() => {
      this.#rooms.delete(room);
      this.#since.delete(room);
    });
    if (this.connected) this.#hub.joined(this, room);
  }

  leave(room: string): void {
    if (!this.#rooms.delete(room)) return;
    this.#since.delete(room);
    this.#hub.left(this, room);
    this.#keepOr(() => undefined);
  }

  emit(name: string, ...args: unknown[]): void {
    this.send(prepareEvent(name, args));
  }

  send(event: PreparedEvent, options: { volatile?: boolean } = {}): void {
    if (this.phase !== "gone") this.#hub.sendTo(this, event, options.volatile ?? false);
  }

  acknowledge(ackId: number, ...args: unknown[]): void {
    const { namespace: nsp } = this;
    this.deliver(packetFrames({ type: PacketType.ACK, nsp, id: ackId, data: args }));
  }

  emitWithAck(
    name: string,
    args: unknown[],
    { timeoutMs = ACK_TIMEOUT_MS }: { timeoutMs?: number } = {},
  ): Promise<unknown[]> {
    if (this.phase === "gone") return Promise.reject(new Error("the socket is gone"));
    const ackId = this.#hub.nextAckId();
    const frames = eventFrames(prepareEvent(name, args), this.namespace, { ackId });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#asked.delete(ackId);
        reject(new Error("the client did not acknowledge in time"));
      }, timeoutMs);
      this.#asked.set(ackId, { resolve, reject, timer });
      this.deliver(frames);
    });
  }

  disconnect(close = false): void {
    if (this.phase === "gone") return;
    this.deliver(packetFrames({ type: PacketType.DISCONNECT, nsp: this.namespace }));
    void this.end("server namespace disconnect");
    if (close) void this.client?.close("forced close");
  }

  /** Whether the client, being connected, can take so much more at once. */
  hasRoomFor(bytes: number): boolean {
    return this.connected && (this.client?.session.hasRoomFor(bytes) ?? false);
  }

  /** Frames for this client; before it is connected they wait for the CONNECT packet, a recovered one's in the log. */
  deliver(frames: readonly Frame[]): void {
    if (this.phase === "connected") {
      for (const frame of frames) this.client?.session.send(frame);
    } else if (this.phase === "connecting" && !this.recovered) {
      this.#held.push(...frames);
    }
  }

  /** Opens the way to the client: first these frames, then what waited. */
  open(first: readonly Frame[]): void {
    this.phase = "connected";
    this.deliver(first);
    this.deliver(this.#held.splice(0));
  }

  /** The client's answer to `emitWithAck`; one that nobody waits for is ignored. */
  acknowledged(ackId: number, args: unknown[]): void {
    const asked = this.#asked.get(ackId);
    if (!asked) return;
    this.#asked.delete(ackId);
    clearTimeout(asked.timer);
    asked.resolve(args);
  }

  /** The callback that answers one event of the client. */
  ackOf(id: number): Ack {
    let isSent = false;
    const ack = (...args: unknown[]) => {
      if (isSent) return;
      isSent = true;
      this.acknowledge(id, ...args);
    };
    return Object.assign(ack, { id });
  }

  /**
   * Runs work for this socket in its turn; what it throws is told and gone. Refused, with false, when too much waits.
   * What came before the client left is still done, and its leaving comes after.
   */
  inTurn(work: () => Promise<void> | void, isForced = false): Promise<void> | boolean {
    if (this.#turn !== null) {
      if (this.#waiting >= MAX_WAITING && !isForced) return false;
      this.#waiting += 1;
      this.#turn = this.#turn.then(() => {
        this.#waiting -= 1;
        return this.#guarded(work);
      });
    } else {
      this.#turn = this.#guarded(work) ?? null;
    }
    const turn = this.#turn;
    if (turn === null) return true;
    return turn.then(() => {
      if (this.#turn === turn) this.#turn = null;
    });
  }

  /** The socket leaves; tells the application once if it knew of it. */
  async end(reason: DisconnectReason): Promise<void> {
    const wasKnown = this.phase === "connected" || this.phase === "resuming";
    this.phase = "gone";
    this.#held = [];
    for (const { timer, reject } of this.#asked.values()) {
      clearTimeout(timer);
      reject(new Error("the socket is gone"));
    }
    this.#asked.clear();
    if (wasKnown) await this.#hub.closed(this, reason);
  }

  #guarded(work: () => Promise<void> | void): Promise<void> | undefined {
    try {
      return work()?.catch((error: unknown) => this.#hub.onError(error, "event"));
    } catch (error) {
      this.#hub.onError(error, "event");
      return undefined;
    }
  }

  #keepOr(undo: () => void): void {
    if (this.phase !== "connected" && this.phase !== "resuming") return;
    try {
      this.#hub.keep(this);
    } catch (error) {
      undo();
      throw error;
    }
  }
}

/** The application's own value as it was given to `data`: its type is the engine's type parameter, on trust. */
export function dataOf<Data>(value: unknown): Data | null {
  return (value ?? null) as Data | null;
}
