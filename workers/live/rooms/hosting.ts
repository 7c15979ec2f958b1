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
  /** Where its start was asked for: a host whose app sends no token is known by it (`StandIns`). */
  address: string | null;
  /** His socket was here with a token: from then on only such a one is his. */
  isVerified: boolean;
  /** Up to which number its visitors were told of (`Turnout`). */
  toldTo: number;
  /** It has told who was here at its start. */
  isGreeted: boolean;
  hostName: string;
  /** The guest's socket that stands for him, or did last; null where none has. */
  bound: Bound | null;
}

/** A guest's socket that was taken for a host's, and what his next one is known by. */
export interface Bound {
  socket: string;
  /** His client's secret; null where it is not known. */
  pid: string | null;
  /** As whom he would count among the visitors. */
  visitor: string;
  name: string;
  number: string | null;
  /** He came in under his number. */
  isNamed: boolean;
  /** He went with a goodbye. */
  hasLeft: boolean;
}

/** A live as it begins. */
export type NewLive = Pick<Live, "hostId" | "sessionId" | "address" | "hostName" | "toldTo">;

/** What there is to know of hosts and their viewers. */
export interface Presence {
  isHere(hostId: number): boolean;
  /** Somebody came whom the live has not told of. */
  hasNews(live: Live): boolean;
}

type Row = {
  host_id: number;
  session_id: number;
  started_at: number;
  seen_at: number | null;
  renewed_at: number;
  address: string | null;
  is_verified: number;
  told_to: number;
  is_greeted: number;
  host_name: string;
  bound: string | null;
};

/** `renew`: word of a live, with proof of its host where he is here. `end`: he has been gone for too long. */
export type HostDuty = { kind: "renew"; live: Live; isHere: boolean } | { kind: "end"; live: Live };

/** The lives of a room, and what their hosts' presence asks for. */
export class Hosting {
  readonly #tables: ObjectTables;
  readonly #notBefore = new Map<number, number>();
  #lives: Map<number, Live> | null = null;

  constructor(tables: ObjectTables) {
    this.#tables = tables;
  }

  start(begun: NewLive, isVerified: boolean, now: number): Live {
    const seenAt = isVerified ? now : null;
    const fresh = { isGreeted: false, renewedAt: 0, bound: null };
    const live = { ...begun, ...fresh, isVerified, startedAt: now, seenAt };
    this.#put(live);
    return live;
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

  /** Lives whose end was never told: they are over. */
  old(now: number): Live[] {
    return this.list().filter(({ startedAt }) => startedAt + OLDEST_MS <= now);
  }

  /** What was due could not be done: it is due again a little later. */
  postpone(hostId: number, now: number): void {
    this.#notBefore.set(hostId, now + RETRY_MS);
  }

  /** What waits after a failure is due now. */
  hurry(): void {
    this.#notBefore.clear();
  }

  /** A guest's socket stands for a host from now on. */
  bind(hostId: number, bound: Bound): void {
    const live = this.find(hostId);
    if (live) this.#put({ ...live, bound });
  }

  /** Word of a live has arrived, with its visitors up to a number, and proof of its host if he was here. */
  renewed(live: Live, { isHere, upTo }: { isHere: boolean; upTo: number }, now: number): void {
    const known = this.find(live.hostId);
    if (known?.sessionId !== live.sessionId) return;
    const seenAt = isHere ? now : known.seenAt;
    this.#put({ ...known, seenAt, renewedAt: now, toldTo: upTo, isGreeted: true });
  }

  /** What is due: word of lives whose host is here or to which somebody came, and lives whose host has been gone too long. */
  due(presence: Presence, now: number): HostDuty[] {
    return this.list().flatMap((live): HostDuty[] => {
      if (this.#earliest(live.hostId) > now) return [];
      const isHere = presence.isHere(live.hostId);
      const endsAt = isHere ? null : endOf(live);
      if (endsAt !== null && endsAt <= now) return [{ kind: "end", live }];
      const hasWord = isHere || presence.hasNews(live);
      return hasWord && live.renewedAt + RENEW_MS <= now ? [{ kind: "renew", live, isHere }] : [];
    });
  }

  /** When to look again, or null where nothing will be due. */
  next(presence: Presence): number | null {
    const times = this.list().flatMap((live) => {
      const isHere = presence.isHere(live.hostId);
      const hasWord = isHere || presence.hasNews(live);
      const times = [hasWord ? live.renewedAt + RENEW_MS : null, isHere ? null : endOf(live)];
      const earliest = this.#earliest(live.hostId);
      return times.flatMap((time) => (time === null ? [] : [Math.max(earliest, time)]));
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
      "insert or replace into lives values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[live.hostId, live.sessionId, live.startedAt, live.seenAt, live.renewedAt],
      ...[live.address, Number(live.isVerified), live.toldTo, live.hostName],
      ...[Number(live.isGreeted), live.bound && JSON.stringify(live.bound)],
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
    toldTo: row.told_to,
    isGreeted: row.is_greeted === 1,
    hostName: row.host_name,
    bound: row.bound === null ? null : JSON.parse(row.bound),
  };
}

/** When a live ends whose host stays away; null for one who was never here. */
const endOf = ({ seenAt }: Live): number | null =>
  seenAt === null ? null : seenAt + HOST_GRACE_MS;
