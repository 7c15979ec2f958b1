import type { ObjectTables } from "../object-tables.ts";

/** What a shard tells the home of a person. */
export type HomeOp =
  | { kind: "enlist"; userId: number; shard: string }
  | { kind: "place" | "lost"; person: string; room: string; seat?: number | null; pid?: string }
  | { kind: "unplace"; person: string; room: string; pid?: string }
  /** `pid` is its own, `formerPid` that of the connection which its client had before. */
  | {
      kind: "recall";
      person: string;
      isReturning: boolean;
      pid?: string;
      formerPid?: string | null | undefined;
    };

/** For `recall` the rooms to come back to, and the person's seats in them, else none. */
export interface HomeReply {
  rooms: string[];
  seats?: Record<string, number>;
}

const NOWHERE: HomeReply = { rooms: [] };

/** A shard renews within this time what it told of rooms; what a dead shard told lapses. */
const TOLD_MS = 150_000;
/** A shard is taken for one of a user's until it says itself that it is none, or was silent for so long. */
const ENLISTED_MS = 24 * 60 * 60 * 1_000;
/** Who lost his connection finds his rooms again for so long. */
export const GRACE_MS = 60_000;

export const SHARD_TABLES = [
  `create table user_shards (user_id integer not null, shard text not null, until integer not null,
     primary key (user_id, shard)) without rowid;
   create table places (person text not null, room text not null, is_lost integer not null, until integer not null,
     primary key (person, room)) without rowid;
   create table chores (one integer primary key check (one = 1), due_at integer not null)`,
  "create table heard (one integer primary key check (one = 1), marks text not null)",
  "alter table places add column seat integer",
  // An earlier release, should it be taken back into service, writes "places" as it knew them: without seats.
  `create table spots (person text not null, room text not null, pid text not null, is_lost integer not null,
     until integer not null, seat integer, primary key (person, room, pid)) without rowid;
   insert into spots select person, room, '', is_lost, until, seat from places;
   delete from places;
   alter table places drop column seat`,
];
/** Of a socket whose shard named none: the release before. */
const UNKNOWN = "";
/** In place of a room, for a socket that is in none: known, so that it is not put where its person's other tab is. */
export const NO_ROOM = "";

/** A question to a user's shards; `enlisted` are those that named themselves since it was asked. */
interface Question {
  userId: number;
  enlisted: Set<string>;
}

/**
 * What a shard knows as the home of its persons: on which shards a user's sockets are, and in which rooms a person is or
 * just was. Of a user every shard is listed that has a socket of his, and maybe some that had: a shard names itself
 * before it lets a socket in, and nobody but itself takes it off the list.
 */
export class Directory {
  readonly #tables: ObjectTables;
  readonly #now: () => number;
  readonly #questions = new Set<Question>();
  #purgedAt = 0;

  constructor(tables: ObjectTables, now: () => number) {
    this.#tables = tables;
    this.#now = now;
  }

  apply(ops: HomeOp[]): HomeReply[] {
    this.#purge();
    return ops.map((op) => this.#applyOne(op));
  }

  /**
   * Asks something of the shards of a user, all at once; `ask` answers whether the shard has a socket of his, or one that
   * is coming. Those that have none leave the list, unless they have named themselves meanwhile. One that fails stays.
   */
  async askShards(
    userId: number,
    ask: (shard: string) => Promise<boolean>,
  ): Promise<PromiseSettledResult<boolean>[]> {
    const question = { userId, enlisted: new Set<string>() };
    this.#questions.add(question);
    const shards = this.#tables
      .rows<{ shard: string }>("select shard from user_shards where user_id = ?", userId)
      .map(({ shard }) => shard);
    const answers = await Promise.allSettled(shards.map(ask));
    this.#questions.delete(question);
    shards.forEach((shard, i) => {
      const answer = answers[i];
      const isEmpty = answer?.status === "fulfilled" && !answer.value;
      if (isEmpty && !question.enlisted.has(shard)) this.#strike(userId, shard);
    });
    return answers;
  }

  #strike(userId: number, shard: string): void {
    const query = "delete from user_shards where user_id = ? and shard = ?";
    this.#tables.write(query, userId, shard);
  }

  /** Written before memory forgets it; what is young is not written again. */
  #enlist(userId: number, shard: string, now: number): void {
    for (const question of this.#questions) {
      if (question.userId === userId) question.enlisted.add(shard);
    }
    const [known] = this.#tables.rows<{ until: number }>(
      "select until from user_shards where user_id = ? and shard = ?",
      ...[userId, shard],
    );
    if (known && known.until > now + ENLISTED_MS / 2) return;
    const query = "insert or replace into user_shards values (?, ?, ?)";
    this.#tables.write(query, userId, shard, now + ENLISTED_MS);
  }

  /** Deletes what has lapsed, now and then. */
  #purge(): void {
    const now = this.#now();
    if (now - this.#purgedAt < TOLD_MS || !this.#tables.made) return;
    this.#purgedAt = now;
    this.#tables.write("delete from user_shards where until < ?", now);
    this.#tables.write("delete from spots where until < ?", now);
  }

  #applyOne(op: HomeOp): HomeReply {
    const now = this.#now();
    switch (op.kind) {
      case "enlist":
        this.#enlist(op.userId, op.shard, now);
        return NOWHERE;
      case "place":
        this.#place(op, 0, now + TOLD_MS);
        return NOWHERE;
      case "lost":
        this.#place(op, 1, now + GRACE_MS);
        return NOWHERE;
      case "unplace":
        this.#unplace(op);
        return NOWHERE;
      case "recall":
        return this.#recall(op, now);
      default:
        return op satisfies never;
    }
  }

  /** Who says nothing of a seat does not know of one, and takes none away. */
  #place(
    { person, room, seat, pid = UNKNOWN }: Extract<HomeOp, { kind: "place" | "lost" }>,
    isLost: 0 | 1,
    until: number,
  ): void {
    const kept = seat === undefined ? "spots.seat" : "excluded.seat";
    this.#tables.write(
      `insert into spots (person, room, pid, is_lost, until, seat) values (?, ?, ?, ?, ?, ?)
       on conflict (person, room, pid) do update
         set is_lost = excluded.is_lost, until = excluded.until, seat = ${kept}`,
      ...[person, room, pid, isLost, until, seat ?? null],
    );
  }

  /** One socket leaves, and none that was lost comes back to the room; another tab of its person may still be in it. */
  #unplace({ person, room, pid = UNKNOWN }: Extract<HomeOp, { kind: "unplace" }>): void {
    const isAny = pid === UNKNOWN ? 1 : 0;
    this.#tables.write(
      "delete from spots where person = ? and room = ? and (is_lost = 1 or pid in ('', ?) or ? = 1)",
      ...[person, room, pid, isAny],
    );
    this.#mark(person, pid);
  }

  /** This socket is known, wherever it is. */
  #mark(person: string, pid: string): void {
    if (pid === UNKNOWN) return;
    this.#place({ kind: "place", person, room: NO_ROOM, pid }, 0, this.#now() + TOLD_MS);
  }

  /**
   * The rooms of a person who connects. A client that names its former connection gets back the rooms of that one: its
   * person's other tab may be in others. Where nothing is known of it, a client that says it was connected before gets all
   * of its person's: its old socket may not be known as lost yet. Any other gets those whose socket is lost, so that a
   * second tab enters nothing by itself. What it gets is known as its own from here on.
   */
  #recall(op: Extract<HomeOp, { kind: "recall" }>, now: number): HomeReply {
    const { person, isReturning, pid = UNKNOWN, formerPid = null } = op;
    const own = this.#spots("pid in (?, ?)", [person, now, formerPid ?? pid, pid]);
    const isOwn = formerPid !== null && own.length > 0;
    const known = isOwn
      ? own
      : this.#spots("is_lost >= ? and room <> ''", [person, now, isReturning ? 0 : 1]);
    const found = known.filter(({ room }) => room !== NO_ROOM);
    this.#mark(person, pid);
    for (const spot of pid === UNKNOWN ? [] : found) {
      this.#tables.write(
        "update or replace spots set pid = ? where person = ? and room = ? and pid = ?",
        ...[pid, person, spot.room, spot.pid],
      );
    }
    const seats = found.flatMap(({ room, seat }) => (seat === null ? [] : [[room, seat] as const]));
    const rooms = new Set(found.map(({ room }) => room));
    return { rooms: [...rooms], seats: Object.fromEntries(seats) };
  }

  #spots(which: string, values: SqlStorageValue[]) {
    return this.#tables.rows<{ room: string; pid: string; seat: number | null }>(
      `select room, pid, seat from spots where person = ? and until > ? and ${which} order by room, seat limit 20`,
      ...values,
    );
  }
}
