import { sql } from "drizzle-orm";
import { z } from "zod";
import { call, rows, type Statement } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { testContext } from "../../testing/api.ts";
import { type Episode, HOUR, LEASE, type Look, type Order, type Purchase } from "./episodes.ts";

/** Where all episodes begin: after whatever other tests have bought by clocks that run ahead. */
const BEGIN = Date.UTC(2150, 0, 1);
const COST = 10_000;
const PRICE = 11_000;
const ALERTS = { alert_to: "ops@x.id" };
/** An episode is one transaction of dozens of looks: longer than a request waits for on a busy machine. */
const PATIENCE_MS = 100_000;

const iso = (at: number) => new Date(BEGIN + at).toISOString();
const json = (value: unknown) => JSON.stringify(value);
const anything = (query: ReturnType<typeof sql>): Statement<unknown> => rows(query, z.unknown());
/** As uuidv7, but the same each time. */
const idOf = ({ seed }: Episode, { n, triedAt }: Order) => {
  const made = (BEGIN + triedAt).toString(16).padStart(12, "0");
  return `${made.slice(0, 8)}-${made.slice(8)}-7000-8000-${String(seed * 1_000 + n).padStart(12, "0")}`;
};
const codeOf = ({ seed }: Episode, service: string) => `EPISODE-${seed}-${service}`;

const endShape = z.object({
  n: z.number(),
  state: z.string(),
  trxid: z.string().nullable(),
  reason: z.string().nullable(),
  refunds: z.number(),
});
/** How an order stands at last; `refunds`: how often its money went back. */
export type End = z.output<typeof endShape>;

/**
 * Plays the episode by the real functions, in one transaction that is undone: what it tells, it tells as an error. `buyers`
 * have their money in escrow.
 */
export async function play(episode: Episode, buyers: readonly number[]): Promise<End[]> {
  const steps = [...stepsOf(episode, buyers)].sort((a, b) => a.at - b.at);
  const statements = [shelve(episode), ...steps.map(({ does }) => does), tellEnds(episode)];
  try {
    await testContext(null, PATIENCE_MS).db.batch(statements);
  } catch (error) {
    if (error instanceof AppError && error.message === "played")
      return z.array(endShape).parse(error.meta.ends);
    throw error;
  }
  throw new Error("the episode was kept");
}

interface Step {
  at: number;
  does: Statement<unknown>;
}

function* stepsOf(episode: Episode, buyers: readonly number[]): Generator<Step> {
  for (const order of [...episode.orders, ...episode.sales]) {
    yield { at: order.triedAt, does: place(episode, order, buyers[order.buyer] ?? 0) };
    const { answeredAt, doubtedAt } = order;
    if (answeredAt !== null) yield { at: answeredAt, does: accept(episode, order, answeredAt) };
    if (doubtedAt !== null) yield { at: doubtedAt, does: doubt(episode, order, doubtedAt) };
  }
  for (const [n, { trxid, at }] of episode.callbacks.entries()) {
    yield { at, does: name(trxid, n, at) };
    if (trxid.startsWith("NOBODY")) yield { at: at + 22 * HOUR, does: letRest(trxid) };
  }
  for (const look of episode.looks) yield lookAt(episode, look);
}

const shelve = (episode: Episode) =>
  anything(sql`insert into topup_services (family, code, name, target_kind, supplier_price, price)
    select ${episode.family}, s, 'Uji ' || s, 'customer_number', ${COST}::bigint, ${PRICE}::bigint
    from unnest(array[${codeOf(episode, "A")}, ${codeOf(episode, "B")}]) s`);

const place = (episode: Episode, order: Order, buyer: number) => {
  const id = idOf(episode, order);
  return anything(sql`insert into topup_orders (id, number, user_id, service_id, family, code, service_name, brand, target,
      target_kind, amount, supplier_amount, state, attempt_id, attempt_at, attempt_until, paid_at)
    select ${id}::uuid, ${id}, ${buyer}, s.id, s.family, s.code, s.name, s.brand, ${order.target},
      s.target_kind, s.price, s.supplier_price, 'buying', ${id}::uuid, ${iso(order.triedAt)},
      ${iso(order.triedAt + LEASE)}, ${iso(order.triedAt)}
    from topup_services s where s.family = ${episode.family} and s.code = ${codeOf(episode, order.service)}`);
};

const attemptOf = (episode: Episode, order: Order, at: number) => ({
  ...{ order_id: idOf(episode, order), attempt_id: idOf(episode, order), now: iso(at) },
  ...ALERTS,
});
const accept = (episode: Episode, order: Order, at: number) => {
  const accepted = {
    ...attemptOf(episode, order, at),
    trxid: order.purchase?.trxid,
    charged: COST,
  };
  return call("topup_order_accepted", accepted, z.unknown());
};
const doubt = (episode: Episode, order: Order, at: number) =>
  call("topup_order_doubted", { ...attemptOf(episode, order, at), reason: "uji" }, z.unknown());

const name = (trxid: string, n: number, at: number) =>
  anything(sql`insert into inbox_events (provider, event_key, body, state, received_at, retry_at)
    values ('vip-reseller', ${`${trxid}/success/${n}`}, '{}', 'parked', ${iso(at)}, ${iso(at + HOUR)})`);

/** What the supplier denies for so long holds nothing back any more (nobodys.ts). */
const letRest = (trxid: string) =>
  anything(sql`update inbox_events set state = 'applied', retry_at = null
    where event_key like ${`${trxid}/%`}`);

const rowOf = (episode: Episode, { trxid, target, service }: Purchase) => ({
  ...{
    trxid,
    target,
    zone: null,
    code: episode.family === "prepaid" ? codeOf(episode, service) : null,
  },
  ...{
    service: `Uji ${codeOf(episode, service)}`,
    quantity: null,
    price: COST,
    outcome: "success",
  },
});

const purchasesOf = ({ orders, sales, past }: Episode) => [
  ...[...orders, ...sales].flatMap(({ purchase }) => purchase ?? []),
  ...past,
];

/** The supplier's list then, newest first. */
const listAt = (episode: Episode, at: number) =>
  purchasesOf(episode)
    .filter(({ listedAt }) => listedAt <= at)
    .sort((a, b) => b.madeAt - a.madeAt)
    .map((purchase) => rowOf(episode, purchase));

/**
 * One look at an order that is in doubt still, as recover.ts does it: the list is noted, and beside it stands what callbacks
 * name and the supplier tells of, when asked by its id.
 */
function lookAt(episode: Episode, { order, at, isTold }: Look): Step {
  const id = idOf(episode, order);
  const now = iso(at);
  const list = listAt(episode, at);
  const told = purchasesOf(episode)
    .filter(
      ({ trxid, madeAt }) => isTold && madeAt <= at && !list.some((row) => row.trxid === trxid),
    )
    .map((purchase) => rowOf(episode, purchase));
  const take = { order_id: id, attempt_id: id, lease_seconds: 75, patience_minutes: 15, now };
  const noted = { family: episode.family, seen_at: now, rows: list, ...ALERTS };
  const shown = {
    order_id: id,
    asked_at: now,
    now,
    unreadable: false,
    asked: 100,
    deepest: true,
    ...ALERTS,
  };
  const does =
    anything(sql`select topup_order_take(${json(take)}::jsonb), topup_sightings_note(${json(noted)}::jsonb),
      topup_order_match(${json(shown)}::jsonb || jsonb_build_object('rows', n.rows || ${json(list)}::jsonb))
    from (select coalesce(jsonb_agg(t.row || jsonb_build_object('named_at', n.named_at)), '[]') as rows
      from (select n.trxid, min(n.received_at) as named_at
        from topup_orders o, topup_named_since(o, ${now}) n where o.id = ${id} group by n.trxid) n
      join jsonb_array_elements(${json(told)}::jsonb) t(row) on t.row->>'trxid' = n.trxid) n
    where exists (select from topup_orders where id = ${id} and state in ('buying', 'unknown', 'review'))`);
  return { at, does };
}

const tellEnds = (episode: Episode) =>
  anything(sql`select app_error('conflict', 'played', jsonb_build_object('ends', jsonb_agg(jsonb_build_object(
      'n', e.n, 'state', o.state, 'trxid', o.trxid, 'reason', o.review_reason, 'refunds',
      (select count(*) from ledger_transfers t where t.reference = 'topup-refund/' || o.id and t.amount = o.amount)))))
    from jsonb_to_recordset(${json(episode.orders.map((order) => ({ n: order.n, id: idOf(episode, order) })))}::jsonb) e(n int, id uuid)
    join topup_orders o on o.id = e.id`);
