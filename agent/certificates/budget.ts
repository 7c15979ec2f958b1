import { z } from "zod";

/**
 * How often an authority was asked, kept on disk so that no restart and no retry asks too often. Let's Encrypt allows, for
 * an account: 5 failed validations of a name in an hour, 5 certificates of the same names and 50 of one registered
 * domain in 7 days, 300 orders in 3 hours (letsencrypt.org/docs/rate-limits). This stays well below.
 */
export const budgetSchema = z.object({
  v: z.literal(1),
  /** Written before the authority looks, removed when it found what it looked for: a kill in between counts. */
  failures: z.array(
    z.object({ at: z.number(), directory: z.string(), name: z.string(), order: z.string() }),
  ),
  issued: z.array(
    z.object({
      at: z.number(),
      directory: z.string(),
      names: z.array(z.string()),
      order: z.string(),
    }),
  ),
  orders: z.array(z.object({ at: z.number(), directory: z.string() })),
  /** The authority said so itself. */
  pauses: z.array(z.object({ until: z.number(), directory: z.string() })),
});
export type Budget = z.output<typeof budgetSchema>;

export const emptyBudget = (): Budget => ({
  v: 1,
  failures: [],
  issued: [],
  orders: [],
  pauses: [],
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WEEK = 7 * 24 * HOUR;
const ORDER_SPAN = 3 * HOUR;

const LIMITS = { sameNames: 4, registered: 40, orders: 200 };
/** After failures in a row: 5 minutes, 15, 45, … at most a day. */
const FIRST_PAUSE = 5 * MINUTE;
const PAUSE_FACTOR = 3;
const LONGEST_PAUSE = 24 * HOUR;

export interface Wish {
  directory: string;
  names: readonly string[];
}

/** When these names may be asked for again; null is now. */
export function nextTry(budget: Budget, { directory, names }: Wish, now: Date): Date | null {
  const waits = [
    ...budget.pauses.filter((pause) => pause.directory === directory).map(({ until }) => until),
    ...names.map((name) => afterFailures(budget, directory, name)),
    afterMost(issuedAlike(budget, directory, names), LIMITS.sameNames, WEEK),
    ...names.map((name) =>
      afterMost(issuedUnder(budget, directory, name), LIMITS.registered, WEEK),
    ),
    afterMost(
      atOf(budget.orders.filter((one) => one.directory === directory)),
      LIMITS.orders,
      ORDER_SPAN,
    ),
  ];
  const latest = Math.max(...waits);
  return latest > now.getTime() ? new Date(latest) : null;
}

function afterFailures({ failures }: Budget, directory: string, name: string): number {
  const times = atOf(failures.filter((one) => one.directory === directory && one.name === name));
  const last = times.at(-1);
  if (last === undefined) return 0;
  return last + Math.min(FIRST_PAUSE * PAUSE_FACTOR ** (times.length - 1), LONGEST_PAUSE);
}

/** When the one leaves the span that makes room for another. */
function afterMost(times: number[], most: number, span: number): number {
  const leaving = times.at(-most);
  return leaving === undefined ? 0 : leaving + span;
}

const atOf = (entries: { at: number }[]) => entries.map(({ at }) => at).sort((a, b) => a - b);

const sameNames = (one: readonly string[], other: readonly string[]) =>
  [...one].sort().join() === [...other].sort().join();

const issuedAlike = ({ issued }: Budget, directory: string, names: readonly string[]) =>
  atOf(issued.filter((one) => one.directory === directory && sameNames(one.names, names)));

const issuedUnder = ({ issued }: Budget, directory: string, name: string) => {
  const domain = registeredDomain(name);
  return atOf(
    issued.filter(
      (one) =>
        one.directory === directory && one.names.some((each) => registeredDomain(each) === domain),
    ),
  );
};

/**
 * What was bought from a registry: `toko.co.id` of `www.toko.co.id`. Two letters at the end with a short word before
 * are a registry's own ending. A wrong guess here only makes the pause come sooner.
 */
export function registeredDomain(name: string): string {
  const labels = name.split(".");
  const [second = "", top = ""] = labels.slice(-2);
  const isShared = top.length === 2 && /^(?:[a-z]{1,3}|desa|ponpes|info|name)$/.test(second);
  return labels.slice(isShared ? -3 : -2).join(".");
}

/** A copy with what happened, without what no limit counts any more. */
export function noted(budget: Budget, now: Date, change: Partial<Omit<Budget, "v">>): Budget {
  const since = now.getTime() - WEEK;
  const recent = <T extends { at: number }>(list: T[]) => list.filter(({ at }) => at > since);
  return {
    v: 1,
    failures: recent(once([...budget.failures, ...(change.failures ?? [])], sameFailure)),
    issued: recent(once([...budget.issued, ...(change.issued ?? [])], sameOrder)),
    orders: recent([...budget.orders, ...(change.orders ?? [])]),
    pauses: [...budget.pauses, ...(change.pauses ?? [])].filter(
      ({ until }) => until > now.getTime(),
    ),
  };
}

const sameOrder = (one: { order: string }, other: { order: string }) => one.order === other.order;
const sameFailure = (
  one: { order: string; name: string },
  other: { order: string; name: string },
) => sameOrder(one, other) && one.name === other.name;

/** What a killed run had written down is the same when the next run comes to it. */
const once = <T>(list: T[], isSame: (one: T, other: T) => boolean) =>
  list.filter((one, index) => list.findIndex((other) => isSame(other, one)) === index);

/** Without what an order that is still open had failed so far, for that is not known yet. */
export const withoutOrder = (budget: Budget, order: string): Budget => ({
  ...budget,
  failures: budget.failures.filter((one) => one.order !== order),
});

/** Without the failures of a name that is confirmed now. */
export const confirmed = (budget: Budget, directory: string, name: string): Budget => ({
  ...budget,
  failures: budget.failures.filter((one) => one.directory !== directory || one.name !== name),
});
