import { comeToRest } from "../invariants.ts";
import { listProduct, type Market } from "../market.ts";
import { order, payAt, placed, refOf, wishFor } from "../orders.ts";
import { eventually, type Platform } from "../platform.ts";

export interface OutageOptions {
  notices: number;
  /** How long the database is away at least. */
  lastsMs: number;
  /** How often each notice is tried in vain at least. */
  tries: number;
  /** How the outage looks from outside (local/neon/dials.ts). */
  mode: "destroy" | "503" | "lose-answer";
}

export interface OutageReport {
  notices: number;
  answered200: number;
  refusedCalls: number;
  awayMs: number;
  settledAfterMs: number;
}

/**
 * The database goes away, `notices` paid notices arrive, the database comes back. Throws unless each was answered 200
 * meanwhile and every order is settled once afterwards.
 */
export async function databaseAway(
  platform: Platform,
  market: Market,
  { notices, lastsMs, tries, mode }: OutageOptions,
): Promise<OutageReport> {
  const product = await listProduct(platform, market, {
    name: `Wafer ${mode}`,
    stock: notices + 1,
  });
  const refs: string[] = [];
  for (let turn = 0; turn < notices; turn += 1) {
    const orderId = await placed(platform, market, wishFor(market, product, turn));
    refs.push(await refOf(platform, orderId));
  }
  const { endpoint } = platform.database;
  const before = endpoint.counts();
  const tried = () => {
    const now = endpoint.counts();
    return mode === "lose-answer" ? now.total - before.total : now.refused - before.refused;
  };
  const began = Date.now();
  endpoint.setOutage({ on: true, mode });
  try {
    await Promise.all(refs.map((ref) => payAt(platform, ref)));
    await refusesClearly(platform, market, wishFor(market, product, 0));
    await eventually("every notice was tried in vain", async () => tried() > tries * notices);
    const rest = lastsMs - (Date.now() - began);
    if (rest > 0) await new Promise((wake) => setTimeout(wake, rest));
  } finally {
    endpoint.setOutage({ on: false });
  }
  const backAt = Date.now();
  const answered200 = refs.filter((ref) => wasTaken(platform, ref)).length;
  if (answered200 !== notices) throw new Error(`${answered200} of ${notices} notices got a 200`);
  // With its queue alive the Worker needs no cron: back-off grows with the outage, up to five minutes.
  const patienceMs = Math.max(30_000, 2 * lastsMs);
  await eventually("every order is paid", () => arePaid(platform, product.id, notices), patienceMs);
  const settledAfterMs = Date.now() - backAt;
  await comeToRest(platform, market);
  const refusedCalls = tried();
  return { notices, answered200, refusedCalls, awayMs: backAt - began, settledAfterMs };
}

/** The first attempt to deliver the news of the payment was answered 200. */
function wasTaken({ twins }: Platform, ref: string): boolean {
  const paid = twins.midtrans.notices(ref).filter(({ event }) => event === "settlement");
  return paid.some(({ attempts }) => attempts[0]?.status === 200);
}

/** A checkout without a database says so in the market's envelope, and is not the Worker's own failure. */
async function refusesClearly(
  platform: Platform,
  market: Market,
  wish: ReturnType<typeof wishFor>,
): Promise<void> {
  const answer = await order(platform, market, wish);
  if (answer?.status === 503 && answer.body.data === null && answer.body.error) return;
  throw new Error(`without a database a checkout answers ${answer?.status}`);
}

async function arePaid({ sql }: Platform, productId: string, orders: number): Promise<boolean> {
  const rows = await sql(
    `select 1 from market_order_items i join market_orders o on o.id = i.order_id
      where i.product_id = $1 and o.status not in ('pending', 'cancelled')`,
    [productId],
  );
  return rows.length === orders;
}
