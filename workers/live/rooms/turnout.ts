import { z } from "zod";
import type { ObjectTables } from "../object-tables.ts";
import type { Hosting, Live } from "./hosting.ts";
import { type Members, visitorOf } from "./members.ts";

/** Who came to a live since its room last gave word of it: nobody is left out, a repeat does no harm. */
export interface Word {
  users: number[];
  /** What tells guests apart (`visitorOf`). */
  guests: string[];
}

/** A word, and the number up to which the live knows its visitors with it. */
export type NextWord = Word & { upTo: number };

/** Of a live that is over; a long one comes in parts. */
export type LastWord = Word & { part: number; sessionId: number };

const Kept = z.array(z.string());
/** A row of an object's storage has its limit. */
const PER_PART = 5_000;
const PARTS_AT_ONCE = 20;

type VisitorRow = { person: string };
type WordRow = { part: number; session_id: number; people: string };

/**
 * Who came to the lives of a room. Each person who comes is written down once, with a number, until all lives there have
 * given word of him; a live that ends leaves its last word, which is kept until it was handed in. So neither an eviction
 * nor a database that is away loses a viewer, and who came and went between two words is among them.
 */
export class Turnout {
  readonly #tables: ObjectTables;
  readonly #members: Members;
  readonly #hosting: Hosting;
  #mark: number | null = null;
  #hasLastWords: boolean | null = null;

  constructor(parts: { tables: ObjectTables; members: Members; hosting: Hosting }) {
    this.#tables = parts.tables;
    this.#members = parts.members;
    this.#hosting = parts.hosting;
  }

  /** The number of who came last. */
  get mark(): number {
    if (this.#mark !== null) return this.#mark;
    const [row] = this.#tables.rows<{ n: number | null }>("select max(n) as n from visitors");
    this.#mark = Math.max(row?.n ?? 0, ...this.#toldTo());
    return this.#mark;
  }

  /** Somebody came: to all lives here but his own. */
  came(person: string): void {
    if (this.#hosting.list().some((live) => !isHostOf(live, person))) this.#note(person);
  }

  /** Of a live that has not told who was here at its start, who goes must not be forgotten. */
  went(person: string): void {
    const isUntold = (live: Live) => !live.isGreeted && !isHostOf(live, person);
    if (this.#hosting.list().some(isUntold)) this.#note(person);
  }

  /** Somebody turned out to be no visitor. */
  strike(person: string): void {
    this.#tables.write("delete from visitors where person = ?", person);
  }

  hasNews = ({ toldTo }: Live): boolean => this.mark > toldTo;

  /** Who came since the last word of a live; with its first all who are here. */
  wordOf(live: Live): NextWord {
    return { ...wordOf(this.#peopleOf(live)), upTo: this.mark };
  }

  /** Whom every live here has told of need not be remembered. */
  forgetTold(): void {
    const toldToAll = Math.min(this.mark, ...this.#toldTo());
    this.#tables.write("delete from visitors where n <= ?", toldToAll);
  }

  /** A live is over: its last word waits to be handed in. Answers whether it names anybody. */
  end(sessionId: number, live: Live | undefined): boolean {
    const people = live ? this.#peopleOf(live) : [];
    for (let at = 0; at === 0 || at < people.length; at += PER_PART) {
      this.#tables.write(
        "insert into last_words (session_id, people) values (?, ?)",
        ...[sessionId, JSON.stringify(people.slice(at, at + PER_PART))],
      );
    }
    this.#hasLastWords = true;
    return people.length > 0;
  }

  get hasLastWords(): boolean {
    this.#hasLastWords ??= this.#tables.rows("select 1 from last_words limit 1").length > 0;
    return this.#hasLastWords;
  }

  /** Some of the last words that wait, the oldest first. */
  lastWords(): LastWord[] {
    const rows = this.#tables.rows<WordRow>(
      "select part, session_id, people from last_words order by part limit ?",
      PARTS_AT_ONCE,
    );
    return rows.map(({ part, session_id: sessionId, people }) => ({
      ...{ part, sessionId, ...wordOf(Kept.parse(JSON.parse(people))) },
    }));
  }

  /** They may be handed in twice at once: a number may be that of another's word by now, as they begin anew. */
  handedIn(words: LastWord[]): void {
    this.#tables.write(
      `delete from last_words where (part, session_id) in
        (select value ->> 'part', value ->> 'sessionId' from json_each(?))`,
      JSON.stringify(words.map(({ part, sessionId }) => ({ part, sessionId }))),
    );
    this.#hasLastWords = null;
    this.forgetTold();
  }

  #peopleOf(live: Live): string[] {
    const rows = this.#tables.rows<VisitorRow>(
      "select person from visitors where n > ?",
      live.toldTo,
    );
    const present = live.isGreeted ? [] : this.#members.people();
    const people = new Set([...rows.map(({ person }) => person), ...present.map(visitorOf)]);
    return [...people].filter((person) => !isHostOf(live, person));
  }

  #note(person: string): void {
    const next = this.mark + 1;
    this.#tables.write("insert or replace into visitors (person, n) values (?, ?)", person, next);
    this.#mark = next;
  }

  #toldTo(): number[] {
    return this.#hosting.list().map(({ toldTo }) => toldTo);
  }
}

/** A host is no viewer of his own live, nor is who stands for him. */
const isHostOf = ({ hostId, bound }: Live, person: string) =>
  person === `u:${hostId}` || person === bound?.visitor;

function wordOf(people: string[]): Word {
  const users = people.flatMap((key) => (key.startsWith("u:") ? Number(key.slice(2)) : []));
  return { users, guests: people.filter((key) => !key.startsWith("u:")) };
}
