import type { Packet } from "socket.io-parser";
import { Admission } from "./admission.ts";
import { Client, type ClientHost, ClientState } from "./client.ts";
import type { Times } from "./clock.ts";
import { Delivery } from "./delivery.ts";
import { EngineIo } from "./engine.ts";
import type { Handlers } from "./handlers.ts";
import type { HandshakeRequest } from "./handshake-request.ts";
import { type Hub, LiveSocket } from "./live-socket.ts";
import type { SocketIoOptions, TakeoverWish } from "./options.ts";
import { Recovery } from "./recovery.ts";
import { RoomIndex } from "./rooms.ts";
import type { Session } from "./session.ts";
import type { DisconnectReason, Socket, Target } from "./socket.ts";
import { Takeover } from "./takeover.ts";

const CONNECT_TIMEOUT_MS = 45_000;
const MAX_ROOMS = 100;
/** After these the client does not come back by itself: there is nothing to recover. */
const FINAL = new Set<DisconnectReason>([
  "client namespace disconnect",
  "server namespace disconnect",
  "parse error",
  "flood",
]);

/**
 * A Socket.IO v5 server inside one hibernating Durable Object. The object is a thin shell that hands its events on:
 *
 *     export class Shard extends DurableObject<Env> {
 *       readonly #io = new SocketIoEngine<Me>(this.ctx, { recovery: … }, { connect, event, disconnect });
 *       override fetch(request: Request) { return this.#io.fetch(request); }
 *       override webSocketMessage(ws: WebSocket, data: string | ArrayBuffer) { return this.#io.webSocketMessage(ws, data); }
 *       override webSocketClose(ws: WebSocket) { return this.#io.webSocketClose(ws); }
 *       override webSocketError(ws: WebSocket) { return this.#io.webSocketError(ws); }
 *       override alarm() { return this.#io.alarm(); }
 *     }
 *
 * The engine owns the object's alarm, WebSockets, auto-response and the tables named `socketio_…`; what else must happen
 * at a time goes through `wakeAt`. Requests with a session id (`sid`) belong to the object `shardOf(sid)`.
 */
export class SocketIoEngine<Data = unknown> {
  readonly #engine: EngineIo<Client<Data>>;
  readonly #options: SocketIoOptions;
  readonly #handlers: Handlers<Data>;
  readonly #index = new RoomIndex<Data>();
  readonly #recovery: Recovery | null;
  readonly #hub: Hub<Data>;
  readonly #delivery: Delivery<Data>;
  readonly #takeover: Takeover<Data> | null;
  readonly #admission: Admission<Data>;
  readonly #clientHost: ClientHost<Data>;
  #ackId = Math.floor(Math.random() * 2 ** 30);
  #orphansLookedFor: "none" | "some" | "all" = "none";

  constructor(state: DurableObjectState, options: SocketIoOptions, handlers: Handlers<Data>) {
    this.#options = options;
    this.#handlers = handlers;
    this.#hub = this.#makeHub();
    this.#engine = new EngineIo(state, options, {
      open: (session, request) => this.#opened(session, request),
      restored: (session) => this.#restored(session),
      message: (session, data) => session.upper?.receive(data),
      close: (session, reason) => this.#gone(session, reason),
      signal: (session) => session.upper?.mayGoOn() ?? true,
      deadlineOf: (session) => this.#deadlineOf(session),
      alarm: (now, times) => this.#rang(now, times),
    });
    const { settings, db, clock } = this.#engine;
    const noticeMs = settings.pingIntervalMs + settings.pingTimeoutMs;
    this.#recovery = options.recovery
      ? new Recovery(db, clock, options.recovery, {
          ...{ noticeMs, now: settings.now },
          written: () => this.#handlers.written?.(),
        })
      : null;
    void state.blockConcurrencyWhile(async () => this.#recovery?.begin());
    const { registry } = this.#engine;
    this.#delivery = new Delivery({
      ...{ index: this.#index, recovery: this.#recovery, wakeAll: () => registry.all() },
      ...{ now: settings.now, heavy: options.heavy },
    });
    this.#takeover = this.#openTakeover(options);
    this.#admission = new Admission({
      engine: this.#engine,
      handlers,
      hub: this.#hub,
      index: this.#index,
      recovery: this.#recovery,
      takeover: this.#takeover,
      namespaces: options.namespaces ?? ["/"],
    });
    this.#clientHost = this.#makeClientHost();
  }

  /** Every request of the client: handshake, poll, post, WebSocket. `shard` is the object's name unless told. */
  fetch(request: Request, shard?: string): Promise<Response> {
    return this.#engine.fetch(request, shard);
  }

  webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.#engine.webSocketMessage(ws, message);
  }

  webSocketClose(ws: WebSocket): Promise<void> {
    return this.#engine.webSocketClose(ws);
  }

  webSocketError(ws: WebSocket): Promise<void> {
    return this.#engine.webSocketError(ws);
  }

  alarm(): Promise<void> {
    return this.#engine.alarm();
  }

  /** The sockets of this object, all or of one namespace. After an eviction this reads every attachment once. */
  sockets(namespace?: string): Socket<Data>[] {
    this.#engine.registry.all();
    return [...(namespace ? this.#index.members(namespace, null) : this.#index.all())];
  }

  /** True while no socket is connected here. */
  get isEmpty(): boolean {
    this.#engine.registry.all();
    return this.#index.isEmpty;
  }

  /** The socket with this id, when it is connected here. */
  socket(id: string): Socket<Data> | null {
    this.#engine.registry.all();
    return this.#index.socket(id);
  }

  /** The sockets of a room in this object. */
  socketsIn(room: string, namespace = "/"): Socket<Data>[] {
    this.#engine.registry.all();
    return [...this.#index.members(namespace, room)];
  }

  /** Whether a socket of this object is in the room, or was lost and may come back to it: else nobody is to be told. */
  isFollowed(room: string, namespace = "/"): boolean {
    this.#engine.registry.all();
    for (const _ of this.#index.members(namespace, room)) return true;
    return this.isAwaited(room);
  }

  /** Whether a lost socket that was in this room may come back. */
  isAwaited(room: string): boolean {
    this.#tellOrphans(true);
    return this.#recovery?.isAwaited(room) ?? false;
  }

  /** True when an earlier life of this object ended with something unwritten: `written` was not called after it. */
  get wasCut(): boolean {
    return this.#recovery?.wasCut ?? false;
  }

  /** Something for a room never came to this object: who is away now, and was in it, is not recovered. */
  missed(room: string, namespace = "/"): void {
    this.#recovery?.log.lose(namespace, room);
  }

  /** What another object asks of this one for a client that came to it (`TakeoverOptions.call`); null: nothing for it. */
  async handOver(wish: TakeoverWish): Promise<string | null> {
    return (await this.#takeover?.handOver(wish)) ?? null;
  }

  /**
   * Sends to a room, or to one socket by its id: `to("live:1").emit("news", [message], { except: [socket.id] })`. The
   * packet is encoded once; each delivery is one look at a flag and one `send` of the same string.
   */
  to(room: string, namespace = "/"): Target {
    return this.#delivery.target(room, namespace);
  }

  /** Sends to every socket of a namespace in this object. */
  toAll(namespace = "/"): Target {
    return this.#delivery.target(null, namespace);
  }

  /** Has `wake` called at a time (ms) or soon after; there is one such time, kept through evictions. null cancels it. */
  wakeAt(at: number | null): void {
    this.#engine.clock.set({ wake_at: at });
  }

  #openTakeover({ takeover: options }: SocketIoOptions): Takeover<Data> | null {
    if (!options || !this.#recovery) return null;
    return new Takeover({
      engine: this.#engine,
      handlers: this.#handlers,
      hub: this.#hub,
      recovery: this.#recovery,
      options,
      lose: (pid, namespace) => this.#admission.lose(pid, namespace),
    });
  }

  #opened(session: Session<Client<Data>>, request: HandshakeRequest): void {
    session.upper = new Client(this.#clientHost, session, { request, hasJoined: false });
    session.upper.keep();
  }

  #restored(session: Session<Client<Data>>): void {
    const { request, hasJoined, sockets } = ClientState.parse(session.state);
    const client = new Client(this.#clientHost, session, { request, hasJoined });
    session.upper = client;
    for (const state of sockets) {
      const socket = new LiveSocket(this.#hub, client, state);
      socket.phase = "connected";
      client.sockets.set(state.namespace, socket);
      this.#index.add(socket);
    }
  }

  async #gone(session: Session<Client<Data>>, reason: DisconnectReason): Promise<void> {
    const client = session.upper;
    if (!client) return;
    client.destroy();
    await Promise.all([...client.sockets.values()].map((socket) => socket.end(reason)));
  }

  /** A connection has so long to join its first namespace. */
  #deadlineOf({ upper, openedAt }: Session<Client<Data>>): number | null {
    if (upper?.hasJoined) return null;
    return openedAt + (this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
  }

  async #rang(now: number, { expiry_at: expiryAt, wake_at: wakeAt }: Times): Promise<void> {
    this.#tellOrphans(false);
    this.#takeover?.forgetOld(now);
    if (this.#recovery && expiryAt !== null && expiryAt <= now) {
      for (const state of this.#recovery.expire(now)) {
        const socket = LiveSocket.gone(this.#hub, state);
        void this.#engine.guard("expired", () => this.#handlers.expired?.(socket));
      }
    }
    if (wakeAt === null || wakeAt > now) return;
    this.#engine.clock.set({ wake_at: null });
    await this.#handlers.wake?.();
  }

  /**
   * Those whose connection ended without our being told. Once a life when the alarm rings, which takes as many open sessions
   * for all who are known; and once when it is asked who is away: a session may not have said yet whose it is.
   */
  #tellOrphans(isAsked: boolean): void {
    if (!this.#recovery || this.#orphansLookedFor === "all") return;
    if (!isAsked && this.#orphansLookedFor === "some") return;
    this.#orphansLookedFor = isAsked ? "all" : "some";
    const { registry } = this.#engine;
    const orphans = this.#recovery.orphans(
      (sessionId) => registry.find(sessionId) !== null,
      () => (isAsked ? this.sockets().length : registry.open().length + registry.pollers().length),
    );
    for (const orphan of orphans) this.#admission.tellLost(orphan);
  }

  #event(socket: LiveSocket<Data>, { data, id }: Packet): Promise<void> | boolean {
    const [name, ...args]: unknown[] = data;
    const ack = id === undefined ? null : socket.ackOf(id);
    return socket.inTurn(() => this.#handlers.event?.(socket, String(name), args, ack));
  }

  async #closed(socket: LiveSocket<Data>, reason: DisconnectReason): Promise<void> {
    const { client } = socket;
    this.#index.remove(socket);
    client?.release(socket);
    if (client?.session.isOpen) client.keep();
    if (FINAL.has(reason)) this.#recovery?.forget(socket.pid);
    else this.#recovery?.lost(socket.sessionId, socket.state);
    await socket.inTurn(() => this.#handlers.disconnect?.(socket, reason), true);
  }

  #makeHub(): Hub<Data> {
    return {
      maxRooms: this.#options.maxRooms ?? MAX_ROOMS,
      joined: (socket, room) => this.#index.join(socket, room),
      left: (socket, room) => this.#index.leave(socket, room),
      keep: (socket) => {
        if (!socket.connected) return this.#recovery?.change(socket);
        socket.client?.keep();
        this.#recovery?.keep(socket.sessionId, socket);
      },
      offset: () => this.#recovery?.log.next() ?? null,
      sendTo: (socket, event, isVolatile) => this.#delivery.toSocket(socket, event, isVolatile),
      closed: (socket, reason) => this.#closed(socket, reason),
      nextAckId: () => {
        this.#ackId += 1;
        return this.#ackId;
      },
      onError: (error, where) => this.#engine.settings.onError(error, where),
    };
  }

  #makeClientHost(): ClientHost<Data> {
    return {
      flood: this.#options.flood ?? null,
      attachmentTimeoutMs: this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      now: this.#engine.settings.now,
      connect: (client, namespace, auth) => this.#admission.connect(client, namespace, auth),
      event: (socket, packet) => this.#event(socket, packet),
      close: (client, reason) => this.#engine.end(client.session, reason),
    };
  }
}
