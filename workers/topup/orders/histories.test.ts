import { beforeAll, expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { endsOf, listedRow, lookOf, ordersAt } from "../testing/histories.ts";
import { newPhone, SERVICES, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const { credit } = SERVICES;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** So far ahead that no other test's purchase is newer; each history has weeks of its own. */
const FIRST_AT = Date.now() + 300 * DAY;
const APART = 20 * DAY;

/** Moments after the attempt, as the order's job looks; none is as much as three hours after the one before. */
const LOOKS = [
  ...[80, 140, 200, 260, 320, 400, 500, 700, 1_200, 2_400].map((seconds) => seconds * SECOND),
  ...Array.from({ length: 22 }, (_, n) => HOUR + n * 2.5 * HOUR),
];

/** The same numbers for the same seed (mulberry32). */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Sold {
  trxid: string;
  madeMs: number;
  /** Behind the list as a whole. */
  lagMs: number;
  row: object;
}
interface History {
  target: string;
  /** One or two like orders of one buyer, in doubt: so long after the first attempt, and what was bought for it. */
  doubts: { attemptMs: number; trxid: string | null }[];
  /** Known purchases of ours: one from before the attempt, the others from after its lease. */
  known: { trxid: string; madeMs: number }[];
  sold: Sold[];
  wholeLagMs: number;
  /** Lists never have this one. */
  lacked: string | null;
  /** The supplier cannot be reached. */
  downMs: [number, number];
}

/** A history within the bounds that topup_orders_silence.sql states. */
function historyOf(seed: number): History {
  const roll = dice(seed);
  const one = <T>(...choices: T[]) => choices[roll(choices.length)] as T;
  const target = newPhone();
  const trxidOf = (n: number) => `PROP${seed}${target}${n}`;
  const known = [{ trxid: trxidOf(0), madeMs: -DAY }];
  const laterOnes = roll(4);
  for (let n = 1; n <= laterOnes; n += 1)
    known.push({ trxid: trxidOf(n), madeMs: (80 + roll(3_000) * n) * SECOND });
  const soldRow = (trxid: string, more: object = {}) => ({ trxid, row: listedRow(trxid, more) });
  const sold: Sold[] = known.map(({ trxid, madeMs }) => ({ ...soldRow(trxid), madeMs, lagMs: 0 }));
  // Somebody buys past us.
  sold.push({ ...soldRow(trxidOf(8)), madeMs: roll(7_200) * SECOND, lagMs: 0 });
  // Of target, service and price two are told.
  const oddTarget = one(
    target,
    target,
    `62${target.slice(1)}`,
    `${target.slice(0, 4)}****${target.slice(-4)}`,
  );
  const oddService = one({}, {}, { code: null }, { code: null, service: "TELKOMSEL BARU" });
  const isVague = oddTarget.includes("*") && "service" in oddService;
  const own = {
    ...{ target: oddTarget, ...oddService, outcome: one("open", "success", "failed") },
    price: credit.supplierPrice - (isVague ? 0 : one(0, 0, 700)),
  };
  const doubts = one([0], [0], [0, 10 * SECOND]).map((attemptMs, n) => ({
    attemptMs,
    trxid: one(trxidOf(90 + n), null),
  }));
  for (const { trxid, attemptMs } of doubts) {
    const madeMs = attemptMs + roll(30) * SECOND;
    if (trxid) sold.push({ ...soldRow(trxid, own), madeMs, lagMs: roll(290) * SECOND });
  }
  const downAt = LOOKS[roll(14)] ?? 0;
  return {
    target,
    doubts,
    known,
    sold,
    wholeLagMs: one(0, 0, 20 * SECOND, 10 * MINUTE, 2 * HOUR, 5.8 * HOUR),
    lacked: one(null, null, known[1]?.trxid ?? null),
    downMs: one([0, 0], [downAt, downAt + roll(10) * HOUR]),
  };
}

/** What the supplier lists so long after the attempt. */
function listAt({ sold, wholeLagMs, lacked }: History, afterMs: number) {
  return sold
    .filter(
      ({ trxid, madeMs, lagMs }) => madeMs + lagMs + wholeLagMs <= afterMs && trxid !== lacked,
    )
    .sort((a, b) => b.madeMs - a.madeMs)
    .map(({ row }) => row);
}

it.each([...Array(12).keys()])(
  "history %i: what was bought is never refunded, what was not is, unless lists always lack something",
  async (seed) => {
    const history = historyOf(seed);
    const at = FIRST_AT + seed * APART;
    const ids = await ordersAt(at, [
      ...history.doubts.map(({ attemptMs }) => ({ afterMs: attemptMs, target: history.target })),
      ...history.known.map(({ trxid, madeMs }) => ({ afterMs: madeMs, trxid })),
    ]);
    const [from, to] = history.downMs;
    const told = LOOKS.filter((afterMs) => afterMs < from || afterMs >= to);
    const looks = told.flatMap((afterMs) => {
      const listed = listAt(history, afterMs);
      return ids.flatMap((id) => lookOf(id, at + afterMs, listed));
    });
    await testContext().db.batch(looks);
    const due = history.doubts.map(({ trxid }) => `${trxid ? "processing" : "failed"} ${trxid}`);
    const done = (await endsOf(ids)).map((end) =>
      history.lacked ? end.replace("unknown", "failed") : end,
    );
    expect([history, done.sort()]).toEqual([history, due.sort()]);
  },
);
