import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../../shared/context.ts";
import { unseal } from "../../../../shared/crypto/seal.ts";
import { rows } from "../../../../shared/db/statement.ts";
import { balanceOf, walletOf } from "../../../../shared/ledger/ledger.ts";
import { TELLS_SERIAL } from "../../orders/index.ts";
import type { OrderState } from "../../tables/orders.ts";
import { panelError, WORDS } from "./errors.ts";
import { incorrectRequest, isSaid, numberOf, type PanelFields } from "./request.ts";

const MOST_NAMED = 100;
const CURRENCY = "IDR";

/** `balance`: the owner's wallet. */
export async function readBalance(ctx: Ctx) {
  const balance = await balanceOf(ctx, walletOf(actorOf(ctx).userId));
  return { balance: String(balance), currency: CURRENCY };
}

const orderRow = z.object({
  number: z.number(),
  id: z.uuid(),
  state: z.string(),
  amount: z.number(),
  refunded: z.number(),
  quantity: z.number(),
  remain: z.number().nullable(),
  start_count: z.number().nullable(),
  sealed_serial: z.string().nullable(),
});
type OrderRow = z.output<typeof orderRow>;

/** The dialect's six states. What we do not know yet is being processed. */
const STATES: Record<OrderState, string> = {
  pending: "Pending",
  queued: "Pending",
  buying: "Processing",
  unknown: "Processing",
  review: "Processing",
  processing: "In progress",
  success: "Completed",
  partial: "Partial",
  failed: "Canceled",
  cancelled: "Canceled",
  refunded: "Canceled",
};
const stateOf = (state: string) => STATES[state as OrderState] ?? "Processing";

async function findOrders(ctx: Ctx, numbers: number[]): Promise<Map<number, OrderRow>> {
  const found = await ctx.db.run(
    rows(
      sql`select p.number::float8 as number, o.id, o.state, o.amount::float8 as amount,
          o.refunded_amount::float8 as refunded, o.quantity, o.remain, o.start_count, o.sealed_serial
        from topup_panel_orders p join topup_orders o on o.id = p.order_id
        where p.number = any (${`{${numbers.join(",")}}`}::bigint[]) and o.user_id = ${actorOf(ctx).userId}`,
      orderRow,
    ),
  );
  return new Map(found.map((order) => [order.number, order]));
}

/** `charge` is what the order costs after its refunds; `sn` is ours: the token or voucher that was bought. */
async function statusOf(ctx: Ctx, order: OrderRow) {
  const done = order.state === "success";
  const remains = order.remain ?? (done ? 0 : order.quantity);
  const serial =
    TELLS_SERIAL.has(order.state) && order.sealed_serial
      ? await unseal(ctx.config, `topup-order/${order.id}`, order.sealed_serial)
      : null;
  return {
    charge: String(order.amount - order.refunded),
    start_count: String(order.start_count ?? 0),
    status: stateOf(order.state),
    remains: String(remains),
    currency: CURRENCY,
    ...(serial === null ? {} : { sn: serial }),
  };
}

type Named = { one: string } | { many: string[] };

/**
 * What a call names: one in `order`, or up to 100 in `orders`, by comma; so too in `refill` and `refills`. A list in
 * place of the one is a list: some clients know no other name.
 */
function named(fields: PanelFields, what: "order" | "refill"): Named {
  const list = fields[`${what}s`];
  const text = isSaid(list) ? list : fields[what];
  if (!isSaid(text)) throw incorrectRequest();
  if (text !== list && !text.includes(",")) return { one: text };
  const many = [...new Set(text.split(",").map((part) => part.trim()))].filter(Boolean);
  if (many.length === 0) throw incorrectRequest();
  if (many.length > MOST_NAMED) throw panelError(`Too many ${what}s, the limit is ${MOST_NAMED}`);
  return { many };
}

/** `status` of one order, or of many by their numbers. */
export async function readStatus(ctx: Ctx, fields: PanelFields) {
  const asked = named(fields, "order");
  if ("one" in asked) {
    const number = numberOf(asked.one);
    const order = (await findOrders(ctx, known([number]))).get(number ?? 0);
    if (!order) throw panelError(WORDS.order);
    return await statusOf(ctx, order);
  }
  const found = await findOrders(ctx, known(asked.many.map(numberOf)));
  const answers = asked.many.map(async (text) => {
    const order = found.get(numberOf(text) ?? 0);
    return [text, order ? await statusOf(ctx, order) : { error: WORDS.order }] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

const known = (numbers: (number | null)[]) => numbers.filter((number) => number !== null);

/** `refill` and `cancel`: the supplier has neither, so each order that is his is told so. */
export async function refuseChange(ctx: Ctx, fields: PanelFields, change: "refill" | "cancel") {
  const words = `${change === "refill" ? "Refill" : "Cancel"} is not available`;
  const asked = named(fields, "order");
  if ("one" in asked) {
    const found = await findOrders(ctx, known([numberOf(asked.one)]));
    throw panelError(found.size > 0 ? words : WORDS.order);
  }
  const found = await findOrders(ctx, known(asked.many.map(numberOf)));
  return asked.many.map((text) => {
    const number = numberOf(text);
    const error = number !== null && found.has(number) ? words : WORDS.order;
    return { order: number ?? text, [change]: { error } };
  });
}

/** `refill_status`: as no refill was ever made, each is one that nobody knows. */
export async function readRefillStatus(_ctx: Ctx, fields: PanelFields) {
  const asked = named(fields, "refill");
  if ("one" in asked) throw panelError(WORDS.refill);
  return asked.many.map((text) => ({
    refill: numberOf(text) ?? text,
    status: { error: WORDS.refill },
  }));
}
