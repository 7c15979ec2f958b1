import type { ObjectTables } from "../object-tables.ts";

/** What a shard tells the home of a person. */
export type HomeOp =
  | { kind: "enlist"; userId: number; shard: string }
  | { kind: "place"; person: string; room: string; seat?: number | null }
  | { kind: "lost"; person: string; room: string; seat?: number | null }
  | { kind: "unplace"; person: string; room: string }
  | { kind: "recall"; person: string; isReturning: boolean };

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
];

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
    this.#tables.write("delete from places where until < ?", now);
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
        this.#tables.write(
          "delete from places where person = ? and room = ?",
          ...[op.person, op.room],
        );
        return NOWHERE;
      case "recall":
        return this.#recall(op, now);
      default:
        return op satisfies never;
    }
  }

  /** Who says nothing of a seat is another socket of the person: it does not know of the first one's. */
  #place(
    { person, room, seat }: Extract<HomeOp, { kind: "place" | "lost" }>,
    isLost: 0 | 1,
    until: number,
  ): void {
    const kept = seat === undefined ? "places.seat" : "excluded.seat";
    this.#tables.write(
      `insert into places (person, room, is_lost, until, seat) values (?, ?, ?, ?, ?)
       on conflict (person, room) do update set is_lost = excluded.is_lost, until = excluded.until, seat = ${kept}`,
      ...[person, room, isLost, until, seat ?? null],
    );
  }

  /**
   * The rooms of a person who connects. A client that says it was connected before gets back all of them: its old socket
   * may not be known as lost yet. Any other gets those whose socket is lost, so that a second tab enters nothing by itself.
   */
  #recall(
    { person, isReturning }: { person: string; isReturning: boolean },
    now: number,
  ): HomeReply {
    const found = this.#tables.rows<{ room: string; seat: number | null }>(
      "select room, seat from places where person = ? and until > ? and is_lost >= ? order by room limit 20",
      ...[person, now, isReturning ? 0 : 1],
    );
    const seats = found.flatMap(({ room, seat }) => (seat === null ? [] : [[room, seat] as const]));
    return { rooms: found.map(({ room }) => room), seats: Object.fromEntries(seats) };
  }
}
