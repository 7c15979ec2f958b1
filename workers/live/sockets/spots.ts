import type { ObjectTables } from "../object-tables.ts";

/** A shard renews within this time what it told of rooms; what a dead shard told lapses. */
export const TOLD_MS = 150_000;
/** Who lost his connection finds his rooms again for so long. */
export const GRACE_MS = 60_000;
/** A connection that is nowhere is known for so long: most are, all day, and each renewal writes a row. */
const NOWHERE_MS = 600_000;

/** Of a socket whose shard named none: a release from before connections were told apart. */
const UNKNOWN = "";
/** In place of a room, for a connection: it is known, so that it is not put where its person's other tab is. */
export const NO_ROOM = "";
/** More than a socket may be in. */
const MAX_ROOMS = 20;

/** Where a connection of a person is. `seat`: undefined where nothing is said of it. */
export interface Spot {
  person: string;
  room: string;
  pid?: string;
  seat?: number | null;
}

/** Who asks for his rooms. `pid` is its own, `formerPid` that of the connection which its client had before. */
export interface Comer {
  person: string;
  isReturning: boolean;
  pid?: string;
  formerPid?: string | null | undefined;
}

/** Rooms to come back to, and the person's seats in them. */
export interface HomeReply {
  rooms: string[];
  seats?: Record<string, number>;
}

/** Some rows of a person. */
interface Choice {
  which: string;
  values: SqlStorageValue[];
}

/**
 * In which rooms a person's connections are or just were. Each connection that is known has a row without a room, too.
 * When its client comes back, that row names the new connection, its heir: the answer may be lost on its way, and then the
 * client comes again as who it was.
 */
export class Spots {
  readonly #tables: ObjectTables;
  readonly #now: () => number;

  constructor(tables: ObjectTables, now: () => number) {
    this.#tables = tables;
    this.#now = now;
  }

  /** It is there, and will say so again. What its heirs were told is no longer needed: it speaks for itself. */
  place(spot: Spot): void {
    this.#put(spot, 0, spot.room === NO_ROOM ? NOWHERE_MS : TOLD_MS);
    this.#tables.write(
      "update spots set heir = null where person = ? and room = '' and pid = ? and heir is not null",
      ...[spot.person, spot.pid ?? UNKNOWN],
    );
  }

  /** Its connection is lost: whoever of its person comes anew is put into the room. */
  lost(spot: Spot): void {
    this.#put(spot, 1, GRACE_MS);
  }

  /**
   * One connection leaves. Another may still be in the room, and one that was lost may come back to it; but nobody who
   * comes anew is put there for it.
   */
  unplace({ person, room, pid = UNKNOWN }: Spot): void {
    const mark = "from spots where person = ? and room = ''";
    this.#tables.write(
      `delete from spots where person = ? and room = ? and (? = '' or pid in ('', ?)
         or pid in (select pid ${mark} and heir = ?) or pid in (select heir ${mark} and pid = ?))`,
      ...[person, room, pid, pid, person, pid, person, pid],
    );
    this.#tables.write(
      "update spots set is_lost = 0 where person = ? and room = ? and is_lost = 1",
      ...[person, room],
    );
    if (pid !== UNKNOWN) this.place({ person, room: NO_ROOM, pid });
  }

  /**
   * The rooms of a person who connects. Where its connection, or the one that its client had before, is known, those are
   * its own and its heirs' rooms. Where nothing is known of a client that was connected before, it gets all of its person's:
   * a crash may have taken what was told of it. Any other gets those whose connection is lost, so that a second tab enters
   * nothing by itself: who comes back to them by name finds them all the same, and nobody else who comes anew.
   */
  recall({ person, isReturning, pid = UNKNOWN, formerPid }: Comer): HomeReply {
    const former = formerPid ?? pid;
    const line = [pid, former, this.#heirOf(person, former) ?? pid];
    const own = this.#find(person, isOf(line));
    const offer = isOffered(isReturning);
    const found = own.length > 0 ? own : this.#find(person, offer);
    if (pid !== UNKNOWN) {
      if (own.length > 0) this.#inherit(person, pid, line);
      else if (found.length > 0) this.#accept(person, pid, offer);
      this.place({ person, room: NO_ROOM, pid });
      this.#bequeath(person, pid, line);
    }
    const rooms = found.filter(({ room }) => room !== NO_ROOM);
    const seats = rooms.flatMap(({ room, seat }) => (seat === null ? [] : [[room, seat] as const]));
    return { rooms: rooms.map(({ room }) => room), seats: Object.fromEntries(seats) };
  }

  /** Deletes what has lapsed. */
  purge(): void {
    this.#tables.write("delete from spots where until < ?", this.#now());
  }

  /**
   * Who says nothing of a seat does not know of one, and takes none away. What holds for two thirds of its time yet is not
   * written again: so at any moment it holds for longer than somebody who comes back may take.
   */
  #put({ person, room, pid = UNKNOWN, seat }: Spot, isLost: 0 | 1, forMs: number): void {
    const kept = seat === undefined ? "spots.seat" : "excluded.seat";
    this.#tables.write(
      `insert into spots (person, room, pid, is_lost, until, seat) values (?, ?, ?, ?, ?, ?)
       on conflict (person, room, pid) do update
         set is_lost = excluded.is_lost, until = excluded.until, seat = ${kept}
         where spots.is_lost <> excluded.is_lost or spots.seat is not ${kept}
           or spots.until < excluded.until - ?`,
      ...[person, room, pid, isLost, this.#now() + forMs, seat ?? null, forMs / 3],
    );
  }

  #heirOf(person: string, pid: string): string | null {
    const [mark] = this.#tables.rows<{ heir: string | null }>(
      "select heir from spots where person = ? and room = '' and pid = ?",
      ...[person, pid],
    );
    return mark?.heir ?? null;
  }

  #find(person: string, { which, values }: Choice) {
    return this.#tables.rows<{ room: string; seat: number | null }>(
      `select room, max(seat) as seat from spots where person = ? and until > ? and ${which}
       group by room order by room limit ?`,
      ...[person, this.#now(), ...values, MAX_ROOMS],
    );
  }

  /** What is its line's is its own. */
  #inherit(person: string, pid: string, line: string[]): void {
    const { which, values } = isOf(line);
    this.#copy(person, pid, { which, values });
    this.#tables.write(
      `delete from spots where person = ? and room <> '' and pid <> ? and ${which}`,
      ...[person, pid, ...values],
    );
  }

  /** What is offered it has too; nobody is offered it any more, but whose it was keeps it. */
  #accept(person: string, pid: string, offer: Choice): void {
    this.#copy(person, pid, offer);
    this.#tables.write(
      "update spots set is_lost = 0 where person = ? and pid <> ? and is_lost = 1",
      ...[person, pid],
    );
    this.#tables.write("delete from spots where person = ? and pid = ''", person);
  }

  #copy(person: string, pid: string, { which, values }: Choice): void {
    this.#tables.write(
      `insert or replace into spots (person, room, pid, is_lost, until, seat)
       select person, room, ?, max(is_lost), max(until), max(seat) from spots
       where person = ? and until > ? and room <> '' and ${which} group by room`,
      ...[pid, person, this.#now(), ...values],
    );
  }

  /** Those of its line that its client may yet come as again know where their rooms went. */
  #bequeath(person: string, heir: string, line: string[]): void {
    for (const pid of new Set(line)) {
      if (pid === heir || pid === UNKNOWN) continue;
      this.#tables.write(
        `insert into spots (person, room, pid, is_lost, until, heir) values (?, '', ?, 0, ?, ?)
         on conflict (person, room, pid) do update set until = excluded.until, heir = excluded.heir`,
        ...[person, pid, this.#now() + NOWHERE_MS, heir],
      );
    }
  }
}

const isOf = (line: string[]): Choice => ({
  which: `pid in (${line.map(() => "?")}) and pid <> ''`,
  values: line,
});

/** After a crash nobody has told what was lost: who says that he was connected, and is not known, may have been anywhere. */
const isOffered = (isReturning: boolean): Choice => ({
  which: isReturning ? "room <> ''" : "room <> '' and is_lost = 1",
  values: [],
});
