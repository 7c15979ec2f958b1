import { sql } from "drizzle-orm";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { openOrder } from "../testing/desk.ts";

const PATH = "/api/admin/topup";
const DAY = "2021-03-04";
let admin: TestUser;
let order: string;
let service: string;

/** Whatever begins as a date and has a time of day. */
const MOMENT = /^\d{4}-\d\d-\d\d[T ]/;

function momentsIn(value: unknown): string[] {
  if (typeof value === "string") return MOMENT.test(value) ? [value] : [];
  return typeof value === "object" && value ? Object.values(value).flatMap(momentsIn) : [];
}

/** One row of each kind, written as Postgres writes moments. */
beforeAll(async () => {
  admin = await createUser(["admin"]);
  ({ id: order } = await openOrder());
  const { userId } = admin;
  const changes = [
    sql`insert into topup_price_history (service_id, old_supplier_price, supplier_price, old_price, price)
      select service_id, 1, 2, 3, 4 from topup_orders where id = ${order}`,
    sql`insert into topup_members (user_id, level) values (${userId}, 'agent')`,
    sql`insert into topup_margin_rules (family, brand, percent_bp, fixed) values ('social', 'Saat', 700, 0)`,
    sql`insert into topup_supplier_deposits (id, amount, paid_at, note, actor_id)
      values (uuidv7(), 5, now(), 'uji', ${userId})`,
    sql`insert into inbox_events (provider, event_key, body, state, received_at)
      values ('vip-reseller', ${`saat/${order}`}, '{"verdict":"verified"}', 'applied', now())`,
    sql`insert into topup_reconciliations (day, orders, matched, missing_there, missing_here, price_differences,
        state_differences, balance, balance_at, clean)
      values (${DAY}, 0, 0, '[]', '[]', '[]', '[]', 1, now(), true) on conflict do nothing`,
  ];
  await testContext().db.batch(changes.map((change) => rows(change, z.unknown())));
  const ofOrder = sql`select service_id as id from topup_orders where id = ${order}`;
  const [found] = await testContext().db.run(rows(ofOrder, z.object({ id: z.string() })));
  service = found?.id ?? "";
});

it.each([
  ["an order list", () => "/orders"],
  ["an order", () => `/orders/${order}`],
  ["margins", () => "/margins"],
  ["members", () => "/members"],
  ["prices", () => `/services/${service}/prices`],
  ["deposits", () => "/supplier/deposits"],
  ["callbacks", () => "/callbacks?verdict=verified"],
  ["reports", () => "/reconciliations"],
  ["a report", () => `/reconciliations/${DAY}`],
])("%s names its moments as the contract has them: ISO, Z", async (_, path) => {
  const { status, body } = await api(`${PATH}${path()}`, { token: admin.token });
  expect(status).toBe(200);
  const moments = momentsIn(body.data);
  expect(moments).not.toEqual([]);
  for (const moment of moments) expect(moment).toMatch(/^[\d-]{10}T[\d:]{8}\.\d{3}Z$/);
});
