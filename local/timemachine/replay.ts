import pg from "pg";
import type { Ctx } from "../../shared/context.ts";
import { type RenewalRun, runRenewals } from "../../workers/hosting/renewals.ts";
import { orderTerms } from "../../workers/hosting/terms.ts";
import type { LocalDatabase } from "../database.ts";
import { DAY, HOUR, startOfDay } from "./calendar.ts";
import { type Clock, contextAt } from "./context.ts";
import { Counter, type Paid, type PersonalAct } from "./counter.ts";
import { handTime, type World } from "./model.ts";
import { actsOf, behaviourOf, type Person } from "./people.ts";
import { SCHEMA, SEED } from "./schema.ts";

/** Connections over which customers pay at the same time, by the statements of the Worker's verbs. */
const TILLS = 2;
/** So many customers pay by the verbs themselves; everybody would take minutes. */
const AT_COUNTER = 50;
/** Every so often the night is run by several at once, or is broken off and taken up again. */
const CROWDED_NIGHTS = 10;
const BROKEN_NIGHTS = 7;

/** Tables fill within seconds here, too fast for the autovacuum that plans queries anew elsewhere. */
const LEARNING_DAYS = [0, 1, 3, 7, 15, 30, 60, 120, 240];
const LEARN = `analyze hosting_orders, hosting_subscriptions, hosting_invoices, hosting_renewal_steps, jobs,
  payments_intents, payments_charges, payments_refunds, ledger_accounts, ledger_transfers, timemachine_pages`;

/** The runs of so many days, at 06.00 in Jakarta. */
export const runsOf = (firstDay: number, days: number) =>
  Array.from({ length: days }, (_, n) => startOfDay(firstDay + n) + 6 * HOUR);

/**
 * The real thing over a year, on a moved clock: the Worker's nightly verb, its verbs of payment for some customers and the
 * statements of these for the others.
 */
export class Replay {
  readonly client: pg.Client;
  readonly #people: readonly Person[];
  readonly #world: World;
  readonly #clock: Clock;
  readonly #ctx: Ctx;
  readonly #terms: string;
  readonly #tills: pg.Client[];
  readonly #planned: PersonalAct[][];
  readonly #counter: Counter;
  readonly #turns: number[];
  batches = 0;

  constructor(
    clients: pg.Client[],
    ctx: Ctx,
    clock: Clock,
    people: readonly Person[],
    world: World,
  ) {
    const [client, ...tills] = clients;
    if (!client) throw new Error("a replay needs a connection");
    this.client = client;
    this.#tills = tills;
    this.#clock = clock;
    this.#ctx = ctx;
    this.#people = people;
    this.#world = world;
    this.#terms = JSON.stringify(orderTerms(ctx.config));
    this.#planned = world.runs.map(() => []);
    this.#turns = people.map(() => 0);
    this.#counter = new Counter(client, ctx);
  }

  /** A fresh database with everybody in it, at the moment before the first run. */
  static async open(
    database: LocalDatabase,
    name: string,
    people: readonly Person[],
    world: World,
  ): Promise<Replay> {
    const urls = await database.createDatabaseFromTemplate(name);
    const clients = Array.from(
      { length: 1 + TILLS },
      () => new pg.Client({ connectionString: urls.adminUrl }),
    );
    await Promise.all(clients.map((client) => client.connect()));
    const clock = { now: world.from };
    const ctx = contextAt(urls, database.httpUrl, clock);
    const replay = new Replay(clients, ctx, clock, people, world);
    try {
      await replay.#seed();
    } catch (error) {
      await replay.close();
      throw error;
    }
    return replay;
  }

  async #seed(): Promise<void> {
    const { client } = this;
    await client.query(SCHEMA);
    for (const [plan, price] of Object.entries(this.#world.monthlyPrices)) {
      await client.query("update hosting_plans set price = $2 where name = $1", [plan, price]);
    }
    const server = {
      id: "018f0000-0000-7000-8000-000000000001",
      name: "waktu",
      driver: "aapanel",
      base_url: "http://127.0.0.1:9",
      web_address: "127.0.0.1:9",
      ftp_host: "ftp.waktu.example",
      sites_path: "/www/wwwroot",
      has_databases: false,
      capacity: this.#people.length,
      sites: this.#people.length,
      is_active: true,
      created_at: new Date(0),
      updated_at: new Date(0),
    };
    const told = this.#people.map((person) => ({ ...person, person: person.index }));
    await client.query(SEED, [JSON.stringify(told), this.#terms, JSON.stringify(server)]);
    await client.query(`update hosting_plans p set slots = null,
      slots_taken = (select count(*) from hosting_subscriptions s where s.plan_id = p.id)`);
    await client.query("analyze");
    for (const person of this.#people) {
      if (person.renewal === "by_hand") {
        this.#plan(person.index, handTime(this.#world.from, person.endsAt), person.endsAt);
      }
    }
  }

  /** A person makes up his mind about a renewal; what he does is done in the day it falls into. */
  #plan(index: number, from: number, end: number): void {
    const person = this.#people[index];
    if (!person) return;
    const turn = this.#turns[index] ?? 0;
    this.#turns[index] = turn + 1;
    for (const act of actsOf(behaviourOf(this.#world.seed, person, turn), person, from, end)) {
      const day = Math.max(0, Math.floor((act.at - (this.#world.runs[0] ?? 0)) / DAY) + 1);
      this.#planned[day]?.push({ ...act, person: index });
    }
  }

  async run(tell: (day: number) => void): Promise<void> {
    for (const [day, run] of this.#world.runs.entries()) {
      await this.#payments(day);
      await this.#news(day, run);
      const since = Date.now() - 1_000;
      const bills = await this.#night(day, run);
      if (bills > 0) await this.#bills(run, since);
      if (LEARNING_DAYS.includes(day)) await this.client.query(LEARN);
      tell(day);
    }
  }

  /** Bans and the new price, an hour before the run. */
  async #news(day: number, run: number): Promise<void> {
    const since = this.#world.runs[day - 1] ?? 0;
    const banned = this.#people.filter(
      ({ bannedAt }) => bannedAt !== null && bannedAt <= run && bannedAt > since,
    );
    if (banned.length > 0) {
      await this.client.query(
        `update identity_users u set banned_at = now() from timemachine_people p
         where p.user_id = u.id and p.person = any($1)`,
        [banned.map(({ index }) => index)],
      );
    }
    const { change } = this.#world;
    if (change.at <= run && change.at > since) {
      await this.client.query("update hosting_plans set price = $2 where name = $1", [
        change.plan,
        change.price,
      ]);
    }
  }

  /** Answers how many bills were written. */
  async #night(day: number, run: number): Promise<number> {
    this.#clock.now = run;
    const isCrowded = day % CROWDED_NIGHTS === 3;
    const isBroken = day % BROKEN_NIGHTS === 2;
    const runs: RenewalRun[] = [];
    if (isBroken) runs.push(await runRenewals(this.#ctx, { batch: 20, maxBatches: 1 }));
    const crowd = Array.from({ length: isCrowded ? 5 : 1 }, () =>
      runRenewals(this.#ctx, { batch: isCrowded ? 50 : 500 }),
    );
    runs.push(...(await Promise.all(crowd)));
    // What a rival held under its locks when the others passed by, it has done itself: nothing is left after them.
    const rest = isCrowded || isBroken ? await runRenewals(this.#ctx) : null;
    if (rest && rest.visited > 0) throw new Error(`after the night of day ${day} there was work`);
    this.batches += runs.reduce((sum, { batches }) => sum + batches, 0);
    return runs.reduce((sum, { steps }) => sum + (steps.order ?? 0), 0);
  }

  /** Who got a bill decides what to do about it. Ids begin with the real time, so the index finds the night's own. */
  async #bills(run: number, since: number): Promise<void> {
    const { rows } = await this.client.query(
      `select p.person, timemachine_ms(o.renews_period)::float8 as end from hosting_orders o
       join timemachine_people p on p.subscription_id = o.renews_subscription_id
       where o.id > $2 and o.created_at = timemachine_at($1) order by p.person`,
      [
        run,
        `${since.toString(16).padStart(12, "0").replace(/^.{8}/, "$&-")}-7000-8000-000000000000`,
      ],
    );
    for (const { person, end } of rows) this.#plan(person, run, end);
  }

  /**
   * What customers do between the last run and this one, several at the same time; everybody's own acts in their order.
   * Payments wait for each other at the ledger, and pages are opened meanwhile.
   */
  async #payments(day: number): Promise<void> {
    const acts = (this.#planned[day] ?? []).sort((a, b) => a.at - b.at);
    const atTills = acts.filter((act) => !this.#isAtCounter(act));
    await Promise.all([
      this.#serve(acts.filter((act) => this.#isAtCounter(act))),
      ...this.#tills.map(async (till, lane) => {
        const own = atTills.filter(({ person }) => person % this.#tills.length === lane);
        if (own.length > 0) this.#note(await this.#pay(till, own));
      }),
    ]);
  }

  /** Evenly among all, and not all of few. */
  #isAtCounter({ person }: PersonalAct): boolean {
    return person % Math.max(2, Math.floor(this.#people.length / AT_COUNTER)) === 0;
  }

  /** An order by hand is written by its statement: its verb would open a page, too. */
  async #serve(acts: readonly PersonalAct[]): Promise<void> {
    for (const act of acts) {
      if (act.do === "order") await this.#pay(this.client, [act]);
      else this.#note(await this.#counter.serve(act));
    }
  }

  async #pay(till: pg.Client, acts: readonly PersonalAct[]): Promise<Paid[]> {
    const told = acts.map(({ do: deed, person, page, at }) => ({ deed, person, page, at }));
    const { rows } = await till.query("call timemachine_act($1, $2, null)", [
      JSON.stringify(told),
      this.#terms,
    ]);
    return rows[0].paid;
  }

  #note(paid: readonly Paid[]): void {
    for (const { person, end, at } of paid) {
      const byHand = this.#people[person]?.renewal === "by_hand";
      if (byHand) this.#plan(person, handTime(at, end), end);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.client, ...this.#tills].map((client) => client.end()));
  }
}
