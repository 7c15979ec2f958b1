import { Awaited } from "./awaited.ts";
import type { Clock } from "./clock.ts";
import type { RecoveryOptions } from "./options.ts";
import type { Frame } from "./packets.ts";
import { framesOf, type Moved, offsetOf, ReplayLog } from "./replay-log.ts";
import { SocketState } from "./socket-state.ts";
import type { Storage } from "./storage.ts";

/** A socket that can go on: what it was, and what it missed. */
export interface Recovered {
  state: SocketState;
  missed: Frame[];
}

/** A lost socket on its way to another object: what it was, what it missed, and the greatest offset that it may have. */
export interface Handed {
  state: SocketState;
  packets: Moved[];
  last: number;
}

/** A socket whose connection is gone without our being told. */
export interface Orphan {
  sessionId: string;
  state: SocketState;
}

interface Row extends Record<string, SqlStorageValue> {
  pid: string;
  session: string;
  state: string;
  lost_at: number | null;
}

/** What a row is to say. `holder` is asked for its state when that is written or read, and not before. */
interface Kept {
  sessionId: string;
  holder: { readonly state: SocketState };
  lostAt: number | null;
}

const FLUSH_MS = 250;

/**
 * Who may come back, and to what. Every connected socket has a row here, so that a deploy or crash, which takes the
 * WebSockets with their attachments, leaves none untold of; the row of a lost one is kept for `maxMs`. Rows are written
 * behind, together with the log: a thousand who connect at once, or change their rooms, cost one commit. Who cannot be
 * given the whole of what he missed is not recovered.
 */
export class Recovery {
  readonly log: ReplayLog;
  readonly #db: Storage;
  readonly #clock: Clock;
  readonly #options: RecoveryOptions;
  /** So long may pass between a client's silence and our noticing it. */
  readonly #noticeMs: number;
  readonly #now: () => number;
  /** What is not written yet, by pid; null for a row to be deleted. */
  readonly #waiting = new Map<string, Kept | null>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** True while storage says that something may be unwritten. */
  #isUnwritten = false;
  #wasCut = false;
  readonly #written: () => void;
  /** Null before it is read, once a life. */
  #awaited: Awaited | null = null;

  constructor(
    db: Storage,
    clock: Clock,
    options: RecoveryOptions,
    { noticeMs, now, written }: { noticeMs: number; now: () => number; written: () => void },
  ) {
    this.#written = written;
    this.#db = db;
    this.#clock = clock;
    this.#options = options;
    this.#noticeMs = noticeMs;
    this.#now = now;
    const retainMs = options.maxMs + noticeMs;
    this.log = new ReplayLog({ db, options, retainMs, now, later: () => this.#later() });
  }

  /**
   * For the object's constructor, when the tables are there. A life that ended with something unwritten was cut off: what
   * went in its last moment is not known, so nobody goes on from it, nor who polls on a session that outlived it.
   */
  begin(): void {
    const [row] = this.#db.rows<{ is_unwritten: number }>(
      "select is_unwritten from socketio_clock",
    );
    this.#wasCut = row?.is_unwritten === 1;
    this.#isUnwritten = this.#wasCut;
    if (!this.#wasCut) return;
    this.#db.write("update socketio_sockets set lost_at = 0 where lost_at is not null");
    this.log.cut();
  }

  get wasCut(): boolean {
    return this.#wasCut;
  }

  /** A connected socket, with what it is from now on. */
  keep(sessionId: string, holder: Kept["holder"] & { pid: string }): void {
    this.#put(holder.pid, { sessionId, holder, lostAt: null });
  }

  /** A socket left for good. */
  forget(pid: string): void {
    this.#put(pid, null);
  }

  /**
   * A socket was lost: it may come back until `maxMs` after it was first known to be. One that is not known any more was
   * given to another object meanwhile.
   */
  lost(sessionId: string, state: SocketState): void {
    const kept = this.#kept(state.pid);
    if (kept) this.#lose(sessionId, state, kept.lostAt ?? this.#now());
  }

  /** The connection of a socket went with an earlier life of the object. */
  orphaned({ sessionId, state }: Orphan): void {
    this.#lose(sessionId, state, this.#wasCut ? 0 : this.#now());
  }

  #lose(sessionId: string, state: SocketState, lostAt: number): void {
    this.#put(state.pid, { sessionId, holder: { state }, lostAt });
    this.#clock.noLaterThan("expiry_at", lostAt + this.#options.maxMs);
  }

  /** What a lost socket that is about to go on is from now on, should its client be lost once more. */
  change({ pid, state }: { pid: string; state: SocketState }): void {
    const kept = this.#kept(pid);
    if (kept && kept.lostAt !== null) this.#put(pid, { ...kept, holder: { state } });
  }

  /** What is known of the socket with this pid, connected or lost. */
  find(pid: string): SocketState | null {
    return this.#kept(pid)?.holder.state ?? null;
  }

  /** A socket that is not known to be lost, with the session that it was last seen on. */
  present(pid: string): { sessionId: string; state: SocketState } | null {
    const kept = this.#kept(pid);
    if (!kept || kept.lostAt !== null) return null;
    return { sessionId: kept.sessionId, state: kept.holder.state };
  }

  /**
   * What a client that names this pid and offset may go on with; null when it must start anew. A client that got no packet
   * yet names no offset: it missed everything since it connected.
   */
  restore(pid: string, offset: unknown): Recovered | null {
    const known = this.#missed(pid, offset);
    return known && { state: known.state, missed: framesOf(known.packets) };
  }

  /** Gives a lost socket to another object, once: from here on, whatever happens, nobody else gets it. */
  handOver(pid: string, offset: unknown): Handed | null {
    const known = this.#missed(pid, offset);
    if (!known) return null;
    this.#put(pid, null);
    this.#writeRows();
    return { ...known, last: this.log.next() };
  }

  /** Takes a lost socket over from another object: as if it had been lost here. */
  adopt({ state, packets, last }: Handed): void {
    const from = this.log.next();
    this.log.adopt(state, packets, Math.max(from, last));
    this.#lose("", { ...state, from: Math.max(from, last) }, this.#now());
  }

  #missed(pid: string, offset: unknown): Pick<Handed, "state" | "packets"> | null {
    const kept = this.#kept(pid);
    if (!kept || kept.lostAt === null) return null;
    if (kept.lostAt + this.#options.maxMs < this.#now()) return null;
    const { state } = kept.holder;
    const had = typeof offset === "string" ? offsetOf(offset) : state.from;
    if (had === null) return null;
    // One that was taken over may name an offset of the object where it was.
    const from = Math.max(had, state.from);
    const packets = this.log.missedBy(state, from, kept.lostAt - this.#noticeMs);
    return packets && { state, packets };
  }

  /** Whether a lost socket of this room may come back. */
  isAwaited(room: string): boolean {
    return this.#absent().has(room, this.#now());
  }

  #absent(): Awaited {
    if (this.#awaited) return this.#awaited;
    const awaited = new Awaited();
    this.#awaited = awaited;
    this.#writeRows();
    const lost = this.#db.rows<Row>("select * from socketio_sockets where lost_at is not null");
    for (const { pid, state, lost_at: at } of lost) {
      awaited.add(pid, stateOf(state).rooms, (at ?? 0) + this.#options.maxMs);
    }
    return awaited;
  }

  /** Those who are on none of the living sessions and not known to be lost: a crash or deploy took them. */
  orphans(isAlive: (sessionId: string) => boolean, openSessions: () => number): Orphan[] {
    this.#writeRows();
    const [row] = this.#db.rows<{ count: number }>(
      "select count(*) as count from socketio_sockets where lost_at is null",
    );
    if ((row?.count ?? 0) <= openSessions()) return [];
    return this.#db
      .rows<Row>("select * from socketio_sockets where lost_at is null")
      .filter(({ session }) => !isAlive(session))
      .map(({ session, state }) => ({ sessionId: session, state: stateOf(state) }));
  }

  /** Forgets whoever did not come back in time, and answers who that is. */
  expire(now: number): SocketState[] {
    this.#writeRows();
    const rows = this.#db.rows<Row>(
      "delete from socketio_sockets where lost_at + ? <= ? returning *",
      this.#options.maxMs,
      now,
    );
    const [next] = this.#db.rows<{ at: number | null; all: number }>(
      `select min(lost_at) as at, count(*) as "all" from socketio_sockets`,
    );
    for (const { pid } of rows) this.#awaited?.remove(pid);
    const at = next?.at ?? null;
    this.#clock.set({ expiry_at: at === null ? null : at + this.#options.maxMs });
    if (next?.all === 0) this.log.clear();
    return rows.map(({ state }) => stateOf(state));
  }

  #kept(pid: string): Kept | null {
    const waiting = this.#waiting.get(pid);
    if (waiting !== undefined) return waiting;
    const [row] = this.#db.rows<Row>("select * from socketio_sockets where pid = ?", pid);
    if (!row) return null;
    return { sessionId: row.session, holder: { state: stateOf(row.state) }, lostAt: row.lost_at };
  }

  #put(pid: string, kept: Kept | null): void {
    this.#waiting.set(pid, kept);
    if (!kept || kept.lostAt === null) this.#awaited?.remove(pid);
    else this.#awaited?.add(pid, kept.holder.state.rooms, kept.lostAt + this.#options.maxMs);
    if (this.#options.flushMs === 0) this.#writeRows();
    else this.#later();
  }

  /** Rows and log are written in the same turn, so that they are one commit. */
  #later(): void {
    this.#sayUnwritten(true);
    this.#timer ??= setTimeout(() => this.#write(), this.#options.flushMs ?? FLUSH_MS);
  }

  /** A busy object says once that it is behind, and takes it back when it had nothing to write for a while. */
  #write(): void {
    this.#timer = null;
    if (this.#waiting.size > 0 || this.log.isBehind) {
      this.#writeRows();
      this.log.flush();
      this.#later();
    } else {
      this.#sayUnwritten(false);
      this.#written();
    }
  }

  #sayUnwritten(isUnwritten: boolean): void {
    if (isUnwritten === this.#isUnwritten) return;
    this.#isUnwritten = isUnwritten;
    this.#db.write("update socketio_clock set is_unwritten = ?", Number(isUnwritten));
  }

  #writeRows(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [pid, kept] of waiting) {
      if (kept) this.#writeRow(pid, kept);
      else this.#db.write("delete from socketio_sockets where pid = ?", pid);
    }
  }

  #writeRow(pid: string, { sessionId, holder, lostAt }: Kept): void {
    this.#db.write(
      "insert or replace into socketio_sockets (pid, session, state, lost_at) values (?, ?, ?, ?)",
      pid,
      sessionId,
      JSON.stringify(holder.state),
      lostAt,
    );
  }
}

const stateOf = (json: string) => SocketState.parse(JSON.parse(json));
