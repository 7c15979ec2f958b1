import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { unique } from "../../testing/factories.ts";
import { ObjectTables } from "../object-tables.ts";
import { Directory, type HomeOp, SHARD_TABLES } from "./directory.ts";

const SEEDS = 40;
const STEPS = 250;
const TABS = 4;
const ROOMS = ["live:a", "live:b", "party:c"];
/** Who comes back within this time finds his rooms. */
const GRACE_MS = 60_000;
const ROUND_MS = 25_000;
/** A connection that vanished is noticed after so long. */
const NOTICED_MS = 45_000;
/** A row goes after ten minutes at most and is purged soon; a connection's may be renewed once by who came before it. */
const NAMED_MS = 1_500_000;

/** Small, seeded and fast (mulberry32): a failing run can be repeated by its seed. */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What a client knows: its last connection that answered, and the rooms on its screen. */
interface Tab {
  pid: string;
  rooms: Set<string>;
  /** Since when it has no connection, or null while it has one. */
  cutAt: number | null;
}

/** What a shard takes for a connection, while its client has gone or never learnt of it. */
interface Ghost {
  pid: string;
  rooms: string[];
  noticedAt: number;
}

/** One person with some tabs, as clients and shards play it; notes each promise that was broken. */
class Play {
  readonly broken: string[] = [];
  readonly history: string[] = [];
  readonly #apply: (op: HomeOp) => string[];
  readonly #person: string;
  readonly #random: (below: number) => number;
  readonly #tabs: Tab[] = [];
  #ghosts: Ghost[] = [];
  /** Which rooms were told to be lost, and until when they may be offered. */
  readonly #offered = new Map<string, number>();
  /** When a connection was last named to the home, and when anything was. */
  readonly #namedAt = new Map<string, number>();
  #saidAt = 0;
  #now: number;

  constructor(seed: number, start: number, apply: (op: HomeOp) => string[]) {
    this.#random = randomFrom(seed);
    this.#person = `u:${seed}`;
    this.#now = start;
    this.#apply = apply;
  }

  get now(): number {
    return this.#now;
  }

  /** As many rows as there can be: each connection that anybody named lately, in no room and in all. */
  get mostRows(): number {
    const named = [...this.#namedAt.values()].filter((at) => at > this.#saidAt - NAMED_MS);
    return named.length * (ROOMS.length + 1);
  }

  step(): void {
    const tab = this.#tabs[this.#random(this.#tabs.length)];
    const choice = this.#random(10);
    if (!tab || (choice === 0 && this.#tabs.length < TABS)) this.#open();
    else if (choice < 4)
      this.#pass([1, 5_000, 20_000, 50_000, 70_000, 200_000][this.#random(6)] ?? 0);
    else if (tab.cutAt === null && choice < 7) this.#move(tab);
    else if (tab.cutAt === null) this.#cut(tab);
    else if (choice < 6 && this.#now - tab.cutAt < GRACE_MS) this.#recover(tab);
    else this.#comeBack(tab);
  }

  #tell(op: HomeOp & { pid: string; formerPid?: string | null }): string[] {
    this.#saidAt = this.#now;
    for (const pid of [op.pid, op.formerPid ?? op.pid]) this.#namedAt.set(pid, this.#now);
    return this.#apply(op);
  }

  #say(kind: "place" | "lost" | "unplace", pid: string, room: string): void {
    this.history.push(`${this.#now / 1_000}s ${kind} ${pid} ${room}`);
    this.#tell({ kind, person: this.#person, room, pid });
    if (kind === "lost") this.#offered.set(room, this.#now + GRACE_MS);
  }

  /** The answer may be lost, and is asked for again then. */
  #recall(pid: string, formerPid: string | null, isReturning: boolean): string[] {
    const op = { kind: "recall" as const, person: this.#person, isReturning, pid, formerPid };
    const rooms = this.#tell(op);
    this.history.push(`${this.#now / 1_000}s ${pid} comes as ${formerPid}: ${rooms}`);
    if (this.#random(4) === 0) this.#check(`${pid} asked again`, this.#tell(op), rooms);
    return rooms;
  }

  #check(what: string, found: string[], promised: Iterable<string>): void {
    const [are, should] = [found.toSorted().join(), [...promised].toSorted().join()];
    if (are !== should) this.#breaks(`${what}: is in "${are}", not in "${should}"`);
  }

  #checkOffered(what: string, found: string[], own: Iterable<string> = []): void {
    const may = new Set([...this.#offered].flatMap(([r, until]) => (until > this.#now ? [r] : [])));
    for (const room of own) may.add(room);
    for (const room of found) if (!may.has(room)) this.#breaks(`${what}: is put into ${room}`);
  }

  #breaks(what: string): void {
    this.broken.push([...this.history.slice(-25), what].join("\n"));
  }

  #open(): void {
    const pid = `p${this.#namedAt.size + 1}`;
    const rooms = this.#recall(pid, null, false);
    this.#checkOffered(`new ${pid}`, rooms);
    for (const room of rooms) this.#say("place", pid, room);
    this.#tabs.push({ pid, rooms: new Set(rooms), cutAt: null });
  }

  /** Into a room or out of it. */
  #move({ pid, rooms }: Tab): void {
    const room = ROOMS[this.#random(ROOMS.length)] ?? "";
    if (rooms.delete(room)) this.#say("unplace", pid, room);
    else {
      rooms.add(room);
      this.#say("place", pid, room);
    }
  }

  /** A shard is told at once, learns of it late, or was cut off itself and tells nothing. */
  #cut(tab: Tab): void {
    tab.cutAt = this.#now;
    this.history.push(`${this.#now / 1_000}s ${tab.pid} is cut`);
    const choice = this.#random(3);
    if (choice === 0) for (const room of tab.rooms) this.#say("lost", tab.pid, room);
    if (choice === 1) this.#haunt(tab.pid, tab.rooms);
  }

  #haunt(pid: string, rooms: Iterable<string>): void {
    const noticedAt = this.#now + this.#random(NOTICED_MS);
    this.#ghosts.push({ pid, rooms: [...rooms], noticedAt });
  }

  /** It goes on as the socket that it was; a guest's client says again who he is. */
  #recover(tab: Tab): void {
    tab.cutAt = null;
    this.#ghosts = this.#ghosts.filter(({ pid }) => pid !== tab.pid);
    this.#renew(tab.pid, tab.rooms);
    if (tab.rooms.size > 0) return;
    this.#check(`${tab.pid} goes on`, this.#recall(tab.pid, null, true), []);
  }

  #comeBack(tab: Tab): void {
    const pid = `p${this.#namedAt.size + 1}`;
    const found = this.#recall(pid, tab.pid, true);
    if (this.#now - (tab.cutAt ?? 0) < GRACE_MS) this.#check(`${pid} in time`, found, tab.rooms);
    for (const room of found) this.#say("place", pid, room);
    tab.rooms = new Set(found);
    const isHeard = this.#random(3) > 0;
    if (isHeard) Object.assign(tab, { pid, cutAt: null });
    else {
      tab.cutAt = this.#now;
      this.#haunt(pid, found);
    }
  }

  /** Time passes: what shards have sockets of is told again, and what they lost as they notice it. */
  #pass(ms: number): void {
    const end = this.#now + ms;
    while (this.#now < end) {
      const round = (Math.floor(this.#now / ROUND_MS) + 1) * ROUND_MS;
      const noticed = this.#ghosts.map(({ noticedAt }) => Math.max(noticedAt, this.#now + 1));
      this.#now = Math.min(end, round, ...noticed);
      for (const ghost of this.#ghosts.filter(({ noticedAt }) => noticedAt <= this.#now)) {
        for (const room of ghost.rooms) this.#say("lost", ghost.pid, room);
      }
      this.#ghosts = this.#ghosts.filter(({ noticedAt }) => noticedAt > this.#now);
      if (this.#now !== round) continue;
      for (const { pid, rooms } of this.#ghosts) this.#renew(pid, rooms);
      for (const { pid, rooms, cutAt } of this.#tabs) if (cutAt === null) this.#renew(pid, rooms);
    }
  }

  #renew(pid: string, rooms: Iterable<string>): void {
    const all = [...rooms];
    for (const room of all.length > 0 ? all : [""]) this.#say("place", pid, room);
  }
}

it("whoever comes back in time is where he was and nowhere else, nobody is put where nobody was lost, rows are few", async () => {
  await runInDurableObject(env.SOCKET_SHARD.getByName(unique("d")), (_, { storage }) => {
    const start = 1_800_000_000_000;
    let play: Play | null = null;
    let now = start;
    const directory = new Directory(
      new ObjectTables(storage, SHARD_TABLES),
      () => play?.now ?? now,
    );
    const apply = (op: HomeOp) => directory.apply([op])[0]?.rooms ?? [];
    const rows = () => Number(storage.sql.exec("select count(*) as n from spots").one().n);
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      play = new Play(seed, now, apply);
      let most = 0;
      for (let n = 0; n < STEPS; n += 1) {
        play.step();
        most = Math.max(most, rows() - play.mostRows);
      }
      expect(play.broken.slice(0, 1).join(), `seed ${seed}`).toBe("");
      expect(most, `rows of seed ${seed}`).toBe(0);
      now = play.now + 3_600_000;
      play = null;
      apply({ kind: "unplace", person: "u:0", room: "live:a" });
      expect(rows()).toBe(0);
    }
  });
});
