import { comeToRest } from "../invariants.ts";
import { listProduct, type Market, type Product } from "../market.ts";
import { chargesOf, dial, giveUp, hand, orderStubbornly, payAt, wishFor } from "../orders.ts";
import { type Platform, passMinutes } from "../platform.ts";
import { type Chance, chanceOf } from "./random.ts";
import { killRuntime } from "./runtime.ts";

export interface KillOptions {
  customers: number;
  atOnce: number;
  kills: number;
  seed: number;
}

export interface KillReport {
  seed: number;
  kills: number;
  orders: Record<string, number>;
  refunds: number;
  notices: number;
  /** Answered 200 by the Worker, and then lost with its memory. */
  noticesLost: number;
}

/** What a customer does with an order that he has. */
const DEEDS = [
  "pay",
  "pay",
  "pay by link",
  "pay twice",
  "pay unheard",
  "leave",
  "expire",
  "give up",
  "give up and pay by link",
] as const;

/**
 * Customers order and pay while the Worker's process is killed at random moments. Throws unless, after all that, every
 * order is either unpaid with its stock free or held, or paid once, and all books agree.
 */
export async function workerKilled(
  platform: Platform,
  market: Market,
  options: KillOptions,
): Promise<KillReport> {
  const { customers, atOnce, kills, seed } = options;
  const chance = chanceOf(seed);
  // Fewer pieces than customers, so that some find nothing left.
  const stock = Math.ceil(customers * 0.8);
  const product = await listProduct(platform, market, { name: `Wafer rapuh ${seed}`, stock });
  await slowDown(platform, product.name, true);
  const waiting = Array.from({ length: customers }, (_, turn) => turn).values();
  let isBusy = true;
  const lane = async () => {
    for (const turn of waiting) await visit(platform, market, product, { turn, chance });
  };
  const load = Promise.all(Array.from({ length: atOnce }, lane)).finally(() => {
    isBusy = false;
  });
  // Its failure is thrown below; until then the kills go on.
  load.catch(() => undefined);
  for (let killed = 0; killed < kills; killed += 1) {
    // Once all have ordered, the crons' own work is what gets interrupted.
    if (!isBusy) void passMinutes(platform, 4).catch(() => undefined);
    await new Promise((wake) => setTimeout(wake, chance.between(50, 800)));
    await killRuntime(platform);
  }
  await load;
  await slowDown(platform, product.name, false);
  await expireLeft(platform, product);
  await comeToRest(platform, market, 120_000);
  return await report(platform, product, { seed, kills });
}

/** Every step takes its time, so that a kill falls between any two of them. */
async function slowDown(platform: Platform, name: string, slow: boolean): Promise<void> {
  platform.database.endpoint.setLatency(slow ? 20 : 0);
  for (const twin of [platform.midtrans, platform.kiriminaja, platform.resend]) {
    await dial(twin, name, slow ? { delayMs: 150 } : {});
  }
}

/** One customer: a click repeated until it is answered (or given up early), and then what he does about paying. */
async function visit(
  platform: Platform,
  market: Market,
  product: Product,
  { turn, chance }: { turn: number; chance: Chance },
): Promise<void> {
  const wish = wishFor(market, product, turn);
  const promo = chance.next() < 0.4 ? { promo: market.promo } : {};
  const patience = chance.next() < 0.2 ? 1 : 60;
  const deed = chance.pick(DEEDS);
  const answer = await orderStubbornly(platform, market, { ...wish, ...promo }, patience);
  if (answer?.status !== 201) return refusedWell(answer?.status, answer?.body.error);
  const orderId = answer.body.data.order_id;
  const charges = await chargesOf(platform, orderId);
  const [qris, snap] = [charges[0]?.ref ?? "", charges[1]?.ref ?? ""];
  switch (deed) {
    case "pay":
      await payAt(platform, qris);
      return;
    case "pay by link":
      await payAt(platform, snap);
      return;
    case "pay twice":
      await Promise.all([payAt(platform, qris), payAt(platform, snap)]);
      return;
    case "pay unheard":
      await dial(platform.midtrans, qris, { lose: true });
      await payAt(platform, qris);
      return;
    case "expire":
      await hand(`${platform.midtrans}/_expire/${qris}`);
      return;
    case "give up":
      await giveUp(platform, wish, orderId);
      return;
    case "give up and pay by link":
      await giveUp(platform, wish, orderId);
      await payAt(platform, snap);
      return;
    case "leave":
      return;
    default:
      return deed satisfies never;
  }
}

/** No answer, sold out, promo used up, busy or out of order are honest answers; a failure of ours is none. */
function refusedWell(status: number | undefined, words: string | null | undefined): void {
  if (status === undefined || [400, 409, 503].includes(status)) return;
  throw new Error(`a checkout answered ${status}: ${words}`);
}

/** Half of the unpaid orders reach the end of their time; the twin's pages are over then as well. */
async function expireLeft({ sql }: Platform, { id }: Product): Promise<void> {
  const over = `now() - interval '1 second'`;
  const left = await sql<{ intent: string }>(
    `update market_orders o set expires_at = ${over} from market_order_items i
      where i.order_id = o.id and i.product_id = $1 and o.id::text < '8'
        and (o.status = 'pending' or o.held_after_cancel)
      returning o.payment_id as intent`,
    [id],
  );
  const intents = left.map(({ intent }) => intent);
  await sql(`update payments_intents set expires_at = ${over} where id = any($1)`, [intents]);
  await sql(`update payments_charges set expires_at = ${over} where intent_id = any($1)`, [
    intents,
  ]);
}

async function report(
  { sql, twins }: Platform,
  { id }: Product,
  { seed, kills }: { seed: number; kills: number },
): Promise<KillReport> {
  const counted = await sql<{ status: string; orders: number }>(
    `select o.status, count(*)::int as orders from market_orders o
      join market_order_items i on i.order_id = o.id where i.product_id = $1 group by 1 order by 1`,
    [id],
  );
  const charges = await sql<{ ref: string; refund: string | null }>(
    `select c.provider_ref as ref, r.id as refund from payments_charges c
      left join payments_refunds r on r.charge_id = c.id join market_orders o on o.payment_id = c.intent_id
      join market_order_items i on i.order_id = o.id where i.product_id = $1`,
    [id],
  );
  const known = await sql<{ body: string }>("select body from inbox_events");
  const heard = new Set(known.map(({ body }) => newsOf(body)));
  const taken = charges
    .flatMap(({ ref }) => twins.midtrans.notices(ref))
    .filter(({ state }) => state === "delivered");
  return {
    seed,
    kills,
    orders: Object.fromEntries(counted.map(({ status, orders }) => [status, orders])),
    refunds: charges.filter(({ refund }) => refund !== null).length,
    notices: taken.length,
    noticesLost: taken.filter(({ body }) => !heard.has(newsOf(body))).length,
  };
}

function newsOf(body: string): string {
  const { transaction_id, transaction_status } = JSON.parse(body) as Record<string, string>;
  return `${transaction_id} ${transaction_status}`;
}
