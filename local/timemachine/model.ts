import { DAY, dayOf, dayOfMonth, HOUR, monthsLater } from "./calendar.ts";
import { type Act, actsOf, behaviourOf, type Person, type PriceChange } from "./people.ts";

/**
 * What should happen to one customer, told from the rules alone: it knows no database, no SQL and no code of the
 * Worker. Each line is one fact; the real run must come to the same lines, each as often.
 */
export interface World {
  seed: number;
  from: number;
  /** When the nightly run runs. */
  runs: readonly number[];
  monthlyPrices: Readonly<Record<string, number>>;
  change: PriceChange;
}

const WARN_DAYS = 7;

export function simulate(person: Person, world: World): string[] {
  const life = new Life(person, world);
  if (person.renewal === "by_hand") life.plan(handTime(world.from, person.endsAt));
  for (const run of world.runs) {
    life.actUntil(run);
    life.night(run);
  }
  return life.finish();
}

interface Order {
  price: number;
  paidPage: number | null;
  /** Pages by number: when each was opened, and whether it can still be paid. */
  pages: Map<number, { openedAt: number; isOpen: boolean }>;
}

class Life {
  readonly #person: Person;
  readonly #world: World;
  readonly #lines: string[] = [];
  #end: number;
  #anchor: number;
  #status: "ACTIVE" | "SUSPENDED" | "EXPIRED" | "CANCELLED" = "ACTIVE";
  #suspendedAt = 0;
  #order: Order | null = null;
  #reminded = new Set<number>();
  #hasOrdered = false;
  #firstWarning: number | null = null;
  #lastWarning: number | null = null;
  #acts: Act[] = [];
  #turn = 0;

  constructor(person: Person, world: World) {
    this.#person = person;
    this.#world = world;
    this.#end = person.endsAt;
    this.#anchor = person.anchorDay;
  }

  /** The person makes up his mind about the renewal that he may pay from now on. */
  plan(from: number): void {
    const behaviour = behaviourOf(this.#world.seed, this.#person, this.#turn);
    this.#turn += 1;
    this.#acts = actsOf(behaviour, this.#person, from, this.#end);
  }

  actUntil(moment: number): void {
    for (;;) {
      const [next] = this.#acts;
      if (!next || next.at >= moment) return;
      this.#acts.shift();
      this.#act(next);
    }
  }

  #act(act: Act): void {
    if (act.do === "order") {
      if (!this.#isOver()) this.#placeOrder(act.at);
      return;
    }
    const page = this.#order?.pages.get(act.page);
    if (act.do === "open" && this.#order && this.#order.paidPage === null && !this.#isOver()) {
      this.#order.pages.set(act.page, { openedAt: act.at, isOpen: true });
    } else if (act.do === "expire" && page) {
      page.isOpen = false;
    } else if (act.do === "pay" && page) {
      if (page.isOpen && this.#order?.paidPage === null) this.#paid(act);
      else this.#say("refund");
    }
  }

  #isOver = () => this.#status === "EXPIRED" || this.#status === "CANCELLED";

  #placeOrder(at: number): void {
    const monthly = this.#monthly(at);
    this.#order = { price: monthly * this.#person.duration, paidPage: null, pages: new Map() };
    this.#say("order", this.#end, this.#order.price, at);
  }

  #monthly(at: number): number {
    const { change, monthlyPrices } = this.#world;
    const { plan } = this.#person;
    return plan === change.plan && at >= change.at ? change.price : (monthlyPrices[plan] ?? 0);
  }

  #paid({ at, page }: Act): void {
    const order = this.#order;
    if (!order) return;
    order.paidPage = page;
    const before = this.#end;
    const wasOff = this.#status === "SUSPENDED";
    if (wasOff) this.#anchor = dayOfMonth(at);
    this.#end = monthsLater(wasOff ? at : before, this.#person.duration, this.#anchor);
    this.#say("charge", before, order.price, at, this.#end);
    this.#say("mail", "hosting_payment_success", this.#end, order.price);
    if (wasOff) this.#say("site", "resume");
    this.#status = "ACTIVE";
    this.#reminded = new Set();
    this.#hasOrdered = false;
    this.#firstWarning = null;
    this.#lastWarning = null;
    if (this.#person.renewal !== "by_hand") return;
    // He plans the next one; what is left of this one (a double payment) comes first.
    const rest = this.#acts;
    this.plan(handTime(at, this.#end));
    this.#acts = [...rest, ...this.#acts].sort((a, b) => a.at - b.at);
  }

  night(run: number): void {
    if (this.#status === "ACTIVE") this.#nightOfActive(run);
    else if (this.#status === "SUSPENDED") this.#nightOfSuspended(run);
  }

  #isBanned = (at: number) => this.#person.bannedAt !== null && this.#person.bannedAt <= at;

  #nightOfActive(run: number): void {
    const daysLeft = dayOf(this.#end) - dayOf(run);
    if (daysLeft > 3) return;
    if (this.#person.renewal === "automatic" && !this.#hasOrdered && !this.#isBanned(run)) {
      this.#hasOrdered = true;
      this.#say("step", "order", this.#end, run);
      this.#placeOrder(run);
      this.plan(run);
    }
    if (run - this.#end >= 3 * DAY) {
      this.#status = "SUSPENDED";
      this.#suspendedAt = run;
      this.#step("suspend", "hosting_suspended", run);
      this.#say("site", "suspend");
      return;
    }
    const reminder = daysLeft >= 2 ? 3 : Math.max(0, daysLeft);
    if (this.#reminded.has(reminder)) return;
    this.#reminded.add(reminder);
    this.#step(`remind_${reminder}`, "hosting_renewal_reminder", run, daysLeft);
  }

  #nightOfSuspended(run: number): void {
    if (this.#lastWarning !== null) {
      if (run >= this.#lastWarning && !this.#isPaying(run)) this.#delete(run);
    } else if (this.#firstWarning !== null) {
      if (dayOf(run) < dayOf(this.#firstWarning) - 1) return;
      this.#lastWarning = Math.max(this.#firstWarning, run + 20 * HOUR);
      this.#step("warn_1", "hosting_deletion_warning", run);
    } else if (dayOf(run) >= dayOf(this.#suspendedAt + 30 * DAY) - WARN_DAYS) {
      this.#firstWarning = Math.max(this.#suspendedAt + 30 * DAY, run + 164 * HOUR);
      this.#step("warn_7", "hosting_deletion_warning", run);
    }
  }

  /** A page is open for a day; that it was not paid is sure when iPaymu has said so, or after a week. */
  #isPaying(run: number): boolean {
    const pages = [...(this.#order?.pages.values() ?? [])];
    return pages.some(({ openedAt, isOpen }) => isOpen && run < openedAt + 8 * DAY);
  }

  #delete(run: number): void {
    this.#step("delete", "hosting_deleted", run);
    this.#say("site", "delete");
    this.#status = this.#person.renewal === "automatic" ? "EXPIRED" : "CANCELLED";
    this.#order = null;
  }

  /** A step with its mail, which a banned person does not get. */
  #step(step: string, template: string, run: number, daysLeft: number | null = null): void {
    this.#say("step", step, this.#end, run);
    if (this.#isBanned(run)) return;
    const isUnpaid = this.#order !== null && this.#order.paidPage === null;
    const amount = isUnpaid ? this.#order?.price : this.#monthly(run) * this.#person.duration;
    this.#say(
      "mail",
      template,
      step,
      this.#end,
      amount ?? 0,
      isUnpaid ? "link" : "",
      daysLeft ?? "",
    );
  }

  #say(kind: string, ...facts: (string | number)[]): void {
    this.#lines.push([kind, this.#person.index, ...facts].join("|"));
  }

  finish(): string[] {
    this.#say("end", this.#status, this.#end, this.#anchor);
    const website = this.#person.hasWebsite;
    return website ? this.#lines : this.#lines.filter((line) => !line.startsWith("site|"));
  }
}

/** Who renews by hand does so two days ahead. */
export const handTime = (from: number, end: number) => Math.max(from, end - 2 * DAY);
