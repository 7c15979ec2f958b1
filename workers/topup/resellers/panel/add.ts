import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { rows } from "../../../../shared/db/statement.ts";
import { AppError } from "../../../../shared/http/errors.ts";
import {
  type Order,
  placeGame,
  placePrepaid,
  placeSocial,
  processOrder,
} from "../../orders/index.ts";
import { inPanelWords, panelError, WORDS } from "./errors.ts";
import { incorrectRequest, numberOf, type PanelFields } from "./request.ts";

const serviceRow = z.object({
  family: z.enum(["prepaid", "game", "social"]),
  code: z.string(),
  min: z.number(),
  max: z.number(),
});
type Service = z.output<typeof serviceRow>;

/** Fields of order types that we do not sell. Leaving them out would buy something else than was meant. */
const UNSUPPORTED = [
  "runs",
  "interval",
  "comments",
  "usernames",
  "username",
  "hashtags",
  "answer_number",
];

/**
 * `add`: one order of the key's owner, paid from his wallet. The dialect has no idempotency key: a caller that sends
 * one (`idempotency_key`, or the header) gets the first order again, any other repeat within the orders' window is
 * refused as a duplicate.
 */
export async function addOrder(
  ctx: Ctx,
  fields: PanelFields,
  caller: { keyId: string; idempotencyKey: string | undefined },
): Promise<{ order: number }> {
  if (UNSUPPORTED.some((name) => fields[name])) {
    throw panelError("This order type is not available");
  }
  const service = await findService(ctx, numberOf(fields.service));
  const link = fields.link?.trim();
  if (!link || link.length > 500 || (fields.zone ?? "").length > 100) throw panelError(WORDS.link);
  const idempotencyKey = fields.idempotency_key || caller.idempotencyKey;
  if (idempotencyKey && idempotencyKey.length > 255) throw incorrectRequest();
  const quantity = quantityOf(service, fields.quantity);
  ctx.db.guardAgain();
  let order: Order;
  try {
    order = await place(ctx, service, { ...fields, link }, quantity, {
      idempotencyKey,
      orderedVia: "api",
      resellerKeyId: caller.keyId,
    });
  } catch (error) {
    throw inPanelWords(error);
  }
  return { order: await numberOfOrder(ctx, order.id) };
}

async function findService(ctx: Ctx, number: number | null): Promise<Service> {
  const [service] = await ctx.db.run(
    rows(
      sql`select s.family, s.code, s.min_quantity as min,
          case s.family when 'social' then s.max_quantity else 1 end as max
        from topup_panel_services p join topup_services s on s.id = p.service_id
        where p.number = ${number ?? 0} and s.status = 'available' and s.active`,
      serviceRow,
    ),
  );
  if (!service) throw panelError(WORDS.service);
  return service;
}

/** A package is one piece, whether its panel says so or not. */
function quantityOf(service: Service, text: string | undefined): number {
  if (service.family !== "social" && !text) return 1;
  const quantity = numberOf(text);
  if (quantity === null || quantity < service.min) throw panelError(WORDS.minimum);
  if (quantity > service.max) throw panelError(WORDS.maximum);
  return quantity;
}

type Buying = { idempotencyKey: string | undefined; orderedVia: "api"; resellerKeyId: string };

async function place(
  ctx: Ctx,
  { family, code }: Service,
  fields: PanelFields & { link: string },
  quantity: number,
  buying: Buying,
): Promise<Order> {
  switch (family) {
    case "social":
      return await placeSocial(ctx, { ...buying, service: code, target: fields.link, quantity });
    case "prepaid":
      return await placePrepaid(ctx, { ...buying, service: code, phoneNumber: fields.link });
    case "game": {
      const [gameId = "", zone = fields.zone] = fields.link.split("|").map((part) => part.trim());
      const unpaid = await placeGame(ctx, { ...buying, service: code, gameId, zone, quantity });
      // A repeat under the same idempotency key finds its order paid already, or refused, or run out.
      if (unpaid.state === "failed" || (unpaid.state === "cancelled" && unpaid.trxid === null)) {
        throw orderRefused(unpaid, unpaid.notes ?? "");
      }
      if (unpaid.state !== "pending") return unpaid;
      ctx.db.guardAgain();
      const { order, refusal } = await processOrder(ctx, { orderNumber: unpaid.number });
      if (refusal !== null) throw orderRefused(order, refusal);
      return order;
    }
    default:
      return family satisfies never;
  }
}

/** As the orders of the other families are refused. */
const orderRefused = ({ number: orderNumber }: Order, words: string) =>
  new AppError("order_refused", `Order failed: ${words}`, { meta: { orderNumber } });

/** The whole number of an order, given at its first mention. */
async function numberOfOrder(ctx: Ctx, orderId: string): Promise<number> {
  const [row] = await ctx.db.run(
    rows(
      sql`insert into topup_panel_orders as p (order_id) values (${orderId})
        on conflict on constraint topup_panel_orders_order_key do update set order_id = excluded.order_id
        returning p.number::float8 as number`,
      z.object({ number: z.number() }),
    ),
  );
  if (!row) throw new Error("an upsert without a row");
  return row.number;
}
