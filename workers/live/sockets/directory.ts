import type { ObjectTables } from "../object-tables.ts";
import { type Comer, type HomeReply, type Spot, Spots, TOLD_MS } from "./spots.ts";

/** What a shard tells the home of a person. */
export type HomeOp =
  | { kind: "enlist"; userId: number; shard: string }
  | ({ kind: "place" | "lost" | "unplace" } & Spot)
  | ({ kind: "recall" } & Comer);

const NOWHERE: HomeReply = { rooms: [] };

/** A shard is taken for one of a user's until it says itself that it is none, or was silent for so long. */
const ENLISTED_MS = 24 * 60 * 60 * 1_000;

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
  "alter table spots add column heir text",
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
  readonly #spots: Spots;
  readonly #questions = new Set<Question>();
  #purgedAt = 0;

  constructor(tables: ObjectTables, now: () => number) {
    this.#tables = tables;
    this.#now = now;
    this.#spots = new Spots(tables, now);
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
    this.#spots.purge();
  }

  #applyOne(op: HomeOp): HomeReply {
    switch (op.kind) {
      case "enlist":
        this.#enlist(op.userId, op.shard, this.#now());
        return NOWHERE;
      case "place":
      case "lost":
      case "unplace":
        this.#spots[op.kind](op);
        return NOWHERE;
      case "recall":
        return this.#spots.recall(op);
      default:
        return op satisfies never;
    }
  }
}
