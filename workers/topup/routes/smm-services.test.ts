import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { roundTrips } from "../../testing/round-trips.ts";
import { reprice } from "../testing/reprice.ts";
import { createReseller, panel, phone, stockService } from "../testing/reseller.ts";

let service: { id: string; number: number };
let key: string;
beforeAll(async () => {
  service = await stockService("prepaid", { stock: 10 });
  ({ key } = await createReseller());
});

const run = (query: ReturnType<typeof sql>) => testContext().db.run(rows(query, z.unknown()));
const change = (set: ReturnType<typeof sql>) =>
  run(sql`update topup_services set ${set} where id = ${service.id}`);

/** What the list says of the service, and how often the database was asked for it. */
async function read(by = key) {
  let body: { service: number; rate: string }[] = [];
  const trips = await roundTrips(async () => {
    ({ body } = await panel(by, { action: "services" }));
  });
  return { trips, rate: body.find((one) => one.service === service.number)?.rate ?? null };
}

/** Until the list is kept, which happens behind the answer. */
const kept = (rate: string | null) =>
  vi.waitFor(async () => expect(await read()).toEqual({ trips: 1, rate }), { interval: 5 });

describe("the list of services", () => {
  it("is kept: a repeat asks for its version alone, whoever of the same level reads it", async () => {
    await kept("11303");
    const other = await createReseller();
    expect(await read(other.key)).toEqual({ trips: 1, rate: "11303" });
    expect((await panel("lumbung_x", { action: "services" })).body).toEqual({
      error: "Invalid API key",
    });
  });

  it("is that of the reader's own level", async () => {
    const agent = await createReseller();
    await run(sql`with r as (insert into topup_margin_rules (member_level, percent_bp) values ('agent', 100)
        on conflict on constraint topup_margin_rules_scope_key do nothing)
      insert into topup_members (user_id, level) values (${agent.user.userId}, 'agent')`);
    expect((await read(agent.key)).rate).toBe("10872");
    await kept("11303");
  });

  it.each([
    ["a price", sql`price = 12000`, "12000"],
    ["a supplier's list that lost it", sql`status = 'gone'`, null],
    ["its return", sql`status = 'available'`, "12000"],
    ["the operator's switch", sql`active = false`, null],
    ["the switch back", sql`active = true, price = 11303`, "11303"],
    ["its last piece", sql`stock_type = 'OUT_OF_STOCK'`, null],
    ["a new stock", sql`stock_type = 'LIMITED'`, "11303"],
  ])("follows %s with the next answer", async (_, set, rate) => {
    await read();
    await change(set);
    expect((await read()).rate).toBe(rate);
    await kept(rate);
  });

  it("follows a rule of margins and a repricing", async () => {
    await kept("11303");
    await run(sql`insert into topup_margin_rules (family, brand, percent_bp, fixed)
      values ('prepaid', 'TELKOMSEL', 1000, 0)`);
    await reprice(testContext());
    expect((await read()).rate).toBe("11841");
    await run(sql`delete from topup_margin_rules where brand = 'TELKOMSEL'`);
    await reprice(testContext());
    expect((await read()).rate).toBe("11303");
  });

  it("stays as it is while orders reserve and buy", async () => {
    await kept("11303");
    expect(
      (await panel(key, { action: "add", service: service.number, link: phone() })).body,
    ).toEqual({ order: expect.any(Number) });
    expect((await read()).trips).toBe(1);
  });

  it("has a version that tells apart each function that makes its prices", async () => {
    const unnamed = await testContext().db.run(
      rows(
        sql`select p.proname as name from pg_proc p, pg_proc v
          where v.proname = 'topup_panel_version' and p.proname like 'topup\\_%'
            and position(quote_literal(p.proname) in v.prosrc) = 0 and exists (select from pg_proc q
              where q.proname like 'topup\\_%' and position(quote_literal(q.proname) in v.prosrc) > 0
                and position(p.proname || '(' in q.prosrc) > 0)`,
        z.object({ name: z.string() }),
      ),
    );
    expect(unnamed).toEqual([]);
  });

  it("has another version for each of many changes at once, and one for all of one transaction", async () => {
    const Version = z.object({ version: z.string() });
    const version = async () =>
      (await testContext().db.run(call("topup_panel_version", { user_id: 0 }, Version))).version;
    const seen = new Set([await version()]);
    await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        await change(sql`name = ${`Pulsa ${n}`}`);
        seen.add(await version());
      }),
    );
    expect(seen.size).toBeGreaterThan(1);
    const before = await version();
    await run(sql`update topup_services set note = note || 'x'`);
    expect(await version()).toBe(before);
  });
});
