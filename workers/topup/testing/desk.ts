import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, settleBackground, type TestAnswer, testContext } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import {
  createReseller,
  instagram,
  ordersOf,
  panel,
  type Reseller,
  stockService,
  vipTwin,
} from "./reseller.ts";

export const ORDERS = "/api/admin/topup/orders";
export const REQUESTS = "/api/admin/topup/requests";
export const reason = "Menurut riwayat penyedia";

/** One POST of an admin. */
export const post = (
  admin: TestUser | undefined,
  path: string,
  json?: unknown,
  key?: string,
): Promise<TestAnswer> =>
  api(path, {
    method: "POST",
    token: admin?.token ?? "",
    ...(json ? { json } : {}),
    ...(key ? { headers: { "idempotency-key": key } } : {}),
  });

/**
 * An order that the supplier has and will not move by itself. 210,000 a thousand: 3,000 are above the limit of one
 * admin, 1,000 are not.
 */
export async function openOrder(
  quantity = 1000,
): Promise<{ reseller: Reseller; id: string; trxid: string }> {
  const social = await stockService("social", { supplierPrice: 200_000 });
  const reseller = await createReseller({ amount: 5_000_000 });
  const link = instagram();
  await vipTwin("/_dials", { stay: { match: link } }, "PUT");
  const fields = { action: "add", service: social.number, link, quantity };
  const { body } = await panel(reseller.key, fields);
  if (!body.order) throw new Error(`no order: ${JSON.stringify(body)}`);
  // What is recorded behind the answer takes as long as it takes.
  await settleBackground();
  for (let look = 0; look < 200; look += 1) {
    const [order] = await ordersOf(reseller.user.userId);
    if (order?.state === "processing") return { reseller, id: order.id, trxid: order.trxid ?? "" };
  }
  throw new Error("the order was not bought");
}

export const stateOf = async ({ user }: Reseller) => (await ordersOf(user.userId))[0]?.state;

/** An admin's request to place an order again, as a process leaves it that dies before it has acted. */
export async function confirmedRetry({ userId }: TestUser, order: { id: string }) {
  const [made] = await testContext().db.run(
    rows(
      sql`insert into topup_hand_requests (order_id, action, reason, needs_second, state, requested_by, decided_by,
          decided_at, expires_at)
        values (${order.id}, 'retry', 'uji', false, 'confirmed', ${userId}, ${userId}, now(),
          now() + interval '1 day') returning id`,
      z.object({ id: z.uuid() }),
    ),
  );
  if (!made) throw new Error("no request");
  return { id: made.id, orderId: order.id, input: {} };
}
