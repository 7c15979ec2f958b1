import type { ObjectTables } from "../object-tables.ts";

/** How often a live's lease is renewed while its host is here. */
export const RENEW_MS = 25_000;
/** A host's socket may be gone this long before his live ends. */
export const HOST_GRACE_MS = 60_000;
/** No live lasts longer; one that is still here then ended without this room being told. */
const OLDEST_MS = 13 * 60 * 60 * 1_000;
/** What Postgres did not take is tried again after so long. */
const RETRY_MS = 5_000;

/** A live of this room; rooms are named by clients, so several hosts may share one. */
export interface Live {
  hostId: number;
  sessionId: number;
  startedAt: number;
  /** When the host's socket was last here; null for one that never was. */
  seenAt: number | null;
  /** When his lease was last renewed; 0 when he has just come and it is due at once. */
  renewedAt: number;
  /** Where its start was asked for: a host whose app sends no token is known by it (`standsIn`). */
  address: string | null;
  /** His socket was here with a token: from then on only such a one is his. */
  isVerified: boolean;
}

type Row = {
  host_id: number;
  session_id: number;
  started_at: number;
  seen_at: number | null;
  renewed_at: number;
  address: string | null;
  is_verified: number;
};

export type HostDuty = { kind: "renew"; live: Live } | { kind: "end"; live: Live };

/** The lives of a room, and what their hosts' presence asks for. */
export class Hosting {
  readonly #tables: ObjectTables;
  readonly #notBefore = new Map<number, number>();
  #lives: Map<number, Live> | null = null;

  constructor(tables: ObjectTables) {
    this.#tables = tables;
  }

  start(
    live: { hostId: number; sessionId: number; address: string | null },
    isVerified: boolean,
    now: number,
  ): void {
    const seenAt = isVerified ? now : null;
    this.#put({ ...live, isVerified, startedAt: now, seenAt, renewedAt: 0 });
  }

  /** Forgets a live; `false` when it is another session than the host's present one, or none. */
  end(hostId: number, sessionId: number): boolean {
    if (this.find(hostId)?.sessionId !== sessionId) return false;
    this.#tables.write("delete from lives where host_id = ?", hostId);
    this.#load().delete(hostId);
    return true;
  }

  find(hostId: number): Live | undefined {
    return this.#load().get(hostId);
  }

  list(): Live[] {
    return [...this.#load().values()];
  }

  /** The host's first socket came: his presence is proven at once. */
  came(hostId: number, now: number, isVerified: boolean): void {
    const live = this.find(hostId);
    if (!live) return;
    this.#put({ ...live, isVerified: live.isVerified || isVerified, seenAt: now, renewedAt: 0 });
  }

  /** The host's last socket went. */
  went(hostId: number, now: number): void {
    const live = this.find(hostId);
    if (live) this.#put({ ...live, seenAt: now });
  }

  /** Forgets lives whose end was never told. */
  forgetOld(now: number): void {
    for (const { hostId, sessionId, startedAt } of this.list()) {
      if (startedAt + OLDEST_MS <= now) this.end(hostId, sessionId);
    }
  }

  /** What was due could not be done: it is due again a little later. */
  postpone(hostId: number, now: number): void {
    this.#notBefore.set(hostId, now + RETRY_MS);
  }

  /** What waits after a failure is due now. */
  hurry(): void {
    this.#notBefore.clear();
  }

  /** A host who is here is to be proven now. */
  makeDue(hostId: number): void {
    const live = this.find(hostId);
    if (live) this.#put({ ...live, renewedAt: 0 });
    this.#notBefore.delete(hostId);
  }

  /** A renewal that was made. */
  renewed(live: Live, now: number): void {
    const known = this.find(live.hostId);
    if (known?.sessionId !== live.sessionId) return;
    this.#put({ ...known, seenAt: now, renewedAt: now });
  }

  /** What is due: leases of hosts who are here, and lives whose host has been gone for too long. */
  due(isHere: (hostId: number) => boolean, now: number): HostDuty[] {
    return this.list().flatMap((live): HostDuty[] => {
      if (this.#earliest(live.hostId) > now) return [];
      if (isHere(live.hostId)) {
        return now - live.renewedAt >= RENEW_MS ? [{ kind: "renew", live }] : [];
      }
      const isOver = live.seenAt !== null && now - live.seenAt >= HOST_GRACE_MS;
      return isOver ? [{ kind: "end", live }] : [];
    });
  }

  /** When to look again, or null in a room that nobody hosts. */
  next(isHere: (hostId: number) => boolean): number | null {
    const times = this.list().flatMap((live) => {
      const earliest = this.#earliest(live.hostId);
      if (isHere(live.hostId)) return [Math.max(earliest, live.renewedAt + RENEW_MS)];
      return live.seenAt === null ? [] : [Math.max(earliest, live.seenAt + HOST_GRACE_MS)];
    });
    return times.length > 0 ? Math.min(...times) : null;
  }

  #earliest(hostId: number): number {
    return this.#notBefore.get(hostId) ?? 0;
  }

  #load(): Map<number, Live> {
    if (this.#lives) return this.#lives;
    const rows = this.#tables.rows<Row>("select * from lives");
    this.#lives = new Map(rows.map((row) => [row.host_id, liveOf(row)]));
    return this.#lives;
  }

  #put(live: Live): void {
    this.#tables.write(
      "insert or replace into lives values (?, ?, ?, ?, ?, ?, ?)",
      ...[live.hostId, live.sessionId, live.startedAt, live.seenAt, live.renewedAt],
      ...[live.address, live.isVerified ? 1 : 0],
    );
    this.#load().set(live.hostId, live);
  }
}

function liveOf(row: Row): Live {
  return {
    hostId: row.host_id,
    sessionId: row.session_id,
    startedAt: row.started_at,
    seenAt: row.seen_at,
    renewedAt: row.renewed_at,
    address: row.address,
    isVerified: row.is_verified === 1,
  };
}
