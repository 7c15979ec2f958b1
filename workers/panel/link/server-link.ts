import { DurableObject } from "cloudflare:workers";
import { type EdgeFrame, SIGNATURE_WINDOW_MS } from "../../../shared/agent-protocol/index.ts";
import { loadConfig } from "../../../shared/config/config.ts";
import { createContext } from "../../../shared/context.ts";
import { seal, unseal } from "../../../shared/crypto/index.ts";
import { createLog, describeError } from "../../../shared/log.ts";
import { Asks } from "./asks.ts";
import { CommandDesk } from "./desk.ts";
import { AgentFrames } from "./frames.ts";
import { type News, newsOf } from "./news.ts";
import { AgentSocket, closeQuietly } from "./sockets.ts";
import { CommandStore } from "./store.ts";
import { migrate } from "./tables.ts";
import {
  type AnswerWire,
  type CommandViewWire,
  type KeySince,
  LINK_HEADERS,
  type LinkStatus,
  type SubmissionWire,
} from "./views.ts";

/** A nonce is kept for as long as a signature with it could pass for new, on either side of our clock. */
const NONCE_KEPT_MS = 2 * SIGNATURE_WINDOW_MS;
/** Later than any. */
const NO_KEY: KeySince = Number.MAX_SAFE_INTEGER;

/**
 * One per hosting server: holds its agent's socket and the commands on their way to it. They lie in its own SQLite until
 * Postgres has their ends, so neither an eviction nor a cut loses or repeats one. The heartbeat never wakes it.
 */
export class ServerLink extends DurableObject<Env> {
  readonly #socket: AgentSocket;
  readonly #store: CommandStore;
  readonly #desk: CommandDesk;
  readonly #asks: Asks;
  readonly #frames: AgentFrames;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    void state.blockConcurrencyWhile(async () => migrate(state.storage));
    const now = () => Date.now();
    const socket = new AgentSocket(state);
    const send = (frame: EdgeFrame) => socket.send(frame, now());
    this.#socket = socket;
    this.#store = new CommandStore(state.storage.sql);
    this.#asks = new Asks(send);
    this.#desk = new CommandDesk({
      ...{ store: this.#store, now, send },
      seal: (id, text) => seal(loadConfig(env), owner(id), text),
      unseal: (id, sealed) => unseal(loadConfig(env), owner(id), sealed),
      isConnected: () => socket.current(now()) !== null,
      begun: (id) => this.#beside("begin", this.#news().progressed(id, 0, [])),
      ended: (id) => frames.ended(id),
      progressed: (id, percent, lines) => frames.progressed(id, percent, lines),
      wakeBy: (time) => this.#beside("alarm", this.#wakeBy(time)),
    });
    const frames = new AgentFrames({
      ...{ socket, desk: this.#desk, asks: this.#asks, now },
      news: this.#news(),
      log: createLog("server-link"),
      beside: (what, work) => this.#beside(what, work),
    });
    this.#frames = frames;
  }

  /** Takes the socket of an agent whose signature the Worker has verified; its nonce counts once, its key while it is one. */
  override async fetch(request: Request): Promise<Response> {
    const nonce = request.headers.get(LINK_HEADERS.nonce);
    const since = Number(request.headers.get(LINK_HEADERS.keySince));
    if (!nonce || !this.takeNonce(nonce, since)) return new Response(null, { status: 401 });
    this.#asks.dropped();
    return this.#socket.accept(request.headers.get(LINK_HEADERS.address) ?? "-", Date.now());
  }

  override async webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#frames.receive(ws, message);
  }

  override async webSocketClose(ws: WebSocket, code: number): Promise<void> {
    // 1005 and 1006 tell of a close and are not sent as one.
    closeQuietly(ws, code === 1005 || code === 1006 ? 1000 : code, "");
    this.#gone(ws);
  }

  override async webSocketError(ws: WebSocket): Promise<void> {
    closeQuietly(ws, 1011, "");
    this.#gone(ws);
  }

  override async alarm(): Promise<void> {
    await this.#desk.chores();
  }

  /** See `Link.submit`. */
  async submit(command: SubmissionWire): Promise<CommandViewWire> {
    return await this.#desk.submit(command);
  }

  async wait(id: string, waitMs: number): Promise<CommandViewWire | null> {
    return await this.#desk.wait(id, waitMs);
  }

  forget(ids: string[]): void {
    this.#desk.forget(ids);
  }

  cancel(id: string): boolean {
    return this.#desk.cancel(id);
  }

  async ask(type: string, inputJson: string, waitMs: number): Promise<AnswerWire> {
    return await this.#asks.ask(type, inputJson, waitMs);
  }

  status(): LinkStatus {
    const now = this.#socket.current(Date.now());
    return {
      connected: now !== null,
      connectedAt: now && new Date(now.connection.connectedAt).toISOString(),
      agentVersion: now?.connection.agent?.version ?? null,
      seenAt: now && new Date(now.seenAt).toISOString(),
      waiting: this.#store.waiting(),
    };
  }

  /** True for a nonce that was not taken before, of a key that no later one has replaced meanwhile. */
  takeNonce(nonce: string, since: KeySince): boolean {
    const now = Date.now();
    if (since < this.#store.keySince()) return false;
    return this.#store.takeNonce(nonce, now + NONCE_KEPT_MS, now);
  }

  /** The server has a new key: what connected or connects with one before it is nobody. */
  revoke(since: KeySince): void {
    if (since <= this.#store.keySince()) return;
    this.#store.takeKey(since);
    this.#socket.close("revoked");
  }

  /** The server is gone: nothing of it stays but that no key is its. */
  async drop(): Promise<void> {
    this.#socket.close("revoked");
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    migrate(this.ctx.storage);
    this.#store.takeKey(NO_KEY);
  }

  #gone(ws: WebSocket): void {
    if (this.ctx.getWebSockets().every((other) => other === ws || other.readyState !== 1)) {
      this.#asks.dropped();
    }
  }

  async #wakeBy(time: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > time) await this.ctx.storage.setAlarm(time);
  }

  /** Each piece of news has a context of its own, so that one failing query spoils no other. */
  #news(): News {
    const each = () => {
      const { name } = this.ctx.id;
      if (name === undefined) throw new Error("a link was addressed without its server");
      const ctx = createContext(this.env, {
        config: loadConfig(this.env),
        requestId: crypto.randomUUID(),
        waitUntil: (work) => this.ctx.waitUntil(work),
      });
      return newsOf(ctx, name);
    };
    return {
      ended: (id) => each().ended(id),
      progressed: (...told) => each().progressed(...told),
      hello: (...told) => each().hello(...told),
      report: (report) => each().report(report),
      twins: (facts) => each().twins(facts),
    };
  }

  #beside(what: string, work: Promise<unknown>): void {
    this.ctx.waitUntil(
      work.catch((error: unknown) =>
        createLog("server-link").warn("a link could not tell", { what, ...describeError(error) }),
      ),
    );
  }
}

const owner = (id: string) => `panel-command/${id}`;
