import { sql } from "drizzle-orm";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { transfer } from "../../../shared/ledger/ledger.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
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
  row: Record<string, unknown>;
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
  const row = (more: object = {}) => ({
    ...{ target: newPhone(), zone: null, code: credit.code, service: credit.name },
    ...{ quantity: null, price: credit.supplierPrice, outcome: "success", ...more },
  });
  const sold = known.map(({ trxid, madeMs }) => ({ trxid, madeMs, lagMs: 0, row: row() }));
  // Somebody buys past us.
  sold.push({ trxid: trxidOf(8), madeMs: roll(7_200) * SECOND, lagMs: 0, row: row() });
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
    if (trxid) sold.push({ trxid, madeMs, lagMs: roll(290) * SECOND, row: row(own) });
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
    .map(({ trxid, row }) => ({ trxid, ...row }));
}

/** Its orders in doubt, beside those whose purchases are known. Answers with the ids of the former. */
async function insert(user: TestUser, { target, doubts, known }: History, at: number) {
  const order = (of: object) => ({ trxid: null, attempt: 0, target: newPhone(), ...of });
  const orders = [
    ...doubts.map(({ attemptMs }) => order({ state: "unknown", attempt: attemptMs, target })),
    ...known.map(({ trxid, madeMs }) => order({ state: "success", trxid, attempt: madeMs })),
  ];
  const inserted = await testContext().db.run(
    rows(
      sql`insert into topup_orders (id, number, user_id, service_id, family, code, service_name, brand, target,
          target_kind, amount, supplier_amount, state, trxid, attempt_at, attempt_until, bought_at, paid_at, finished_at)
        select uuidv7(a.at - clock_timestamp()), 'PROP' || gen_random_uuid(), ${user.userId}, s.id, s.family, s.code, s.name,
          s.brand, r.target, s.target_kind, ${credit.price}::bigint, ${credit.supplierPrice}::bigint, r.state, r.trxid, a.at, a.at + interval '75 seconds',
          case when r.trxid is not null then a.at + interval '1 second' end, a.at,
          case when r.trxid is not null then a.at + interval '2 seconds' end
        from jsonb_to_recordset(${JSON.stringify(orders)}::jsonb) r(state text, trxid text, attempt bigint, target text),
          topup_services s,
          lateral (select ${new Date(at).toISOString()}::timestamptz + r.attempt * interval '1 ms' as at) a
        where s.family = 'prepaid' and s.code = ${credit.code}
        returning case when state = 'unknown' then id end as id`,
      z.object({ id: z.string().nullable() }),
    ),
  );
  return inserted.flatMap(({ id }) => id ?? []);
}

it.each([...Array(12).keys()])(
  "history %i: what was bought is never refunded, what was not is, unless lists always lack something",
  async (seed) => {
    const history = historyOf(seed);
    const at = FIRST_AT + seed * APART;
    const user = await createUser();
    const { db } = testContext();
    await db.run(
      transfer({
        reference: unique("fund/"),
        debit: { kind: "gateway", owner: "test" },
        credit: { kind: "escrow", owner: `topup:${user.userId}` },
        amount: 2 * credit.price,
        reason: "Isi saldo",
      }),
    );
    const ids = await insert(user, history, at);
    const [from, to] = history.downMs;
    const told = LOOKS.filter((afterMs) => afterMs < from || afterMs >= to);
    const looks = told.flatMap((afterMs) => {
      const moment = new Date(at + afterMs).toISOString();
      const list = { asked_at: moment, now: moment, rows: listAt(history, afterMs) };
      const input = { ...list, unreadable: false, asked: 100, deepest: true, alert_to: "ops@x.id" };
      return ids.map((id) => call("topup_order_match", { ...input, order_id: id }, z.unknown()));
    });
    await db.batch(looks);
    const ended = await db.run(
      rows(
        sql`select state, trxid from topup_orders where id = any (${`{${ids.join(",")}}`}::uuid[])`,
        z.object({ state: z.string(), trxid: z.string().nullable() }),
      ),
    );
    const due = history.doubts.map(({ trxid }) => `${trxid ? "processing" : "failed"} ${trxid}`);
    const done = ended.map(({ state, trxid }) => {
      const isOpen = state === "unknown" && history.lacked !== null;
      return `${isOpen ? "failed" : state} ${trxid}`;
    });
    expect([history, done.sort()]).toEqual([history, due.sort()]);
  },
);
