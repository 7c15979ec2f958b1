import type { ObjectTables } from "../object-tables.ts";
import type { Attendance } from "./attendance.ts";
import { type AppSocket, closeSignedOut, type Desk } from "./desk.ts";
import { homeOf, userKey } from "./home.ts";
import { type Profile, type SignIn, userCard } from "./people.ts";

const CHORES_MS = 25_000;
const SIGN_INS_PER_CALL = 500;

/**
 * What a shard with sockets does every 25 s, and when a token of theirs expires: closes sockets whose sign-in has ended
 * (one statement for all), and says again what rooms and homes know of it, so that what a lost call or a dead shard left
 * behind heals. A shard without sockets does nothing.
 */
export class Chores {
  readonly #desk: Desk;
  readonly #attendance: Attendance;
  readonly #tables: ObjectTables;
  #dueAt: number | null = null;
  #underWay = 0;

  constructor(parts: { desk: Desk; attendance: Attendance; tables: ObjectTables }) {
    this.#desk = parts.desk;
    this.#attendance = parts.attendance;
    this.#tables = parts.tables;
  }

  /** Makes sure that they will be done, for a new socket not later than its token's end. */
  start(expiresAt: number | null): void {
    const now = this.#desk.now();
    this.#dueAt ??= this.#kept();
    // The end of a round plans the next one. One that is overdue and not under way died with its memory; one that hangs
    // holds up no other.
    if (this.#underWay > 0 && this.#dueAt > now - CHORES_MS) return;
    const dueAt = this.#dueAt > 0 ? Math.max(this.#dueAt, now) : now + CHORES_MS;
    const at = Math.min(dueAt, expiresAt ?? dueAt);
    if (at !== this.#dueAt) this.#plan(at);
  }

  /** The next round counts from the beginning of this one: rooms wait 45 s for a shard's word, also while Postgres is slow. */
  async run(): Promise<void> {
    const next = this.#desk.now() + CHORES_MS;
    this.#underWay += 1;
    try {
      const done = await Promise.allSettled([this.#checkSignIns(), this.#callRolls()]);
      for (const result of done) {
        if (result.status === "rejected")
          this.#desk.beside("chores", Promise.reject(result.reason));
      }
      this.#attendance.renewPlaces();
      this.#renewHomes();
    } finally {
      this.#underWay -= 1;
      if (this.#desk.engine.isEmpty) this.rest();
      else this.#plan(this.#nextAt(next));
    }
  }

  #nextAt(next: number): number {
    let at = next;
    for (const { data } of this.#desk.engine.sockets()) {
      at = Math.min(at, data?.signIn?.expiresAt ?? at);
    }
    return at;
  }

  #plan(at: number): void {
    this.#tables.write("insert or replace into chores values (1, ?)", at);
    this.#dueAt = at;
    this.#desk.engine.wakeAt(at);
  }

  /** Without sockets there is nothing to do. The next must not take this round for one that is to come. */
  rest(): void {
    if (!this.#desk.engine.isEmpty) return;
    this.#tables.write("delete from chores");
    this.#dueAt = 0;
    this.#desk.engine.wakeAt(null);
  }

  #kept(): number {
    return this.#tables.rows<{ due_at: number }>("select due_at from chores")[0]?.due_at ?? 0;
  }

  async #checkSignIns(): Promise<void> {
    const signed = new Map<string, AppSocket[]>();
    const signIns = new Map<string, SignIn>();
    for (const socket of this.#desk.engine.sockets()) {
      const signIn = socket.data?.signIn;
      if (!signIn) continue;
      if (signIn.expiresAt <= this.#desk.now()) {
        closeSignedOut(socket);
        continue;
      }
      signIns.set(signIn.sessionId, signIn);
      signed.set(signIn.sessionId, [...(signed.get(signIn.sessionId) ?? []), socket]);
    }
    const all = [...signIns.values()];
    for (let i = 0; i < all.length; i += SIGN_INS_PER_CALL) {
      await this.#checkSome(all.slice(i, i + SIGN_INS_PER_CALL), signed);
    }
  }

  async #checkSome(signIns: SignIn[], signed: Map<string, AppSocket[]>): Promise<void> {
    const profiles = await Promise.all(
      signIns.map((signIn) => this.#desk.profiles.deliver(signIn)),
    );
    signIns.forEach(({ sessionId }, i) => {
      for (const socket of signed.get(sessionId) ?? []) refresh(socket, profiles[i] ?? null);
    });
  }

  async #callRolls(): Promise<void> {
    const calls = [...this.#attendance.sheets()].map(async ([room, sockets]) => {
      // On the same way as joins and leaves, so that none of them overtakes it.
      const reply = await this.#desk.rooms.deliver(room, { kind: "roll", sockets });
      const unknown = reply.ok ? (reply.unknown ?? []) : [];
      await Promise.all(unknown.map((socket) => this.#attendance.remind(room, socket)));
    });
    await Promise.all(calls);
  }

  #renewHomes(): void {
    const { engine, name, shards, homes, beside } = this.#desk;
    const users = new Set(engine.sockets().flatMap(({ data }) => data?.signIn?.userId ?? []));
    for (const userId of users) {
      const home = homeOf(userKey(userId), shards);
      if (home === name) continue;
      beside("home", homes.deliver(home, { kind: "enlist", userId, shard: name }));
    }
  }
}

/** Closes a socket whose sign-in has ended, else lets it carry what its user looks like now. */
function refresh(socket: AppSocket, profile: Profile): void {
  const { data } = socket;
  if (!data?.signIn) return;
  if (!profile) {
    closeSignedOut(socket);
    return;
  }
  const person = userCard(data.signIn.userId, profile);
  if (JSON.stringify(person) !== JSON.stringify(data.person)) socket.data = { ...data, person };
}
