import { tryRequest } from "../../local/demo/http.ts";
import { comeToRest } from "../invariants.ts";
import { listProduct, type Market, type Product, WEIGHT_GRAM } from "../market.ts";
import { dial, order, orderStubbornly, payAt, placed, refOf, wishFor } from "../orders.ts";
import type { Platform } from "../platform.ts";

export interface ProvidersReport {
  /** What checkouts answered under each fault of the payment provider. */
  answers: Record<string, Record<string, number>>;
  slowestMs: number;
}

/** Faults of the payment provider during checkouts, each with a product's name as its mark. */
const PAYMENT_FAULTS: Record<string, object> = {
  "refuses everything": { refuse: 503 },
  "is overloaded": { refuse: 429 },
  "hangs up": { down: true },
  "hangs up when done": { down: { acts: true } },
  "answers rubbish": { rubbish: true },
  "answers rubbish when done": { rubbish: { acts: true } },
  "is slow": { delayMs: 1_500 },
  "fails once": { refuse: { value: 500, count: 1 } },
  "sends no code": { noQrString: true },
};
const CHECKOUTS = 3;
/** A provider call may take ten seconds, and no checkout makes two after each other that both do. */
const LONGEST_MS = 15_000;

/**
 * Checkouts while the payment provider misbehaves; then it recovers. Throws unless each was answered in time with an
 * order or an honest refusal, and all books agree afterwards, with every kept order payable.
 */
export async function paymentProviderFails(
  platform: Platform,
  market: Market,
): Promise<ProvidersReport> {
  const report: ProvidersReport = { answers: {}, slowestMs: 0 };
  await Promise.all(
    Object.entries(PAYMENT_FAULTS).map(async ([fault, dials], turn) => {
      const product = await listProduct(platform, market, { name: `Wafer ${fault}`, stock: 10 });
      await dial(platform.midtrans, product.name, dials);
      report.answers[fault] = await checkoutsUnder(platform, market, { product, turn, report });
      await dial(platform.midtrans, product.name, {});
    }),
  );
  await comeToRest(platform, market);
  await payAllKept(platform);
  await comeToRest(platform, market);
  return report;
}

async function checkoutsUnder(
  platform: Platform,
  market: Market,
  { product, turn, report }: { product: Product; turn: number; report: ProvidersReport },
): Promise<Record<string, number>> {
  const answers: Record<string, number> = {};
  for (let n = 0; n < CHECKOUTS; n += 1) {
    const began = Date.now();
    const answer = await order(platform, market, wishFor(market, product, turn + n));
    report.slowestMs = Math.max(report.slowestMs, Date.now() - began);
    const status = answer?.status ?? 0;
    if (status !== 201 && !(status === 503 && answer?.body.error)) {
      throw new Error(`${product.name}: a checkout answered ${status}: ${answer?.body.error}`);
    }
    answers[status] = (answers[status] ?? 0) + 1;
  }
  if (report.slowestMs > LONGEST_MS) throw new Error(`a checkout took ${report.slowestMs} ms`);
  return answers;
}

/** Every order that was kept can be paid, also one whose charge was made or found only later. */
async function payAllKept(platform: Platform): Promise<void> {
  const kept = await platform.sql<{ ref: string; name: string }>(
    `select c.provider_ref as ref, i.name from market_orders o
      join market_order_items i on i.order_id = o.id
      join payments_charges c on c.intent_id = o.payment_id and c.channel = 'qris'
      where o.status = 'pending' and i.name = any($1)`,
    [Object.keys(PAYMENT_FAULTS).map((fault) => `Wafer ${fault}`)],
  );
  for (const { ref, name } of kept) {
    if (!(await payAt(platform, ref))) throw new Error(`${name}: its kept order cannot be paid`);
  }
}

/** Faults of the courier and of the mail, which no payment waits for: after them each parcel and mail is there once. */
const COURIER_FAULTS: object[] = [
  { refuse: { value: 503, count: 2 } },
  { down: { count: 1 } },
  { down: { count: 1, acts: true } },
  { rubbish: { count: 1, acts: true } },
];
/** Seven calls are more than the client makes for two mails before it gives them back to their jobs. */
const MAIL_FAULTS: object[] = [
  { tooMany: { count: 2 } },
  { refuse: { value: 500, count: 7, acts: true } },
  { down: { count: 7, acts: true } },
  { rubbish: { count: 7 } },
];

export async function courierAndMailFail(platform: Platform, market: Market): Promise<void> {
  await ratesRefuseClearly(platform, market);
  for (const [turn, courierFault] of COURIER_FAULTS.entries()) {
    const name = `Wafer terhambat ${turn}`;
    const product = await listProduct(platform, market, { name, stock: 3 });
    await dial(platform.kiriminaja, name, courierFault);
    await dial(platform.resend, name, MAIL_FAULTS[turn] ?? {});
    const wish = wishFor(market, product, turn);
    await payAt(platform, await refOf(platform, await placed(platform, market, wish)));
  }
  await comeToRest(platform, market);
}

/** Without the courier there are no rates, said in words; with it again there are. */
async function ratesRefuseClearly(platform: Platform, market: Market): Promise<void> {
  const { store, areaId, buyers } = market;
  // A value that nobody asked about, so that no kept answer is shown.
  const query = `store_id=${store.id}&destination_area_id=${areaId}&weight=${WEIGHT_GRAM + 4_000}&value=77000`;
  const ask = () =>
    tryRequest<unknown[]>(platform.app, `/api/buyer/shipping?${query}`, {
      token: buyers[0]?.token ?? "",
    });
  for (const fault of [{ down: true }, { refuse: 503 }, { rubbish: true }]) {
    await dial(platform.kiriminaja, "", fault);
    const { status, body } = await ask();
    await dial(platform.kiriminaja, "", {});
    if (status !== 503 || !body.error || body.data !== null) {
      throw new Error(`rates under ${JSON.stringify(fault)} answered ${status}: ${body.error}`);
    }
  }
  const { status, body } = await ask();
  if (status !== 200 || body.data.length === 0) throw new Error(`rates answered ${status}`);
}

/** A provider that swallows a checkout whole, for as long as the Worker waits for it. */
export async function paymentProviderHangs(platform: Platform, market: Market): Promise<number> {
  const product = await listProduct(platform, market, { name: "Wafer menggantung", stock: 3 });
  await dial(platform.midtrans, product.name, { timeOut: true });
  const wish = wishFor(market, product, 0);
  const began = Date.now();
  const answer = await order(platform, market, wish);
  const tookMs = Date.now() - began;
  await dial(platform.midtrans, product.name, {});
  if (answer?.status !== 503) throw new Error(`a checkout answered ${answer?.status}`);
  if (tookMs > LONGEST_MS) throw new Error(`a checkout took ${tookMs} ms`);
  await comeToRest(platform, market);
  const again = await orderStubbornly(platform, market, wish);
  if (again?.status !== 201 || !again.body.data.qr_code) {
    throw new Error(`the same click answered ${again?.status}: ${again?.body.error}`);
  }
  return tookMs;
}
