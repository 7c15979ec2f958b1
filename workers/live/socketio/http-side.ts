import { decodePayload, type Packet } from "engine.io-parser";
import { closeQuietly } from "./close-quietly.ts";
import type { EngineIo } from "./engine.ts";
import { PollingTransport, payloadOf } from "./polling.ts";
import { refuse, type Wish, wishOf } from "./refusals.ts";
import type { Link } from "./registry.ts";
import type { Session } from "./session.ts";
import { newSessionId } from "./session-id.ts";

/** While an upgrade is under way a poll waits so long for its end, and is sent away then. */
const UPGRADE_POLL_MS = 100;
/** A poll that crosses its client's goodbye arrives no later than this. */
const CROSSING_MS = 1_000;

/** Handshakes, polls, posts and upgrades: the requests of Engine.IO. */
export class HttpSide<U> {
  readonly #engine: EngineIo<U>;
  /** Polling sessions that just said goodbye: the poll under way is still answered as if it had waited. */
  readonly #leaving = new Set<string>();

  constructor(engine: EngineIo<U>) {
    this.#engine = engine;
  }

  async answer(request: Request, shard: string): Promise<Response> {
    const { cors } = this.#engine.settings;
    if (cors && request.method === "OPTIONS") return withCors(preflight(request), request, cors);
    const response = await this.#answer(request, shard);
    return cors && response.status !== 101 ? withCors(response, request, cors) : response;
  }

  async #answer(request: Request, shard: string): Promise<Response> {
    const wish = wishOf(request);
    if (wish.kind === "refused") return refuse(wish.code);
    if (wish.kind === "open") {
      if (!(await this.#engine.settings.allow(request))) return refuse(4);
      return this.#open(request, shard, wish.transport);
    }
    const session = this.#engine.registry.find(wish.sid);
    if (!session) return this.#isLastPoll(wish) ? payloadOf(["6"]) : refuse(1);
    if (this.#isOverdue(session, wish.kind)) {
      await this.#engine.end(session, "ping timeout");
      return refuse(1);
    }
    const { polling } = session;
    if (wish.kind === "misused") return refuse(3);
    if (wish.kind === "upgrade") return this.#upgrade(session);
    if (!polling) return refuse(3);
    return wish.kind === "poll"
      ? await this.#poll(session, polling, request)
      : await this.#post(session, polling, request);
  }

  #open(request: Request, shard: string, transport: "polling" | "websocket"): Response {
    const { registry, db } = this.#engine;
    const session = registry.create(newSessionId(shard));
    if (transport === "polling") {
      session.polling = new PollingTransport(db, session.id);
      return payloadOf([this.#engine.opened(session, request)]);
    }
    const { 0: client, 1: server } = new WebSocketPair();
    registry.accept(server, session, "main");
    session.ws = server;
    server.send(this.#engine.opened(session, request));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Late by the clock though the alarm has not come to it yet. A post may be the answer to a ping that went out late. */
  #isOverdue(session: Session<U>, kind: Wish["kind"]): boolean {
    if (!session.polling) return false;
    const { pinged_at: pingedAt, check_at: checkAt } = this.#engine.clock.read();
    if (pingedAt === null || Math.max(session.openedAt, session.pongAt) >= pingedAt) return false;
    const dueAt = pingedAt + this.#engine.settings.pingTimeoutMs;
    return this.#engine.settings.now() >= (kind === "post" ? (checkAt ?? dueAt) : dueAt);
  }

  async #poll(session: Session<U>, polling: PollingTransport, request: Request): Promise<Response> {
    if (polling.isWaiting) {
      await this.#engine.end(session, "transport error");
      return refuse(3);
    }
    const answer = polling.poll();
    if (answer instanceof Response) return answer;
    const onAbort = () => void this.#engine.end(session, "transport close");
    request.signal.addEventListener("abort", onAbort, { once: true });
    if (this.#roleOfProbe(session) === "probed") this.#releaseSoon(session);
    const response = await answer;
    request.signal.removeEventListener("abort", onAbort);
    return response;
  }

  async #post(session: Session<U>, polling: PollingTransport, request: Request): Promise<Response> {
    const type = request.headers.get("content-type");
    if (session.isPosting || type === "application/octet-stream") {
      await this.#engine.end(session, "transport error");
      return refuse(3);
    }
    session.isPosting = true;
    const body = await readAtMost(request, this.#engine.settings.maxPayloadBytes);
    session.isPosting = false;
    if (body === null) return new Response(null, { status: 413 });
    if (!session.isOpen) return refuse(1);
    const handled: Promise<boolean>[] = [];
    const packets = decodePayload(body, "arraybuffer");
    for (const packet of packets) {
      if (packet.type === "close" && !polling.isWaiting) this.#expectLastPoll(session.id);
      handled.push(this.#engine.receive(session, packet));
      if (!session.isOpen) break;
    }
    // The answer does not wait for what handlers do, only for the session to have taken it all.
    void Promise.all(handled);
    const isBroken = packets.at(-1)?.type === "error";
    if (isBroken || polling !== session.polling) return refuse(3);
    return new Response("ok", { headers: { "content-type": "text/html" } });
  }

  #expectLastPoll(sid: string): void {
    this.#leaving.add(sid);
    setTimeout(() => this.#leaving.delete(sid), CROSSING_MS);
  }

  #isLastPoll(wish: Wish): boolean {
    return wish.kind === "poll" && this.#leaving.delete(wish.sid);
  }

  #upgrade(session: Session<U>): Response {
    const { registry, clock, settings } = this.#engine;
    const { 0: client, 1: server } = new WebSocketPair();
    const isTooLate = !session.polling || this.#roleOfProbe(session) !== null;
    registry.accept(server, session, "probe");
    if (isTooLate) {
      // As the official server does: the session goes on, the second WebSocket opens and is closed.
      registry.retire(server);
      server.close(1000, "upgraded already");
      return new Response(null, { status: 101, webSocket: client });
    }
    session.probe = server;
    clock.noLaterThan("deadline_at", settings.now() + settings.upgradeTimeoutMs);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** A packet on the WebSocket of an upgrade: the probe, then the switch; anything else ends the attempt. */
  probed(ws: WebSocket, link: Link<U>, { type, data }: Packet): void {
    const { session, role, at } = link;
    if (role === "probe" && type === "ping" && data === "probe") {
      this.#engine.registry.assign(ws, { session, role: "probed", at });
      ws.send("3probe");
      this.#releaseSoon(session);
    } else if (role === "probed" && type === "upgrade") {
      this.#switch(ws, session);
    } else {
      this.giveUpProbe(ws, link);
    }
  }

  giveUpProbe(ws: WebSocket, link: Link<U> | null): void {
    if (link) link.session.probe = null;
    this.#engine.registry.retire(ws);
    closeQuietly(ws, 1002, "upgrade failed");
  }

  upgradeDeadline(session: Session<U>): number | null {
    const link = session.probe ? this.#engine.registry.linkOf(session.probe) : null;
    return link ? link.at + this.#engine.settings.upgradeTimeoutMs : null;
  }

  /** The WebSocket takes over: what the client has not polled goes first, so nothing is lost or out of order. */
  #switch(ws: WebSocket, session: Session<U>): void {
    const { polling } = session;
    if (!polling) return;
    const frames = polling.drain();
    polling.answer(refuse(3));
    session.polling = null;
    session.probe = null;
    session.ws = ws;
    this.#engine.registry.assign(ws, { session, role: "main", at: session.openedAt });
    this.#engine.registry.forgetPolling(session);
    for (const frame of frames) session.send(frame);
  }

  #releaseSoon(session: Session<U>): void {
    setTimeout(() => {
      if (this.#roleOfProbe(session) === "probed") session.polling?.release();
    }, UPGRADE_POLL_MS);
  }

  #roleOfProbe(session: Session<U>): Link<U>["role"] | null {
    const { registry } = this.#engine;
    // Not met since the object woke: its attachment is found by the session's tag.
    if (!session.probe && session.polling) registry.linkProbes(session.id);
    return session.probe ? (registry.linkOf(session.probe)?.role ?? null) : null;
  }
}

/** What a page may send: what it asks for, such as its token in a header; as the official server does. */
function preflight(request: Request): Response {
  const wanted = request.headers.get("access-control-request-headers");
  const headers = new Headers({
    "access-control-allow-methods": "GET, POST",
    "access-control-max-age": "600",
    vary: "access-control-request-headers",
  });
  if (wanted !== null) headers.set("access-control-allow-headers", wanted);
  return new Response(null, { status: 204, headers });
}

function withCors(
  response: Response,
  request: Request,
  cors: (origin: string | null) => HeadersInit,
): Response {
  for (const [name, value] of new Headers(cors(request.headers.get("origin")))) {
    response.headers.set(name, value);
  }
  return response;
}

/** The body as text, or null when it has more bytes than that; never reads further. */
async function readAtMost(request: Request, maxBytes: number): Promise<string | null> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return null;
  if (!request.body) return "";
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
