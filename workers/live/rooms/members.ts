import type { ObjectTables } from "../object-tables.ts";
import type { GuestLine, PersonCard } from "./ops.ts";

/** A shard is told what is said here for so long after it was last heard of: sockets that it lost may come back to it. */
export const SHARD_LEASE_MS = 150_000;
/**
 * A shard's sockets count for so long after it last named them: as long as a socket that vanished may go unnoticed (ping
 * interval and time-out). It names them every 25 s; one that crashed may not even know whom it lost.
 */
export const PRESENCE_MS = 45_000;

export interface Member extends PersonCard {
  socket: string;
  shard: string;
  seat: number | null;
  /** A guest who came in under a number that he claims, as a viewer of the app does; its host screen claims none. */
  isNamed: boolean;
  /** When it came in. */
  since: number;
}

/** Until when a shard is told, and until when its sockets are taken to be there. */
interface Lease {
  until: number;
  presentUntil: number;
}

type Row = {
  socket: string;
  shard: string;
  person: string;
  user_id: number | null;
  name: string;
  avatar: string | null;
  level: number;
  vip: number;
  seat: number | null;
  address: string | null;
  line: string | null;
  is_named: number;
  since: number;
};

type ShardRow = { name: string; until: number; present_until: number };

/**
 * Who is in a room, on which shards. Rows are written before memory, so that eviction and deploy lose nobody; the number
 * of people is the number of distinct persons among the rows, never a counter.
 */
export class Members {
  readonly #tables: ObjectTables;
  #bySocket: Map<string, Member> | null = null;
  readonly #byPerson = new Map<string, Set<string>>();
  readonly #byShard = new Map<string, Set<string>>();
  readonly #byAddress = new Map<string, Set<string>>();
  readonly #leases = new Map<string, Lease>();

  constructor(tables: ObjectTables) {
    this.#tables = tables;
  }

  /** Distinct people. */
  get count(): number {
    this.#load();
    return this.#byPerson.size;
  }

  find(socket: string): Member | undefined {
    return this.#load().get(socket);
  }

  /** One member of each person, users before guests. */
  people(limit = Number.POSITIVE_INFINITY): Member[] {
    const all = this.#load();
    const users: Member[] = [];
    const guests: Member[] = [];
    for (const sockets of this.#byPerson.values()) {
      const member = firstOf(sockets, all);
      if (member) (member.userId === null ? guests : users).push(member);
      if (users.length >= limit) break;
    }
    return [...users, ...guests].slice(0, limit);
  }

  isThere(person: string): boolean {
    this.#load();
    return this.#byPerson.has(person);
  }

  /** All that a person is here with. */
  ofPerson(person: string): Member[] {
    const all = this.#load();
    return [...(this.#byPerson.get(person) ?? [])].flatMap((socket) => all.get(socket) ?? []);
  }

  /** The guests who come from there. */
  guestsFrom(address: string): Member[] {
    const all = this.#load();
    return [...(this.#byAddress.get(address) ?? [])].flatMap((socket) => all.get(socket) ?? []);
  }

  /** Who sits there, or undefined for a free seat. */
  sitter(seat: number): Member | undefined {
    for (const member of this.#load().values()) if (member.seat === seat) return member;
    return undefined;
  }

  /** The shards that get what is said here: those with sockets in the room, or with some that may yet come back. */
  shards(now: number): string[] {
    this.#load();
    return [...this.#leases].flatMap(([shard, { until }]) => (until > now ? [shard] : []));
  }

  /** A shard that nobody here is on wants no more of this room, unless somebody joined meanwhile. */
  release(shard: string): void {
    this.#load();
    if (this.#byShard.has(shard) || !this.#leases.has(shard)) return;
    this.#tables.write("delete from shards where name = ?", shard);
    this.#leases.delete(shard);
  }

  /** Puts a socket in, or renews what is known of it; true when its person was not here before. */
  join(member: Member, now: number): boolean {
    const known = this.find(member.socket);
    const isNew = !this.isThere(member.key);
    // Only its list proves a shard's earlier sockets: a new one says nothing of them.
    if (this.#byShard.has(member.shard)) this.#extend(member.shard, now);
    else this.#prove(member.shard, now);
    if (known && isSame(known, member)) return false;
    this.#tables.write(
      "insert or replace into members values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[member.socket, member.shard, member.key, member.userId, member.name],
      ...[member.avatar, member.level, member.vip, member.seat, member.address],
      ...[member.line && JSON.stringify(member.line), Number(member.isNamed), member.since],
    );
    if (known) this.#drop(known);
    this.#keep(member);
    return isNew;
  }

  /** Takes a socket out; `isGone` when it was the last of its person. Null for a socket that was not in. */
  leave(socket: string): { member: Member; isGone: boolean } | null {
    const member = this.find(socket);
    if (!member) return null;
    this.#tables.write("delete from members where socket = ?", socket);
    this.#drop(member);
    return { member, isGone: !this.isThere(member.key) };
  }

  /** A shard says which sockets of this room it holds: answers those it no longer has, and those unknown here. */
  reconcile(shard: string, sockets: string[], now: number): { lost: string[]; unknown: string[] } {
    const all = this.#load();
    this.#prove(shard, now);
    const held = new Set(sockets);
    return {
      lost: [...(this.#byShard.get(shard) ?? [])].filter((socket) => !held.has(socket)),
      unknown: sockets.filter((socket) => !isKnown(all.get(socket), shard)),
    };
  }

  /** The sockets of shards that did not name them in time. */
  lapsed(now: number): string[] {
    this.#load();
    return [...this.#byShard].flatMap(([shard, sockets]) =>
      this.#presentUntil(shard) <= now ? [...sockets] : [],
    );
  }

  /** When the next shard's sockets lapse, or null in an empty room. */
  nextLapse(): number | null {
    this.#load();
    const ends = [...this.#byShard.keys()].map((shard) => this.#presentUntil(shard));
    return ends.length > 0 ? Math.min(...ends) : null;
  }

  #presentUntil(shard: string): number {
    return this.#leases.get(shard)?.presentUntil ?? 0;
  }

  /** A shard has named its sockets. */
  #prove(shard: string, now: number): void {
    this.#grant(shard, { until: now + SHARD_LEASE_MS, presentUntil: now + PRESENCE_MS });
  }

  /** A sign of life of a shard; written only when half of its lease has gone. */
  #extend(shard: string, now: number): void {
    const until = now + SHARD_LEASE_MS;
    const known = this.#leases.get(shard);
    if (known && known.until > until - SHARD_LEASE_MS / 2) return;
    this.#grant(shard, { until, presentUntil: known?.presentUntil ?? now + PRESENCE_MS });
  }

  #grant(shard: string, lease: Lease): void {
    this.#tables.write(
      "insert or replace into shards (name, until, present_until) values (?, ?, ?)",
      ...[shard, lease.until, lease.presentUntil],
    );
    this.#leases.set(shard, lease);
  }

  #load(): Map<string, Member> {
    if (this.#bySocket) return this.#bySocket;
    const all = new Map<string, Member>();
    this.#bySocket = all;
    for (const row of this.#tables.rows<Row>("select * from members")) this.#keep(memberOf(row));
    for (const row of this.#tables.rows<ShardRow>("select * from shards")) {
      this.#leases.set(row.name, { until: row.until, presentUntil: row.present_until });
    }
    return all;
  }

  #keep(member: Member): void {
    this.#bySocket?.set(member.socket, member);
    setOf(this.#byPerson, member.key).add(member.socket);
    setOf(this.#byShard, member.shard).add(member.socket);
    if (member.address !== null) setOf(this.#byAddress, member.address).add(member.socket);
  }

  #drop(member: Member): void {
    this.#bySocket?.delete(member.socket);
    remove(this.#byPerson, member.key, member.socket);
    remove(this.#byShard, member.shard, member.socket);
    if (member.address !== null) remove(this.#byAddress, member.address, member.socket);
  }
}

/** Told of by this shard, a guest with his line: shards of the release before name none. */
const isKnown = (member: Member | undefined, shard: string) =>
  member?.shard === shard && (member.userId !== null || Boolean(member.line));

function memberOf({ person, user_id, line, is_named, ...row }: Row): Member {
  const known: GuestLine | null = line === null ? null : JSON.parse(line);
  return { ...row, key: person, userId: user_id, line: known, isNamed: is_named === 1 };
}

/** A guest who names himself by a number. */
export const isUnderNumber = ({ userId, key }: PersonCard) =>
  userId === null && !key.startsWith("g:#");

/** As whom a member counts among those who came, whatever he calls himself by now. */
export function visitorOf({ key, userId, line }: Member): string {
  if (userId !== null || !line) return key;
  return line.visitor ?? `g:@${line.formerPid ?? line.pid}`;
}

const FIELDS = [
  "shard",
  "key",
  "userId",
  "name",
  "avatar",
  "level",
  "vip",
  "seat",
  "address",
  "isNamed",
  "since",
] as const;
const isSame = (a: Member, b: Member) =>
  FIELDS.every((field) => a[field] === b[field]) &&
  JSON.stringify(a.line) === JSON.stringify(b.line);

function firstOf(sockets: Set<string>, all: Map<string, Member>): Member | undefined {
  for (const socket of sockets) return all.get(socket);
  return undefined;
}

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const known = sets.get(key);
  if (known) return known;
  const made = new Set<string>();
  sets.set(key, made);
  return made;
}

function remove(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}
