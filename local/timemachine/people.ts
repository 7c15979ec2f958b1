import { DAY, dayOfMonth, HOUR, monthsLater, startOfDay } from "./calendar.ts";

/** What a customer does about one renewal; times are relative to when he may pay. */
export type Behaviour =
  | { kind: "at_once"; after: number }
  /** In the days of grace. */
  | { kind: "late"; afterEnd: number }
  /** When the website is off; some come when it is gone. */
  | { kind: "when_suspended"; afterEnd: number }
  /** Opens the page, lets it run out, pays another, and then the first one too. */
  | { kind: "twice"; after: number }
  | { kind: "never" };

export interface Person {
  index: number;
  plan: string;
  duration: number;
  /** The period that is running when the clock is set. */
  startedAt: number;
  endsAt: number;
  anchorDay: number;
  hasWebsite: boolean;
  /** `by_hand`: no automatic renewal, but he orders one himself; `lapses`: neither. */
  renewal: "automatic" | "by_hand" | "lapses";
  bannedAt: number | null;
}

export const PLANS = ["starter", "business", "enterprise", "vps-basic"] as const;

/** A plan that becomes dearer in the middle. */
export interface PriceChange {
  plan: string;
  at: number;
  price: number;
}

/** Whatever is by chance follows from the seed and these numbers alone, whoever asks and in whatever order. */
export function chance(seed: number, ...numbers: number[]): number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  for (const number of numbers) state = mix(state ^ mix(number >>> 0));
  return mix(state) / 2 ** 32;
}

/** The finaliser of MurmurHash3 (public domain). */
function mix(value: number): number {
  let hash = (value + 0x6d2b79f5) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Most customers pay by the year, and a tenth by the month. */
const DURATIONS: [upTo: number, months: number][] = [
  [0.1, 1],
  [0.25, 3],
  [0.45, 6],
  [0.92, 12],
  [1, 24],
];

/** The customers on the day when the clock is set: each somewhere in a period that was paid before. */
export function peopleOf(seed: number, count: number, from: number, days: number): Person[] {
  return Array.from({ length: count }, (_, index) => {
    const pick = (what: number) => chance(seed, index, what);
    const duration = DURATIONS.find(([upTo]) => pick(1) <= upTo)?.[1] ?? 1;
    // To the minute, and often within minutes of midnight in Jakarta.
    const started = from - Math.floor(pick(2) * duration * 28 * 24 * 60) * 60_000;
    const startedAt = pick(3) < 0.1 ? nearMidnight(started, pick(4)) : started;
    const anchorDay = dayOfMonth(startedAt);
    const way = pick(6);
    return {
      index,
      plan: PLANS[Math.floor(pick(5) * PLANS.length)] ?? "starter",
      duration,
      startedAt,
      endsAt: monthsLater(startedAt, duration, anchorDay),
      anchorDay,
      hasWebsite: pick(7) < 0.8,
      renewal: way < 0.92 ? "automatic" : way < 0.96 ? "by_hand" : "lapses",
      bannedAt: pick(8) < 0.01 ? from + Math.floor(pick(9) * days) * DAY + 5 * HOUR : null,
    };
  });
}

function nearMidnight(moment: number, where: number): number {
  const day = Math.floor((moment + 7 * HOUR) / DAY);
  return startOfDay(day) + Math.floor((where - 0.5) * 6) * 60_000;
}

/** What a person does about his renewal number `turn`. */
export function behaviourOf(seed: number, person: Person, turn: number): Behaviour {
  const pick = (what: number) => chance(seed, person.index, 100 + turn, what);
  const minutes = (from: number, to: number, what: number) =>
    Math.floor(from + pick(what) * (to - from)) * 60_000 + 17_000;
  const way = pick(1);
  if (way < 0.78) return { kind: "at_once", after: minutes(30, 1_300, 2) };
  if (way < 0.87) return { kind: "late", afterEnd: minutes(10, 3 * 24 * 60, 2) };
  if (way < 0.93) return { kind: "when_suspended", afterEnd: minutes(4 * 1440, 40 * 1440, 2) };
  if (way < 0.97) return { kind: "twice", after: minutes(30, 600, 2) };
  return { kind: "never" };
}

export interface Act {
  at: number;
  /** `open`, `expire` and `pay` a payment page of the open order; `order` one by hand. */
  do: "open" | "expire" | "pay" | "order";
  page: 1 | 2;
}

const act = (what: Act["do"], at: number, page: Act["page"] = 1): Act => ({ do: what, at, page });

/** All that a person does about a renewal that can be paid from `from` on. */
export function actsOf(behaviour: Behaviour, person: Person, from: number, end: number): Act[] {
  const acts = deedsOf(behaviour, from, end);
  const byHand = person.renewal === "by_hand" && acts.length > 0;
  const first = Math.min(...acts.map(({ at }) => at));
  const all = byHand ? [act("order", first - 60_000), ...acts] : acts;
  return all.filter(({ at }) => person.bannedAt === null || at < person.bannedAt);
}

function deedsOf(behaviour: Behaviour, from: number, end: number): Act[] {
  switch (behaviour.kind) {
    case "at_once": {
      const at = from + behaviour.after;
      return [act("open", at), act("pay", at + 60_000)];
    }
    case "late": {
      const at = Math.max(end + behaviour.afterEnd, from + 5 * 60_000 + 17_000);
      return [act("open", at), act("pay", at + 60_000)];
    }
    case "when_suspended": {
      // On the page for most of a day, so that a run falls into it.
      const at = end + behaviour.afterEnd;
      return [act("open", at), act("pay", at + 20 * HOUR)];
    }
    case "twice": {
      const at = from + behaviour.after;
      const second = at + 25 * HOUR;
      return [
        act("open", at),
        act("expire", at + 24 * HOUR + 60_000),
        act("open", second, 2),
        act("pay", second + 60_000, 2),
        act("pay", second + HOUR),
      ];
    }
    case "never":
      return [];
    default:
      return behaviour satisfies never;
  }
}
