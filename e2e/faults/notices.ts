import { comeToRest } from "../invariants.ts";
import { listProduct, type Market } from "../market.ts";
import { dial, hand, payAt, placed, refOf, wishFor } from "../orders.ts";
import { eventually, type Platform } from "../platform.ts";

/** What happens to the notices of an order that is paid; however that is, it ends paid once. */
const MISHAPS: Record<string, object> = {
  nothing: {},
  "the settlement is lost": { lose: true },
  "the settlement comes four times": { duplicate: 3 },
  "the settlement is forged": { forge: true, retryScale: 1 },
  "the settlement is late": { noticeDelayMs: 1_500 },
  "a later notice overtakes it": { reorder: { count: 1 } },
};

/** Throws unless each paid order ends paid once, whatever became of its notices, and no unpaid one does. */
export async function noticesGoWrong(platform: Platform, market: Market): Promise<void> {
  const stock = Object.keys(MISHAPS).length + 3;
  const product = await listProduct(platform, market, { name: "Wafer kabar", stock });
  const place = async (turn: number) => {
    const orderId = await placed(platform, market, wishFor(market, product, turn));
    return { orderId, ref: await refOf(platform, orderId) };
  };
  const mishaps: [object, Awaited<ReturnType<typeof place>>][] = [];
  for (const [turn, mishap] of Object.values(MISHAPS).entries()) {
    mishaps.push([mishap, await place(turn)]);
  }
  // Else the news that a charge was opened, still on the queue, would find it paid.
  for (const [, { ref }] of mishaps) await eventually("no news left", () => isHeard(platform, ref));
  for (const [mishap, { ref }] of mishaps) {
    await dial(platform.midtrans, ref, mishap);
    await payAt(platform, ref);
    await dial(platform.midtrans, ref, {});
  }
  const paid = mishaps.map(([, { orderId }]) => orderId);
  const unpaid = [
    await lies(platform, await place(0), { status: "settlement" }),
    await lies(platform, await place(1), { status: "settlement", gross_amount: "1.00" }),
    await lies(platform, await place(2), { status: "settlement", sign: false }),
  ];
  await forgedAreRefused(platform);
  await comeToRest(platform, market);
  await expectStatus(platform, paid, "processing");
  await expectStatus(platform, unpaid, "pending");
}

async function isHeard({ sql }: Platform, ref: string): Promise<boolean> {
  const text = `%${ref}%`;
  const found = await sql(`select 1 from inbox_events where body like $1 and state = 'applied'`, [
    text,
  ]);
  return found.length > 0;
}

/** Sends a notice of an unpaid order that says more than is true. */
async function lies(
  platform: Platform,
  { orderId, ref }: { orderId: string; ref: string },
  fields: object,
): Promise<string> {
  await hand(`${platform.midtrans}/_notify/${ref}`, { ...fields, times: 2 });
  return orderId;
}

/** Everything that Midtrans did not sign was answered 401, and all else 200. */
async function forgedAreRefused({ twins }: Platform): Promise<void> {
  const statuses = () =>
    twins.midtrans
      .notices()
      .flatMap(({ forged, attempts }) => attempts.map(({ status }) => ({ forged, status })));
  await eventually("a forged notice", async () => statuses().some(({ forged }) => forged));
  const wrong = statuses().find(({ forged, status }) => forged && status !== 401);
  if (wrong) throw new Error(`a forged notice was answered ${wrong.status}`);
}

async function expectStatus(platform: Platform, orders: string[], status: string): Promise<void> {
  const others = await platform.sql(
    "select number, status from market_orders where id = any($1) and status <> $2",
    [orders, status],
  );
  if (others.length > 0) throw new Error(`not ${status}: ${JSON.stringify(others)}`);
}
