import { z } from "zod";
import type { Client } from "./client.ts";
import type { EngineIo } from "./engine.ts";
import type { Handlers } from "./handlers.ts";
import type { HandshakeRequest } from "./handshake-request.ts";
import { dataOf, type Hub, LiveSocket } from "./live-socket.ts";
import type { TakeoverOptions, TakeoverWish } from "./options.ts";
import type { Recovery } from "./recovery.ts";
import { Moved } from "./replay-log.ts";
import { shardOf } from "./session-id.ts";
import { SocketState } from "./socket-state.ts";

const Handed = z.object({ state: SocketState, packets: z.array(Moved), last: z.number() });

interface Parts<Data> {
  engine: EngineIo<Client<Data>>;
  handlers: Handlers<Data>;
  hub: Hub<Data>;
  recovery: Recovery;
  options: TakeoverOptions;
  /** Ends the connection of a socket that is not known to be lost. */
  lose(pid: string, namespace: string): Promise<void> | void;
}

const TIMEOUT_MS = 2_000;
/** So long is known where a socket went: it comes back through here however often it moves. */
const POINTER_MS = 24 * 60 * 60 * 1_000;

/**
 * Recovery across objects. A pid names the object where its socket began; that one gives the socket to whom its client
 * has come to, or knows who has it by now. It is given once: it leaves the giver's storage before it is on its way. So a
 * taker asks one object, once, and what does not answer in time is a new session.
 */
export class Takeover<Data> {
  readonly #parts: Parts<Data>;

  constructor(parts: Parts<Data>) {
    this.#parts = parts;
  }

  /** The name that pids carry. */
  get shard(): string {
    return this.#parts.options.shard;
  }

  /** Brings a socket that another object has to this one, where its client waits; it can be recovered here then. */
  async bring(
    client: { request: HandshakeRequest },
    namespace: string,
    auth: Record<string, unknown> & { pid: string },
  ): Promise<void> {
    const { handlers, options, engine } = this.#parts;
    const origin = shardOf(auth.pid);
    if (origin === null) return;
    try {
      const who = handlers.identify ? await handlers.identify(client.request, auth) : "";
      if (who === null) return;
      const offset = typeof auth.offset === "string" ? auth.offset : null;
      const by = options.shard;
      const wish = { pid: auth.pid, offset, namespace, who, by, isPassedOn: false };
      const handed = await (origin === by ? this.#fromHolder(wish) : this.#ask(origin, wish));
      if (handed) this.#take(handed);
    } catch (error) {
      engine.settings.onError(error, "takeover");
    }
  }

  /** In one turn, so that nothing is sent to it in between. */
  #take(text: string): void {
    const { recovery, handlers, hub } = this.#parts;
    const handed = Handed.parse(JSON.parse(text));
    recovery.adopt(handed);
    handlers.moved?.(LiveSocket.gone(hub, handed.state));
  }

  /**
   * Another object has a client whose socket this one has, or had at first. It is given as a text: the result of a call
   * that is no plain value would hold this object until the other lets go of it.
   */
  async handOver(wish: TakeoverWish): Promise<string | null> {
    const { recovery, options } = this.#parts;
    if (recovery.find(wish.pid)) return await this.#give(wish);
    if (wish.isPassedOn || shardOf(wish.pid) !== options.shard) return null;
    return await this.#fromHolder(wish);
  }

  async #give(wish: TakeoverWish): Promise<string | null> {
    const { recovery, handlers, hub } = this.#parts;
    const found = recovery.find(wish.pid);
    if (!found || !this.#isFor(found, wish)) return null;
    void this.#parts.lose(wish.pid, wish.namespace);
    const handed = recovery.handOver(wish.pid, wish.offset);
    if (!handed) return null;
    this.#point(wish);
    const socket = LiveSocket.gone(hub, handed.state);
    const { rooms, data } = handlers.moving?.(socket, wish.by) ?? handed.state;
    const state = { ...handed.state, rooms: [...rooms], data };
    return JSON.stringify({ ...handed, state } satisfies z.infer<typeof Handed>);
  }

  #isFor({ namespace, data }: SocketState, { who, ...wish }: TakeoverWish): boolean {
    const { handlers } = this.#parts;
    if (namespace !== wish.namespace) return false;
    return handlers.owns?.(dataOf<Data>(data), who) ?? true;
  }

  /** As the object that the pid names: whoever took the socket gives it on. */
  async #fromHolder(wish: TakeoverWish): Promise<string | null> {
    const { db, settings } = this.#parts.engine;
    const [row] = db.rows<{ shard: string }>(
      "select shard from socketio_moved where pid = ? and until > ?",
      ...[wish.pid, settings.now()],
    );
    if (!row || row.shard === wish.by) return null;
    const handed = await this.#ask(row.shard, { ...wish, isPassedOn: true });
    if (handed) this.#point(wish);
    return handed;
  }

  async #ask(shard: string, wish: TakeoverWish): Promise<string | null> {
    const { call, timeoutMs = TIMEOUT_MS } = this.#parts.options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), timeoutMs);
    });
    try {
      return await Promise.race([call(shard, wish), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Written in the same turn as the socket leaves: its next taker asks here. */
  #point({ pid, by }: TakeoverWish): void {
    const { engine, options } = this.#parts;
    if (shardOf(pid) !== options.shard) return;
    if (by === options.shard) {
      engine.db.write("delete from socketio_moved where pid = ?", pid);
      return;
    }
    engine.db.write(
      "insert or replace into socketio_moved (pid, shard, until) values (?, ?, ?)",
      ...[pid, by, engine.settings.now() + POINTER_MS],
    );
  }

  /** Forgets where sockets went that nobody asks for any more; some each time, so that no call does much. */
  forgetOld(now: number): void {
    this.#parts.engine.db.write(
      `delete from socketio_moved where pid in
         (select pid from socketio_moved where until <= ? order by until limit 1000)`,
      now,
    );
  }
}
