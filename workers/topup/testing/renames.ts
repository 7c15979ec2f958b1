import { sql } from "drizzle-orm";
import { expect } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { followOrders } from "../orders/follow.ts";
import type { Order } from "../orders/order.ts";
import { placeSocial } from "../orders/place.ts";
import { bench } from "./bench.ts";
import { type Doubt, FUNDS, orderGame } from "./doubts.ts";
import { booksOf, theOrderOf } from "./outcomes.ts";
import {
  customer,
  dial,
  hand,
  SERVICES,
  shelve,
  supplierService,
  type TestService,
} from "./shop.ts";

/** The families in which a purchase tells its service by the name alone; each with one beside it. */
export const NAMED = {
  game: { ordered: SERVICES.fire, other: SERVICES.diamonds },
  social: { ordered: SERVICES.likes, other: { ...SERVICES.likes, code: "1004" } },
};
export type Named = keyof typeof NAMED;
const QUANTITY = 1_000;
const MINUTE_MS = 60_000;

const names = new Map<TestService, string>();

/** Has both services on the shelf as the twin sells them, and no other order due. */
export async function stockNamed(): Promise<void> {
  for (const { ordered, other } of Object.values(NAMED)) {
    const told = await supplierService(other.code, {});
    Object.assign(other, { name: told.name, supplierPrice: told.price.basic });
    other.price = Math.ceil(told.price.basic * 1.07);
    for (const item of [ordered, other]) names.set(item, item.name);
  }
  await unname();
  // What other tests left would take turns from what is asked about here.
  await testContext().db.run(
    rows(
      sql`update topup_orders set ask_at = '2100-01-01' where state in ('processing', 'review')`,
      z.unknown(),
    ),
  );
}

/** All under their own names again, at the supplier and on the shelf. */
export async function unname(): Promise<void> {
  for (const [item, name] of names) {
    await rename(item, name);
    await shelve({ ...item, name });
  }
}

/** The supplier calls the service so from now on, also in what it sold before. */
export async function rename(item: TestService, name = unique("Paket baru ")): Promise<string> {
  await supplierService(item.code, { name });
  return name;
}

/** A price list that was asked for then (default: now) is in force; it calls the services so. */
export async function listNames(
  names: readonly (readonly [TestService, string])[],
  { startedMs = 0 } = {},
): Promise<void> {
  for (const [item, name] of names) await shelve({ ...item, name });
  const applied = JSON.stringify({ game: { state: "applied" }, social: { state: "applied" } });
  await testContext().db.run(
    rows(
      sql`insert into topup_syncs (action, state, families, started_at, finished_at)
        values ('full-sync', 'success', ${applied}::jsonb, clock_timestamp() + ${startedMs} * interval '1 ms', now())`,
      z.unknown(),
    ),
  );
}

/** An order of the family's service; without a fault it is bought. */
export async function orderNamed(
  family: Named,
  fault: Record<string, unknown> = {},
): Promise<Doubt> {
  const { ordered } = NAMED[family];
  if (family === "game") {
    const { user, order } = await orderGame(ordered, { fault });
    return { user, order: await theOrderOf(order.target) };
  }
  const user = await customer(FUNDS);
  const target = unique("@ganti");
  await dial(target, { stay: true, ...fault });
  const { ctx, settle } = bench({ actor: user, timeoutMs: "timeOut" in fault ? 150 : 3_000 });
  await placeSocial(ctx, { service: ordered.code, target, quantity: QUANTITY });
  await settle();
  return { user, order: await theOrderOf(target) };
}

/** An order whose very answer named its service as no list of ours does. */
export async function namedStrangely(family: Named): Promise<Doubt & { name: string }> {
  const name = await rename(NAMED[family].ordered);
  const { user, order } = await orderNamed(family);
  expect(order).toMatchObject({
    state: "review",
    trxid: expect.any(String),
    reviewReason: expect.stringContaining("of another service"),
  });
  return { user, order, name };
}

/** The mails to the operator: that a person is asked, and that a service was renamed. */
export const ASKED = "Pesanan perlu diperiksa";
export const TOLD = "Layanan berganti nama setelah dipesan";

const SERIAL = "1234-5678-9012";
/** The supplier delivers what was bought. */
export const succeed = ({ trxid }: Order) => hand("succeed", trxid ?? "", { note: SERIAL });

export async function expectDelivered({ user, order }: Doubt): Promise<void> {
  const ended = await theOrderOf(order.target);
  expect(ended).toMatchObject({ state: "success", reviewReason: null, refundedAmount: 0 });
  expect(ended.sealedSerial === null).toBe(order.family === "social");
  expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: 0 });
}

/** The minute cron's look at what is under way, so much later. */
export async function follow(
  order: Order,
  laterMs = MINUTE_MS,
  twist?: (text: string) => string,
): Promise<Order> {
  const { ctx, settle } = bench({ laterMs, timeoutMs: 3_000, ...(twist && { twist }) });
  await followOrders(ctx);
  await settle();
  return await theOrderOf(order.target);
}
