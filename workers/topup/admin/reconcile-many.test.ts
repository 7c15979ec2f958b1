import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { enqueue, runJob } from "../../../shared/jobs/jobs.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import type { SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { fund, stockService } from "../testing/reseller.ts";
import { PORTION, reconcileJob } from "./reconcile.ts";
import { readReport } from "./reports.ts";

/** A past that no other test writes to. */
const DAY = "2001-05-01";
const ORDERS = 700;

/** So many orders of one day, whose purchases are `<name>1`, `<name>2`, … */
async function manyOrders(
  name: string,
  { many = ORDERS, day = DAY, state = "success" } = {},
): Promise<number> {
  const { userId } = await createUser();
  const { id } = await stockService("prepaid");
  const at = `${day}T12:00:00+07:00`;
  await testContext().db.run(
    rows(
      sql`insert into topup_orders (id, number, user_id, service_id, family, code, service_name, brand, target, quantity,
          amount, supplier_amount, charged_amount, state, trxid, paid_at, attempt_at, finished_at, created_at)
        select uuidv7(${at}::timestamptz - clock_timestamp()), ${name} || n, ${userId}, ${id}, 'prepaid', 'S10', 'Pulsa',
          'TELKOMSEL', '081200000000', 1, 3000, 2000, 2000, ${state}, ${name} || n, ${at}, ${at},
          case ${state} when 'success' then ${at}::timestamptz end, ${at}
        from generate_series(1, ${many}::int) n`,
      z.unknown(),
    ),
  );
  return userId;
}

const theirs = (trxid: string): SupplierOrder => ({
  trxid,
  family: "prepaid",
  target: "081200000000",
  zone: null,
  service: "Pulsa",
  code: "S10",
  status: "success",
  statusText: "success",
  note: "",
  priceIdr: 2_000,
  quantity: null,
  remain: null,
  startCount: null,
  balanceAfterIdr: null,
});

/** A supplier that lists its latest 200 and tells every other order but `lost` singly. */
function supplier(name: string, lost: string) {
  const { ctx } = contextWithQueues();
  const asked = { limits: [] as number[], singly: [] as string[], fail: 0 };
  const real = ctx.providers.vipReseller;
  const vipReseller: typeof real = {
    ...real,
    getBalance: async () => ({ balance: 1_000_000 }),
    getOrderStatus: async (family, query) => {
      if ("limit" in query) {
        asked.limits.push(query.limit);
        const latest = Array.from({ length: 200 }, (_, n) => theirs(`${name}${ORDERS - n}`));
        return family === "prepaid" ? latest : [];
      }
      asked.singly.push(query.trxid);
      return query.trxid === lost ? [] : [theirs(query.trxid)];
    },
  };
  const now = () => new Date(`${DAY}T23:59:59+07:00`);
  return { ctx: { ...ctx, now, providers: { ...ctx.providers, vipReseller } }, asked };
}

const waiting = () =>
  testContext().db.run(
    rows(
      sql`select id, payload::text as payload from jobs
        where kind = 'topup.reconcile' and state = 'queued' and payload->>'day' = ${DAY}`,
      z.object({ id: z.uuid(), payload: z.string() }),
    ),
  );

describe("a day of many orders under way that are over at the supplier", () => {
  it("has no difference for what nobody had heard yet", async () => {
    const [name, day, many] = [unique("VPB"), "2001-05-03", 55];
    const userId = await manyOrders(name, { many, day, state: "processing" });
    await fund(userId, many * 3_000, { kind: "escrow", owner: `topup:${userId}` });
    const { ctx } = supplier(name, "");
    const payload = { day };
    const made = await ctx.db.run(
      enqueue({ kind: "topup.reconcile", queue: "topup", dedupeKey: null, payload }),
    );
    expect(await runJob(ctx, made?.id ?? "", [reconcileJob])).toBe("success");
    expect(await readReport(ctx, day)).toMatchObject({ matched: many, stateDifferences: [] });
  });
});

describe("a day of more orders than a list shows", () => {
  it("is compared order by order, in portions that go on where the last one stopped", async () => {
    const name = unique("VPM");
    const lost = `${name}7`;
    await manyOrders(name);
    const { ctx, asked } = supplier(name, lost);
    const payload = { day: DAY };
    await ctx.db.run(
      enqueue({ kind: "topup.reconcile", queue: "topup", dedupeKey: null, payload }),
    );
    let runs = 0;
    for (let [job] = await waiting(); job && runs < 10; [job] = await waiting()) {
      // What waits in between is no customer's number.
      expect(job.payload).not.toContain("081200000000");
      expect(await runJob(ctx, job.id, [reconcileJob])).toBe("success");
      runs += 1;
    }
    expect(Math.max(...asked.limits)).toBeLessThanOrEqual(500);
    expect(asked.singly).toHaveLength(ORDERS - 200);
    expect(new Set(asked.singly).size).toBe(ORDERS - 200);
    expect(runs).toBe(Math.ceil((ORDERS - 200) / PORTION));
    expect(await readReport(ctx, DAY)).toMatchObject({
      orders: ORDERS,
      matched: ORDERS - 1,
      missingThere: [{ number: lost, trxid: lost, ours: "success" }],
      priceDifferences: [],
      stateDifferences: [],
    });
  });
});
