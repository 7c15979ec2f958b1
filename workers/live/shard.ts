import { DurableObject } from "cloudflare:workers";
import { loadConfig } from "../../shared/config/config.ts";
import { type Actor, type Ctx, createContext } from "../../shared/context.ts";
import { createLog, describeError } from "../../shared/log.ts";
import { inTime } from "../../shared/time/in-time.ts";
import { Courier, Couriers, callTwice } from "./courier.ts";
import { ObjectTables } from "./object-tables.ts";
import type { Delivery, Frame } from "./rooms/ops.ts";
import {
  type PreparedEvent,
  SocketIoEngine,
  type TakeoverOptions,
  type TakeoverWish,
} from "./socketio/index.ts";
import { Arrivals } from "./sockets/arrivals.ts";
import { Attendance } from "./sockets/attendance.ts";
import { Batches, batchRoom } from "./sockets/batches.ts";
import { Chores } from "./sockets/chores.ts";
import type { Desk } from "./sockets/desk.ts";
import { Directory, type HomeOp, SHARD_TABLES } from "./sockets/directory.ts";
import { ENGINE_OPTIONS } from "./sockets/engine-options.ts";
import { knownShard } from "./sockets/home.ts";
import { Marks } from "./sockets/marks.ts";
import { type Move, Moves } from "./sockets/moves.ts";
import { profilesOf, type SocketData } from "./sockets/people.ts";
import { Reception } from "./sockets/reception.ts";
import { Requests } from "./sockets/requests.ts";
import type { HomeReply } from "./sockets/spots.ts";
import { close, isUserHere, sendTo } from "./sockets/user-sockets.ts";

/** Who connects does not wait longer for a database that hangs: he is let in on his token's signature. */
const PROFILES_MS = 3_000;

/**
 * One of a fixed number of objects (`s0` …) that hold the sockets: a user's on the shard of his id where the request
 * names him, else on any. It speaks Socket.IO, knows who is who, brings what sockets ask to rooms and what rooms say to
 * sockets. It is also the home of some users: it knows all other shards that have a socket of theirs.
 */
export class SocketShard extends DurableObject<Env> {
  readonly #engine: SocketIoEngine<SocketData>;
  readonly #directory: Directory;
  readonly #desk: Desk;
  readonly #attendance: Attendance;
  readonly #requests: Requests;
  readonly #batches: Batches;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    const tables = new ObjectTables(state.storage, SHARD_TABLES);
    void state.blockConcurrencyWhile(async () => tables.open());
    this.#directory = new Directory(tables, () => Date.now());
    const options = { ...ENGINE_OPTIONS, takeover: this.#takeover() };
    const engine = new SocketIoEngine<SocketData>(state, options, {
      identify: (request, auth) => reception.identify(request, auth),
      owns: (data, who) => reception.owns(data, who),
      moving: (socket, to) => reception.moving(socket, to),
      moved: (socket) => reception.moved(socket),
      connect: (socket, auth) => reception.connect(socket, auth),
      resume: (socket) => reception.resume(socket),
      connected: (socket) => reception.connected(socket),
      event: (socket, name, args, ack) => reception.event(socket, name, args, ack),
      disconnect: (socket, reason) => {
        reception.disconnect(socket, reason);
        chores.rest();
      },
      written: () => {
        // What waits has been heard: it is among what is written, or the room is asked for it again.
        this.#batches.flush();
        desk.marks.save((room) => attendance.isWanted(room));
      },
      wake: () => chores.run(),
    });
    this.#engine = engine;
    const desk = this.#openDesk(engine, tables);
    this.#desk = desk;
    const attendance = new Attendance(desk);
    this.#attendance = attendance;
    this.#requests = new Requests(desk, attendance);
    this.#batches = new Batches(engine);
    const chores = new Chores({ desk, attendance, tables });
    const reception = new Reception({
      desk,
      attendance,
      requests: this.#requests,
      startChores: (expiresAt) => chores.start(expiresAt),
    });
  }

  override async fetch(request: Request): Promise<Response> {
    return await this.#engine.fetch(request, this.#desk.name);
  }

  override async webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    await this.#engine.webSocketMessage(ws, message);
  }

  override async webSocketClose(ws: WebSocket): Promise<void> {
    await this.#engine.webSocketClose(ws);
  }

  override async webSocketError(ws: WebSocket): Promise<void> {
    await this.#engine.webSocketError(ws);
  }

  override async alarm(): Promise<void> {
    await this.#engine.alarm();
  }

  /** What a room has for its sockets here; `wanted` is false when there are none, nor any that may come back. */
  deliver(room: string, deliveries: Delivery[]): { wanted: boolean } {
    let reached = 0;
    const frames: Frame[] = [];
    for (const delivery of deliveries) {
      if (delivery.kind === "frame") frames.push(delivery.frame);
      else if (delivery.kind === "answer") this.#requests.answerGift(delivery.answer);
      else {
        // What came before is not for the one who enters, nor what waits to be sent as a batch.
        reached += this.#say(room, frames.splice(0));
        this.#batches.flush();
        this.#heard(room, { after: delivery.mark, mark: delivery.mark });
        this.#attendance.entered(room, delivery);
      }
    }
    reached += this.#say(room, frames);
    const wanted = reached > 0 || this.#attendance.isWanted(room);
    if (!wanted) this.#desk.marks.forget(room);
    return { wanted };
  }

  #say(room: string, frames: Frame[]): number {
    if (frames.length === 0) return 0;
    const target = this.#engine.isFollowed(room) ? this.#engine.to(room) : null;
    let reached = 0;
    for (const frame of frames) {
      this.#heard(room, frame);
      const { event, except, isVolatile } = frame;
      const left = except === null ? {} : { except: [except] };
      reached += target?.send(event, { volatile: isVolatile, ...left }) ?? 0;
    }
    if (this.#engine.isFollowed(batchRoom(room))) this.#batches.add(room, frames);
    return reached;
  }

  /** What a room said between this and the last that came here is lost to those who are away. */
  #heard(room: string, numbers: { after: number; mark: number }): void {
    if (this.#desk.marks.heard(room, numbers)) return;
    for (const place of [room, batchRoom(room)]) this.#engine.missed(place);
  }

  /** Another shard has a client that was here, or began here. */
  handOver(wish: TakeoverWish): Promise<string | null> {
    // What waits to be sent as a batch has come already.
    this.#batches.flush();
    return this.#engine.handOver(wish);
  }

  /** What other shards tell this one as the home of persons. */
  applyHome(ops: HomeOp[]): HomeReply[] {
    return this.#directory.apply(ops);
  }

  /**
   * As the home of a user: sends an event to all his sockets, here and elsewhere; to each once by its `id`. The release
   * before names none.
   */
  async forwardToUser(
    userId: number,
    event: PreparedEvent,
    id: string = crypto.randomUUID(),
  ): Promise<void> {
    this.sendToUser(userId, event, id);
    await this.#elsewhere(userId, (shard) => shard.sendToUser(userId, event, id));
  }

  /**
   * Answers, as the next one, whether the user has a socket here, or had until just now: to where that went the event is
   * passed on. `id` is the event's own: it may be brought twice.
   */
  sendToUser(userId: number, event: PreparedEvent, id: string): boolean {
    sendTo(this.#desk, userId, event, id);
    const gone = this.#desk.moves.of(userId);
    for (const move of gone) this.#passOn(move, event, id);
    return gone.length > 0 || isUserHere(this.#desk, userId);
  }

  /** Takes an event for one socket from the shard that it left with some move. */
  takeOver({ socket, userId, turn }: Move, event: PreparedEvent, id: string): void {
    const { moves } = this.#desk;
    const next = moves.after(socket, turn);
    if (next) this.#passOn(next, event, id);
    else if (moves.passedOn(id, { socket, userId })) this.#engine.to(socket).send(event);
  }

  #passOn({ shard, ...move }: Move, event: PreparedEvent, id: string): void {
    const next = this.env.SOCKET_SHARD.getByName(shard);
    const bring = () => next.takeOver({ ...move, shard }, event, id);
    this.#desk.beside("passing on", callTwice(bring));
  }

  /** As the home of a user: closes his sockets, here and elsewhere; with a session only those of that sign-in. */
  async endUser(userId: number, reason: string, sessionId: string | null): Promise<void> {
    close(this.#desk, userId, reason, sessionId);
    await this.#elsewhere(userId, (shard) => shard.closeUser(userId, reason, sessionId));
  }

  closeUser(userId: number, reason: string, sessionId: string | null): boolean {
    close(this.#desk, userId, reason, sessionId);
    return isUserHere(this.#desk, userId);
  }

  async #elsewhere(
    userId: number,
    call: (shard: DurableObjectStub<SocketShard>) => Promise<boolean>,
  ): Promise<void> {
    const ask = (name: string) => callTwice(() => call(this.env.SOCKET_SHARD.getByName(name)));
    for (const result of await this.#directory.askShards(userId, ask)) {
      if (result.status === "rejected") this.#warn("user", result.reason);
    }
  }

  #takeover(): TakeoverOptions {
    const call = async (name: string, wish: TakeoverWish) => {
      const shard = knownShard(name, loadConfig(this.env).LIVE_SHARDS);
      return shard === null ? null : await this.env.SOCKET_SHARD.getByName(shard).handOver(wish);
    };
    return { shard: this.#name, call };
  }

  /** Shards are addressed by their names; nothing else reaches one. */
  get #name(): string {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("a shard was addressed without its name");
    return name;
  }

  #openDesk(engine: SocketIoEngine<SocketData>, tables: ObjectTables): Desk {
    const name = this.#name;
    const { ROOM, SOCKET_SHARD } = this.env;
    const config = loadConfig(this.env);
    const context = (actor?: Actor) => this.#context(actor);
    return {
      ...{ name, engine, context },
      arrivals: new Arrivals(),
      moves: new Moves(() => Date.now()),
      marks: new Marks(tables, () => engine.wasCut),
      shards: config.LIVE_SHARDS,
      guestChat: config.LIVE_GUEST_CHAT === "on",
      giftDrawings: config.LIVE_GIFT_DRAWINGS === "on",
      rooms: new Couriers((room, ops) => ROOM.getByName(room).apply(name, ops)),
      homes: new Couriers(async (home, ops) =>
        home === name
          ? this.#directory.apply(ops)
          : await SOCKET_SHARD.getByName(home).applyHome(ops),
      ),
      profiles: new Courier((signIns) => inTime(PROFILES_MS, profilesOf(context(), signIns))),
      now: () => Date.now(),
      beside: (what, work) =>
        this.ctx.waitUntil(work.catch((error: unknown) => this.#warn(what, error))),
    };
  }

  #warn(what: string, error: unknown): void {
    createLog("shard").warn("a shard could not tell", { what, ...describeError(error) });
  }

  #context(actor?: Actor): Ctx {
    return createContext(this.env, {
      config: loadConfig(this.env),
      requestId: crypto.randomUUID(),
      actor: actor ?? null,
      waitUntil: (work) => this.ctx.waitUntil(work),
    });
  }
}
