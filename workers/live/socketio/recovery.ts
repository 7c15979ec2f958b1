import type { Clock } from "./clock.ts";
import { SocketState } from "./live-socket.ts";
import type { RecoveryOptions } from "./options.ts";
import type { Frame } from "./packets.ts";
import { offsetOf, ReplayLog } from "./replay-log.ts";
import type { Storage } from "./storage.ts";

/** A socket that can go on: what it was, and what it missed. */
export interface Recovered {
  state: SocketState;
  missed: Frame[];
}

interface Row extends Record<string, SqlStorageValue> {
  pid: string;
  session: string;
  state: string;
  lost_at: number | null;
}

/**
 * Who may come back, and to what. Every connected socket has a row here, so that a deploy or crash, which takes the
 * WebSockets with their attachments, takes no membership; the row of a lost one is kept for `maxMs`.
 */
export class Recovery {
  readonly log: ReplayLog;
  readonly #db: Storage;
  readonly #clock: Clock;
  readonly #options: RecoveryOptions;
  /** So long may pass between a client's silence and our noticing it. */
  readonly #noticeMs: number;
  readonly #now: () => number;

  constructor(
    db: Storage,
    clock: Clock,
    options: RecoveryOptions,
    { noticeMs, now }: { noticeMs: number; now: () => number },
  ) {
    this.#db = db;
    this.#clock = clock;
    this.#options = options;
    this.#noticeMs = noticeMs;
    this.#now = now;
    this.log = new ReplayLog(db, options, options.maxMs + noticeMs, now);
  }

  keep(sessionId: string, state: SocketState): void {
    this.#db.write(
      `insert into socketio_sockets (pid, session, state) values (?, ?, ?)
       on conflict (pid) do update set session = excluded.session, state = excluded.state, lost_at = null`,
      state.pid,
      sessionId,
      JSON.stringify(state),
    );
  }

  /** A socket left for good. */
  forget(pid: string): void {
    this.#db.write("delete from socketio_sockets where pid = ?", pid);
  }

  /** A socket was lost: it may come back until `maxMs` from now. */
  lost(pid: string): void {
    const now = this.#now();
    this.#db.write("update socketio_sockets set lost_at = ? where pid = ?", now, pid);
    this.#clock.noLaterThan("expiry_at", now + this.#options.maxMs);
  }

  /** A socket that is not known to be lost, with the session that it was last seen on. */
  present(pid: string): { sessionId: string; state: SocketState } | null {
    const row = this.#row(pid);
    if (!row || row.lost_at !== null) return null;
    return { sessionId: row.session, state: SocketState.parse(JSON.parse(row.state)) };
  }

  /**
   * What a client that names this pid and offset may go on with; null when it must start anew. A client that got no packet
   * yet names no offset: it missed everything since it connected.
   */
  restore(pid: string, offset: unknown): Recovered | null {
    const row = this.#row(pid);
    if (!row || row.lost_at === null) return null;
    if (row.lost_at + this.#options.maxMs < this.#now()) return null;
    const state = SocketState.parse(JSON.parse(row.state));
    const from = typeof offset === "string" ? offsetOf(offset) : state.from;
    if (from === null) return null;
    const missed = this.log.missedBy(state, from, row.lost_at - this.#noticeMs);
    return missed && { state, missed };
  }

  /** Those who are on none of the living sessions and not known to be lost: a crash or deploy took them. */
  orphans(isAlive: (sessionId: string) => boolean, openSessions: () => number): SocketState[] {
    const [row] = this.#db.rows<{ count: number }>(
      "select count(*) as count from socketio_sockets where lost_at is null",
    );
    if ((row?.count ?? 0) <= openSessions()) return [];
    return this.#db
      .rows<Row>("select * from socketio_sockets where lost_at is null")
      .filter(({ session }) => !isAlive(session))
      .map(({ state }) => SocketState.parse(JSON.parse(state)));
  }

  /** Forgets whoever did not come back in time, and answers who that is. */
  expire(now: number): SocketState[] {
    const rows = this.#db.rows<Row>(
      "delete from socketio_sockets where lost_at + ? <= ? returning *",
      this.#options.maxMs,
      now,
    );
    const [next] = this.#db.rows<{ at: number | null; all: number }>(
      `select min(lost_at) as at, count(*) as "all" from socketio_sockets`,
    );
    const at = next?.at ?? null;
    this.#clock.set({ expiry_at: at === null ? null : at + this.#options.maxMs });
    if (next?.all === 0) this.log.clear();
    return rows.map(({ state }) => SocketState.parse(JSON.parse(state)));
  }

  #row(pid: string): Row | null {
    return this.#db.rows<Row>("select * from socketio_sockets where pid = ?", pid)[0] ?? null;
  }
}
