import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { call, rows } from "../../shared/db/statement.ts";
import { uuidv7 } from "../../shared/db/uuid.ts";
import { testContext } from "../testing/api.ts";
import type { TestUser } from "../testing/factories.ts";
import { newAttempt } from "./orders/attempt.ts";
import { EXPIRY_MINUTES } from "./orders/limits.ts";
import { orderNumbers } from "./orders/numbers.ts";
import { bench } from "./testing/bench.ts";
import { BOUGHT, FUNDS, lookAt, orderCredit } from "./testing/doubts.ts";
import { booksOf, purchasesOf } from "./testing/outcomes.ts";
import { customer, hand, newPhone, SERVICES, stockShelves } from "./testing/shop.ts";

/** Until a release is deployed, and after it is taken back, the Worker of the release before calls the new functions. */

beforeAll(stockShelves);

const HOUR = 3_600_000;
const LOOKS = [80_000, 6.1 * HOUR, 8.5 * HOUR];

const run = (name: string, input: Record<string, unknown>) =>
  testContext().db.run(call(name, input, z.record(z.string(), z.unknown())));
const change = (query: ReturnType<typeof sql>) => testContext().db.run(rows(query, z.unknown()));

describe("the Worker of the release before", () => {
  const place = ({ userId }: TestUser) =>
    run("topup_order_place", {
      ...{ ...newAttempt(), order_id: uuidv7(new Date()), user_id: userId },
      ...{
        numbers: orderNumbers("prepaid", new Date()),
        family: "prepaid",
        zone: null,
        quantity: 1,
      },
      ...{ code: SERVICES.credit.code, target: newPhone(), ordered_via: "api", input_hash: "x" },
      ...{ pay: true, confirm: false, now: new Date().toISOString() },
      expiry_minutes: EXPIRY_MINUTES,
      limits: {
        like_minutes: 10,
        app: { open_orders: 1, day_amount: 25_000_000 },
        api: { open_orders: 2, day_amount: 1_000_000_000 },
      },
    });

  it("keeps a reseller to the limits of resellers and a member to those of the app", async () => {
    const [member, reseller] = [await customer(), await customer()];
    await change(
      sql`insert into topup_members (user_id, level) values (${reseller.userId}, 'reseller')`,
    );
    for (const user of [member, reseller, reseller]) await place(user);
    for (const user of [member, reseller]) {
      await expect(place(user)).rejects.toMatchObject({ code: "rate_limited" });
    }
  });

  it("is not sent to the supplier for the serial number of an order that has ended", async () => {
    const { user, order } = await orderCredit();
    await change(sql`update topup_orders set state = 'success', finished_at = now(), sealed_serial = null,
      trxid = coalesce(trxid, number) where id = ${order.id}`);
    const input = { id: order.id, user_id: user.userId, now: new Date().toISOString() };
    const ask = { ...input, ask: true, pause_seconds: 5 };
    expect(await run("topup_order_read", ask)).toMatchObject({ ask: false });
    expect(await run("topup_order_read", { ...ask, late_serial: true })).toMatchObject({
      ask: true,
    });
  });
});

it("a tie of the release before, which names no purchase, stays a person's whatever a list lacks", async () => {
  const { user, order } = await orderCredit({ fault: BOUGHT });
  const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
  await vipReseller.createPrepaidOrder({ service: SERVICES.credit.code, target: order.target });
  const [one, other] = await purchasesOf(order.target);
  await hand("succeed", one?.trxid ?? "");
  await hand("fail", other?.trxid ?? "");
  expect(await lookAt(order, LOOKS)).toMatchObject({ state: "review" });
  await change(sql`update topup_orders set review_reason = '2 purchases in the history that end differently'
    where id = ${order.id}`);
  const without = (text: string) => {
    const answer = JSON.parse(text);
    answer.data = answer.data.filter(({ trxid }: { trxid: string }) => trxid !== one?.trxid);
    return JSON.stringify(answer);
  };
  expect(await lookAt(order, [9 * HOUR, 33 * HOUR], without)).toMatchObject({ state: "review" });
  expect(await booksOf(user)).toMatchObject({ escrow: order.amount, wallet: FUNDS - order.amount });
});
