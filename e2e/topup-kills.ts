import { chanceOf } from "./faults/random.ts";
import { killRuntime } from "./faults/runtime.ts";
import { dial } from "./orders.ts";
import { eventually, type Platform, passMinutes } from "./platform.ts";
import { newLink, numberOf, type Panel } from "./topup.ts";

export interface StretchReport {
  kills: number;
  /** Orders by the state that they came to. */
  orders: Record<string, number>;
  /** Orders that were in doubt at some moment. */
  doubted: number;
  purchases: number;
}

/** What the supplier does with an order that it takes. */
const FAULTS = [
  { timeOut: { count: 1 } },
  { timeOut: { count: 1 } },
  { down: { acts: true, count: 1 } },
  { rubbish: { acts: true, count: 1 } },
  { lose: true },
  { fail: true },
] as const;

interface Click {
  service: number;
  link: string;
  fields: Record<string, number>;
  /** The link as the supplier knows it. */
  target: string;
}

/**
 * A panel orders while the supplier takes orders without answering and the Worker's process is killed. Throws unless
 * every click became one order, and each order was in the end bought once or refunded.
 */
export async function supplierSilentAndWorkerKilled(
  platform: Platform,
  panel: Panel,
  options: { orders: number; atOnce: number; kills: number; seed: number },
): Promise<StretchReport> {
  const chance = chanceOf(options.seed);
  const clicks = await clicksFor(panel, options.orders);
  for (const { target } of clicks) {
    await dial(platform.vipReseller, target, { delayMs: 300, ...chance.pick(FAULTS) });
  }
  const waiting = clicks.values();
  const numbers = new Set<number>();
  const lane = async () => {
    for (const click of waiting) numbers.add(await addStubbornly(panel, click));
  };
  const load = Promise.all(Array.from({ length: options.atOnce }, lane));
  // Its failure is thrown below; until then the kills go on.
  load.catch(() => undefined);
  for (let killed = 0; killed < options.kills; killed += 1) {
    await new Promise((wake) => setTimeout(wake, chance.between(400, 1_500)));
    await killRuntime(platform);
  }
  await load;
  if (numbers.size !== clicks.length) {
    throw new Error(`${clicks.length} clicks became ${numbers.size} orders`);
  }
  for (const { target } of clicks) await dial(platform.vipReseller, target, {});
  await comeToRest(platform, panel, clicks);
  return await report(platform, panel, options.kills);
}

async function clicksFor(panel: Panel, count: number): Promise<Click[]> {
  const credit = await numberOf(panel, "TELKOMSEL 5.000");
  const diamonds = await numberOf(panel, "86 Diamonds");
  const likes = await numberOf(panel, "Instagram Likes Indonesia");
  return Array.from({ length: count }, (_, turn): Click => {
    if (turn % 3 === 0) {
      const link = newLink.phone();
      return { service: credit, link, fields: {}, target: link };
    }
    if (turn % 3 === 1) {
      const link = newLink.player();
      return { service: diamonds, link, fields: {}, target: link.split("|")[0] ?? "" };
    }
    const link = newLink.post();
    return { service: likes, link, fields: { quantity: 500 }, target: link };
  });
}

/** One click, repeated under its key until it is answered: a killed Worker answers nothing. */
async function addStubbornly(panel: Panel, { service, link, fields }: Click): Promise<number> {
  const key = crypto.randomUUID();
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const answer = await panel
      .post<{ order?: number; error?: string }>({
        action: "add",
        service,
        link,
        ...fields,
        idempotency_key: key,
      })
      .catch(() => null);
    if (answer?.order) return answer.order;
    if (answer?.error && !PASSING.test(answer.error)) {
      throw new Error(`an order of ${link} answered ${answer.error}`);
    }
    await new Promise((wake) => setTimeout(wake, 250));
  }
  throw new Error(`an order of ${link} was never answered`);
}

/** The honest answer while the Worker's objects or its database's connections come back. */
const PASSING = /unavailable|tidak tersedia|try again|coba lagi/i;

/** A few of these are as long as the supplier must be silent to be believed. */
const PASSING_MINUTES = 95;

/**
 * Gives everything that waits for a moment that moment earlier. All of it or none: an attempt that was just begun may be
 * under way, and must not be young beside a sighting of its purchase that was made old.
 */
async function passDoubts(platform: Platform): Promise<void> {
  const [young] = await platform.sql(
    "select from topup_orders where state = 'buying' and attempt_until > now() + interval '70 seconds' limit 1",
  );
  if (young) return;
  const span = `interval '${PASSING_MINUTES} minutes'`;
  await platform.sql(`update topup_orders set attempt_at = attempt_at - ${span}, paid_at = paid_at - ${span},
    attempt_until = attempt_until - ${span}, absent_since = absent_since - ${span}, newer_since = newer_since - ${span},
    bought_at = bought_at - ${span}, ask_at = ask_at - ${span}, asked_at = asked_at - ${span}`);
  await platform.sql(`update topup_supplier_sightings set seen_at = seen_at - ${span}`);
  await passMinutes(platform, PASSING_MINUTES);
}

async function comeToRest(platform: Platform, panel: Panel, clicks: Click[]): Promise<void> {
  let wrongs: string[] = [];
  const isAtRest = async () => {
    await passDoubts(platform);
    await new Promise((wake) => setTimeout(wake, 1_000));
    wrongs = await findWrongs(platform, panel, clicks);
    return wrongs.length === 0;
  };
  await eventually("rest", isAtRest, 120_000).catch((error: Error) => {
    throw new Error([error.message, ...wrongs].join("\n  "));
  });
}

interface Row {
  number: string;
  target: string;
  state: string;
  trxid: string | null;
  amount: number;
  refunded: number;
}

/** Which of the supplier's states an order's end stands for. */
const FITTING: Record<string, string> = { success: "success", partial: "partial", failed: "error" };

async function findWrongs(platform: Platform, panel: Panel, clicks: Click[]): Promise<string[]> {
  const wrongs: string[] = [];
  const orders = await platform.sql<Row>(
    `select number, target, state, trxid, amount::float8 as amount, refunded_amount::float8 as refunded
      from topup_orders where user_id = $1 and target = any ($2)`,
    [panel.userId, clicks.map(({ target }) => target)],
  );
  if (orders.length !== clicks.length) wrongs.push(`${orders.length} orders`);
  const sold = [...platform.twins.vipReseller.state.orders.values()];
  for (const { number, target, state, trxid, amount, refunded } of orders) {
    const purchases = sold.filter((purchase) => purchase.target === target);
    const [purchase] = purchases;
    if (purchases.length > 1) wrongs.push(`${number} was bought ${purchases.length} times`);
    if ((purchase?.trxid ?? null) !== trxid) wrongs.push(`${number} is not ${purchase?.trxid}`);
    const fits = purchase ? FITTING[state] === purchase.status : state === "failed";
    if (!fits) wrongs.push(`${number} is ${state}, there it is ${purchase?.status}`);
    const isBack = refunded === amount;
    if (isBack !== (state === "failed")) wrongs.push(`${number} is ${state}, back is ${refunded}`);
  }
  return [...wrongs, ...(await wrongBooks(platform, panel))];
}

/** What the ledger says otherwise than the orders do. */
async function wrongBooks(platform: Platform, { userId }: Panel): Promise<string[]> {
  const [books] = await platform.sql<Record<string, string>>(
    `select (select sum(balance) from ledger_accounts where currency = 'IDR') as sum,
      (select coalesce(sum(balance), 0) from ledger_accounts
        where kind = 'escrow' and owner_id = 'topup:' || $1::text) as escrow,
      (select balance from ledger_accounts where kind = 'wallet' and owner_id = $1::text and currency = 'IDR')
        - (select coalesce(sum(credit.amount), 0) from ledger_transfers credit where credit.reason = 'Isi saldo'
          and credit.credit_account_id = (select id from ledger_accounts
            where kind = 'wallet' and owner_id = $1::text and currency = 'IDR'))
        + (select sum(o.amount - o.refunded_amount) from topup_orders o where o.user_id = $1::text::bigint) as wallet,
      (select count(*) from jobs where kind = 'topup.order' and state not in ('success', 'cancelled')) as jobs`,
    [userId],
  );
  return Object.entries(books ?? { books: "none" })
    .filter(([, value]) => Number(value) !== 0)
    .map(([name, value]) => `${name}: ${value} too much`);
}

async function report(platform: Platform, { userId }: Panel, kills: number) {
  const counted = await platform.sql<{ state: string; orders: number }>(
    "select state, count(*)::int as orders from topup_orders where user_id = $1 group by 1 order by 1",
    [userId],
  );
  const [doubts] = await platform.sql<{ doubted: number; purchases: number }>(
    `select count(*) filter (where exists (select from topup_order_events e where e.order_id = o.id
        and e.state = 'unknown'))::int as doubted, count(o.trxid)::int as purchases
      from topup_orders o where o.user_id = $1`,
    [userId],
  );
  return {
    kills,
    orders: Object.fromEntries(counted.map(({ state, orders }) => [state, orders])),
    doubted: doubts?.doubted ?? 0,
    purchases: doubts?.purchases ?? 0,
  };
}
