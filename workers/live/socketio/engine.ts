import { decodePacket, type Packet } from "engine.io-parser";
import { Clock, type Times } from "./clock.ts";
import { closeQuietly } from "./close-quietly.ts";
import { type HandshakeRequest, keepOf } from "./handshake-request.ts";
import { Heartbeat } from "./heartbeat.ts";
import { HttpSide } from "./http-side.ts";
import { type EngineOptions, type EngineSettings, settle } from "./options.ts";
import { Registry } from "./registry.ts";
import type { Session } from "./session.ts";
import type { DisconnectReason } from "./socket.ts";
import { Storage } from "./storage.ts";

/** What the layer above an Engine.IO session does. What it throws is told to `onError` and goes no further. */
export interface EngineHandlers<U> {
  open?(session: Session<U>, request: HandshakeRequest): void;
  /** A session was read back after an eviction: `session.state` is what was kept. */
  restored?(session: Session<U>): void;
  message?(session: Session<U>, data: string | ArrayBuffer): Promise<void> | void;
  close?(session: Session<U>, reason: DisconnectReason): Promise<void> | void;
  /** A packet came that is none of the layer above, such as a pong or a no-op; false when it is one too many. */
  signal?(session: Session<U>): boolean;
  /** When the session is to be closed unless something changes; null for never. */
  deadlineOf?(session: Session<U>): number | null;
  /** The alarm rang; `times` is what was due before. */
  alarm?(now: number, times: Times): Promise<void> | void;
}

/** WebSocket close codes for what a client did; everything else closes with 1000. */
const CLOSE_CODES: Partial<Record<DisconnectReason, number>> = {
  "parse error": 1002,
  "transport error": 1002,
  "slow consumer": 1008,
  flood: 1008,
};
const TOO_BIG = 1009;

/**
 * An Engine.IO v4 server inside one hibernating Durable Object, usable alone: sessions over long polling and WebSocket,
 * upgrade, heartbeat, payload limits. A session's state is in its WebSocket's attachment, or in the object's storage while
 * it polls; only a waiting poll is in memory alone (it holds the object awake; a crash fails it at the client).
 */
export class EngineIo<U = unknown> {
  readonly settings: EngineSettings;
  readonly clock: Clock;
  readonly db: Storage;
  readonly registry: Registry<U>;
  readonly #state: DurableObjectState;
  readonly #handlers: EngineHandlers<U>;
  readonly #heartbeat: Heartbeat<U>;
  readonly #http: HttpSide<U>;

  constructor(state: DurableObjectState, options: EngineOptions, handlers: EngineHandlers<U>) {
    this.#state = state;
    this.#handlers = handlers;
    this.settings = settle(options);
    this.db = new Storage(state.storage);
    this.clock = new Clock(state.storage, this.db);
    void state.blockConcurrencyWhile(async () =>
      this.db.migrate((work) => state.storage.transactionSync(work)),
    );
    this.registry = new Registry(state, this.db, this.#host(), (session) => {
      void this.guard("restored", () => handlers.restored?.(session));
    });
    this.#heartbeat = new Heartbeat(this, (ws) => this.pongOf(ws));
    this.#http = new HttpSide(this);
    const isAuto = this.settings.pongs === "auto";
    state.setWebSocketAutoResponse(isAuto ? new WebSocketRequestResponsePair("3", "6") : undefined);
  }

  /** Answers every request of the protocol; nothing of it throws. `shard` is this object's name unless told. */
  async fetch(request: Request, shard = this.#state.id.name ?? "shard"): Promise<Response> {
    try {
      return await this.#http.answer(request, shard);
    } catch (error) {
      this.settings.onError(error, "request");
      return new Response("Internal error", { status: 500 });
    }
  }

  async webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const link = this.registry.linkOf(ws);
    if (!link) return closeQuietly(ws, 1000, "gone");
    const { session, role } = link;
    if (isLarger(message, this.settings.maxPayloadBytes)) {
      if (role !== "main") return this.#http.giveUpProbe(ws, link);
      return await this.end(session, "transport error", TOO_BIG);
    }
    const packet = decodePacket(message, "arraybuffer");
    if (role !== "main") return this.#http.probed(ws, link, packet);
    session.seenAt = this.settings.now();
    await this.receive(session, packet);
  }

  async webSocketClose(ws: WebSocket): Promise<void> {
    await this.#gone(ws, "transport close");
  }

  async webSocketError(ws: WebSocket): Promise<void> {
    await this.#gone(ws, "transport error");
  }

  /** The alarm waits for what the layer above does in it, but not long: one that hangs must not stop the heartbeat. */
  async alarm(): Promise<void> {
    let work = Promise.resolve();
    try {
      const times = this.clock.rang();
      const now = this.settings.now();
      this.#heartbeat.ring(now, times);
      if (times.deadline_at !== null && times.deadline_at <= now) this.#closeLate(now);
      work = this.guard("alarm", () => this.#handlers.alarm?.(now, times)) ?? work;
    } catch (error) {
      this.settings.onError(error, "alarm");
    } finally {
      this.rest();
      this.clock.rearm();
    }
    await this.#patiently(work);
  }

  /** Waits for work, at most a small part of the time that a client's answer may take. */
  async #patiently(work: Promise<void>): Promise<void> {
    const { pingIntervalMs, pingTimeoutMs } = this.settings;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(pingIntervalMs, pingTimeoutMs) / 4);
    });
    await Promise.race([work, enough]);
    clearTimeout(timer);
  }

  /** A session begins: heartbeat and time-outs run from here. */
  opened(session: Session<U>, request: Request): string {
    const { settings } = this;
    const kept = keepOf(request, settings.keepHeaders);
    void this.guard("open", () => this.#handlers.open?.(session, kept));
    // With a state it has been saved.
    if (session.state === null) session.save();
    this.clock.noLaterThan("ping_at", session.openedAt + settings.pingIntervalMs);
    const deadline = this.#handlers.deadlineOf?.(session) ?? null;
    if (deadline !== null) this.clock.noLaterThan("deadline_at", deadline);
    const facts = {
      sid: session.id,
      upgrades: session.ws ? [] : ["websocket"],
      pingInterval: settings.pingIntervalMs,
      pingTimeout: settings.pingTimeoutMs,
      maxPayload: settings.maxPayloadBytes,
    };
    return `0${JSON.stringify(facts)}`;
  }

  /** Takes one packet of an open session; false when it ended the session. */
  async receive(session: Session<U>, packet: Packet): Promise<boolean> {
    switch (packet.type) {
      case "message":
        await this.guard("message", () => this.#handlers.message?.(session, packet.data ?? ""));
        return session.isOpen;
      case "pong":
        session.pongAt = this.settings.now();
        if (this.#handlers.signal?.(session) ?? true) session.save();
        return session.isOpen;
      case "close":
        session.polling?.release();
        await this.end(session, "transport close");
        return false;
      case "ping":
        await this.end(session, "transport error");
        return false;
      case "error":
        await this.end(session, "parse error");
        return false;
      default:
        this.#handlers.signal?.(session);
        return session.isOpen;
    }
  }

  /** Ends a session, once, and tells the layer above. */
  async end(session: Session<U>, reason: DisconnectReason, code?: number): Promise<void> {
    if (!session.isOpen) return;

    session.isOpen = false;
    this.registry.remove(session);
    for (const ws of [session.ws, session.probe]) {
      if (!ws) continue;
      this.registry.retire(ws);
      closeQuietly(ws, code ?? CLOSE_CODES[reason] ?? 1000, reason);
    }
    if (session.polling) {
      session.polling.close();
      this.registry.forgetPolling(session);
    }
    await this.guard("close", () => this.#handlers.close?.(session, reason));
    this.rest();
  }

  /** An object without a session needs no heartbeat. */
  rest(): void {
    if (this.registry.isInUse) return;
    this.clock.set({ ping_at: null, check_at: null, pinged_at: null, deadline_at: null });
  }

  /** When the client of a WebSocket last answered a ping, as far as the runtime knows. */
  pongOf(ws: WebSocket): number {
    return this.#state.getWebSocketAutoResponseTimestamp(ws)?.getTime() ?? 0;
  }

  /** Runs what may throw; told to `onError`, and over. */
  guard(where: string, work: () => unknown): Promise<void> | undefined {
    const { onError } = this.settings;
    try {
      const result = work();
      if (!(result instanceof Promise)) return undefined;
      return result.then(
        () => undefined,
        (error: unknown) => onError(error, where),
      );
    } catch (error) {
      onError(error, where);
      return undefined;
    }
  }

  #closeLate(now: number): void {
    let next: number | null = null;
    for (const session of [...this.registry.all()]) {
      const upgrade = this.#http.upgradeDeadline(session);
      if (upgrade !== null && upgrade <= now && session.probe) {
        this.#http.giveUpProbe(session.probe, this.registry.linkOf(session.probe));
      }
      const deadline = this.#handlers.deadlineOf?.(session) ?? null;
      if (deadline !== null && deadline <= now) void this.end(session, "forced close");
      for (const at of [upgrade, deadline]) {
        if (at !== null && at > now) next = Math.min(next ?? at, at);
      }
    }
    this.clock.set({ deadline_at: next });
  }

  async #gone(ws: WebSocket, reason: "transport close" | "transport error"): Promise<void> {
    const link = this.registry.linkOf(ws);
    closeQuietly(ws, 1000, "");
    this.registry.unlink(ws);
    if (!link) return this.rest();
    if (link.role === "main") return await this.end(link.session, reason);
    link.session.probe = null;
  }

  #host() {
    const { maxBufferedBytes, pingTimeoutMs, now } = this.settings;
    return {
      maxBufferedBytes,
      patienceMs: pingTimeoutMs / 2,
      now,
      pongOf: (ws: WebSocket) => this.pongOf(ws),
      savePolling: (session: Session) => this.registry.savePolling(session),
      drop: (session: Session, reason: DisconnectReason) => {
        const known = this.registry.find(session.id);
        if (known) void this.end(known, reason);
      },
    };
  }
}

const encoder = new TextEncoder();

/** Whether a frame has more bytes than allowed; counts them only where the number of characters leaves it open. */
export function isLarger(message: string | ArrayBuffer, maxBytes: number): boolean {
  if (typeof message !== "string") return message.byteLength > maxBytes;
  if (message.length > maxBytes) return true;
  return message.length * 3 > maxBytes && encoder.encode(message).byteLength > maxBytes;
}
