import { z } from "zod";
import { PollingTransport } from "./polling.ts";
import { Attachment, Session, type SessionHost } from "./session.ts";
import type { Storage } from "./storage.ts";

/** What a WebSocket is for its session. */
export interface Link<U> {
  session: Session<U>;
  role: "main" | "probe" | "probed";
  at: number;
}

const PollingRow = z.object({
  sid: z.string(),
  opened_at: z.number(),
  pong_at: z.number(),
  state: z.string().nullable(),
});
const POLLING = "select sid, opened_at, pong_at, state from socketio_polling";

/**
 * The sessions of the object: in memory those that were met since it woke, the others in attachments and in storage.
 * A message reads its own socket's attachment only; `all()` reads the rest, once a life.
 */
export class Registry<U> {
  readonly #state: DurableObjectState;
  readonly #db: Storage;
  readonly #host: SessionHost;
  readonly #restored: (session: Session<U>) => void;
  readonly #sessions = new Map<string, Session<U>>();
  readonly #links = new WeakMap<WebSocket, Link<U> | null>();
  #isComplete = false;

  constructor(
    state: DurableObjectState,
    db: Storage,
    host: SessionHost,
    restored: (session: Session<U>) => void,
  ) {
    this.#state = state;
    this.#db = db;
    this.#host = host;
    this.#restored = restored;
  }

  /** A new session; it has no transport yet. */
  create(id: string): Session<U> {
    const openedAt = this.#host.now();
    const session = new Session<U>(this.#host, { id, openedAt, pongAt: 0, state: null });
    this.#sessions.set(id, session);
    return session;
  }

  accept(ws: WebSocket, session: Session<U>, role: "main" | "probe"): void {
    const at = this.#host.now();
    this.#state.acceptWebSocket(ws, [session.id, role]);
    this.#links.set(ws, { session, role, at });
    // A session's main WebSocket is saved with its state, as it opens.
    if (role === "probe") ws.serializeAttachment(session.attachment(role, at));
  }

  /** Changes what a WebSocket is for its session, for this life and the next. */
  assign(ws: WebSocket, link: Link<U>): void {
    this.#links.set(ws, link);
    const at = link.role === "main" ? link.session.openedAt : link.at;
    ws.serializeAttachment(link.session.attachment(link.role, at));
  }

  /** The session of a WebSocket; null for one that is done for. */
  linkOf(ws: WebSocket): Link<U> | null {
    const known = this.#links.get(ws);
    if (known !== undefined) return known;
    const parsed = Attachment.safeParse(ws.deserializeAttachment());
    const link = parsed.success ? this.#restore(ws, parsed.data) : null;
    this.#links.set(ws, link);
    return link;
  }

  find(sid: string): Session<U> | null {
    const known = this.#sessions.get(sid);
    if (known || this.#isComplete) return known ?? null;
    const [row] = this.#db.rows(`${POLLING} where sid = ?`, sid);
    if (row) return this.#poller(row);
    for (const ws of this.#state.getWebSockets(sid)) {
      const link = ws.readyState === WebSocket.OPEN ? this.linkOf(ws) : null;
      if (link) return link.session;
    }
    return null;
  }

  /** Every session of the object. */
  all(): IterableIterator<Session<U>> {
    if (!this.#isComplete) {
      for (const row of this.#db.rows(POLLING)) this.#poller(row);
      for (const ws of this.open()) this.linkOf(ws);
      this.#isComplete = true;
    }
    return this.#sessions.values();
  }

  /** The sessions that poll. */
  pollers(): Session<U>[] {
    for (const row of this.#isComplete ? [] : this.#db.rows(POLLING)) this.#poller(row);
    return [...this.#sessions.values()].filter(({ polling }) => polling !== null);
  }

  /** Reads the attachments of a session's WebSockets, so that an upgrade under way is known. */
  linkProbes(sid: string): void {
    for (const ws of this.#state.getWebSockets(sid)) {
      if (ws.readyState === WebSocket.OPEN) this.linkOf(ws);
    }
  }

  /** The WebSockets that are not closed or closing. */
  open(): WebSocket[] {
    return this.#state.getWebSockets().filter((ws) => ws.readyState === WebSocket.OPEN);
  }

  /** False only when there is nothing here to keep the object's clock running. */
  get isInUse(): boolean {
    if (this.#sessions.size > 0) return true;
    if (this.#isComplete) return false;
    return this.open().length > 0 || this.#db.rows(`${POLLING} limit 1`).length > 0;
  }

  /** True when the WebSocket needs no attachment to be known as a session's main one. */
  isPlainMain(ws: WebSocket): boolean {
    return this.#state.getTags(ws)[1] === "main" && this.#links.get(ws) === undefined;
  }

  savePolling(session: Session): void {
    this.#db.write(
      `insert into socketio_polling (sid, opened_at, pong_at, state) values (?, ?, ?, ?)
       on conflict (sid) do update set pong_at = excluded.pong_at, state = excluded.state`,
      session.id,
      session.openedAt,
      session.pongAt,
      session.state === null ? null : JSON.stringify(session.state),
    );
  }

  forgetPolling(session: Session<U>): void {
    this.#db.write("delete from socketio_polling where sid = ?", session.id);
  }

  remove(session: Session<U>): void {
    this.#sessions.delete(session.id);
  }

  /** A WebSocket is done for: it is nobody's, also after an eviction. */
  retire(ws: WebSocket): void {
    this.#links.set(ws, null);
    const closed: Attachment = { v: 1, sid: "", role: "closed", at: 0, pongAt: 0, state: null };
    ws.serializeAttachment(closed);
  }

  unlink(ws: WebSocket): void {
    this.#links.delete(ws);
  }

  #restore(ws: WebSocket, { sid, role, at, pongAt, state }: Attachment): Link<U> | null {
    if (role === "closed") return null;
    if (role !== "main") {
      const session = this.find(sid);
      if (!session?.polling) return null;
      session.probe = ws;
      return { session, role, at };
    }
    const session = new Session<U>(this.#host, { id: sid, openedAt: at, pongAt, state });
    session.ws = ws;
    this.#keep(session);
    return { session, role, at };
  }

  #poller(value: unknown): Session<U> {
    const row = PollingRow.parse(value);
    const known = this.#sessions.get(row.sid);
    if (known) return known;
    const session = new Session<U>(this.#host, {
      id: row.sid,
      openedAt: row.opened_at,
      pongAt: row.pong_at,
      state: row.state === null ? null : JSON.parse(row.state),
    });
    session.polling = new PollingTransport(this.#db, row.sid);
    this.#keep(session);
    return session;
  }

  #keep(session: Session<U>): void {
    this.#sessions.set(session.id, session);
    this.#restored(session);
  }
}
