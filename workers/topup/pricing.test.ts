import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { testContext } from "../testing/api.ts";
import { createUser, unique } from "../testing/factories.ts";
import { reprice } from "./testing/reprice.ts";

const ctx = testContext();
const run = (change: ReturnType<typeof sql>) => ctx.db.run(rows(change, z.unknown()));

/** The least that is earned on a unit, whatever the rules say. */
const MIN_MARGIN = 25;

interface Rule {
  family?: string;
  brand?: string;
  level?: string;
  bp?: number;
  fixed?: number;
  active?: boolean;
}

const addRule = ({ family, brand, level, bp = 0, fixed = 0, active = true }: Rule) =>
  run(sql`insert into topup_margin_rules (family, brand, member_level, percent_bp, fixed, active)
    values (${family ?? null}, ${brand ?? null}, ${level ?? null}, ${bp}, ${fixed}, ${active})`);

async function priceOf(supplier: number, family: string, brand: string, level = "member") {
  const query = sql`select topup_price(${supplier}::bigint, ${family}, ${brand}, ${level})::float8 as price`;
  const [found] = await ctx.db.run(rows(query, z.object({ price: z.number() })));
  return found?.price;
}

afterEach(async () => {
  await run(sql`delete from topup_margin_rules`);
});

describe("a price", () => {
  it("is the supplier's and 5 per cent where no rule fits, rounded up to the rupiah", async () => {
    expect(await priceOf(20_000, "game", "X")).toBe(21_000);
    expect(await priceOf(20_001, "game", "X")).toBe(21_002);
    expect(await priceOf(100, "game", "X")).toBe(100 + MIN_MARGIN);
  });

  it("adds per cent and rupiah of a rule", async () => {
    await addRule({ bp: 1_250, fixed: 300 });
    expect(await priceOf(10_000, "prepaid", "TELKOMSEL")).toBe(11_550);
  });

  it("follows the most specific rule: brand before level before family", async () => {
    const brand = unique("B");
    const rules: [Rule, number][] = [
      [{}, 1_000],
      [{ family: "game" }, 2_000],
      [{ level: "reseller" }, 3_000],
      [{ family: "game", level: "reseller" }, 4_000],
      [{ brand }, 5_000],
      [{ brand, family: "game" }, 6_000],
      [{ brand, level: "reseller" }, 7_000],
      [{ brand, family: "game", level: "reseller" }, 8_000],
      [{ brand: `${brand}x` }, 90_000],
      [{ family: "social" }, 91_000],
      [{ level: "agent" }, 92_000],
    ];
    for (const [rule, fixed] of [...rules].reverse()) await addRule({ ...rule, fixed });
    const seen: (number | undefined)[] = [];
    for (const [, fixed] of rules.slice(0, 8).reverse()) {
      seen.push(await priceOf(1_000, "game", brand, "reseller"));
      await run(sql`update topup_margin_rules set active = false where fixed = ${fixed}`);
    }
    expect(seen).toEqual([9_000, 8_000, 7_000, 6_000, 5_000, 4_000, 3_000, 2_000]);
    expect(await priceOf(1_000, "game", brand, "reseller")).toBe(1_050);
  });

  it("is never at or below what it costs, and the same each time, under any rules", async () => {
    const checked = sql`
      with made as (
        insert into topup_margin_rules (family, brand, member_level, percent_bp, fixed)
        select f, b, l, (random() * 3000)::int, (random() * 500)::int
        from unnest(array[null, 'prepaid', 'game', 'social']) f, unnest(array[null, 'A', 'B']) b,
          unnest(array[null, 'member', 'reseller']) l
        where random() < 0.7
        returning 1)
      select count(*)::int as rules from made`;
    await run(checked);
    const broken = sql`
      select count(*)::int as tried,
        count(*) filter (where one <= supplier or one - supplier < ${MIN_MARGIN})::int as losses,
        count(*) filter (where one <> again)::int as changing
      from (select supplier, topup_price(supplier, f, b, l) as one, topup_price(supplier, f, b, l) as again
        from (select (random() * 10 ^ (random() * 9))::bigint + 1 as supplier, f, b, l
          from generate_series(1, 60), unnest(array['prepaid', 'game', 'social']) f,
            unnest(array['A', 'B', 'C']) b, unnest(array['member', 'reseller', 'agent']) l) tries) prices`;
    expect(await run(broken)).toEqual([{ tried: 1_620, losses: 0, changing: 0 }]);
  });

  it("at a loss cannot even be stored", async () => {
    const insert = (price: number) =>
      run(sql`insert into topup_services (family, code, name, target_kind, supplier_price, price)
        values ('game', ${unique("L")}, 'Rugi', 'game_id', 1000, ${price})`);
    await expect(insert(1_000)).rejects.toThrow("topup_services_no_loss");
    await expect(insert(999)).rejects.toThrow("topup_services_no_loss");
    await insert(1_001);
  });

  it("has one rule a scope, also where parts of it are open", async () => {
    const brand = unique("B");
    await addRule({ brand, fixed: 1 });
    await expect(addRule({ brand, fixed: 2 })).rejects.toThrow("topup_margin_rules_scope_key");
  });
});

describe("a change of the rules", () => {
  it("reaches the catalogue by its job, with a history row a price", async () => {
    const brand = unique("B");
    const code = unique("C");
    await run(sql`insert into topup_services (family, code, name, brand, target_kind, supplier_price, price)
      values ('game', ${code}, 'Uji', ${brand}, 'game_id', 10000, 10500)`);
    await addRule({ brand, fixed: 2_000 });
    await reprice(ctx);
    const stored = sql`select s.price::int, h.old_price::int from topup_services s
      join topup_price_history h on h.service_id = s.id where s.code = ${code}`;
    expect(await run(stored)).toEqual([{ price: 12_000, old_price: 10_500 }]);
    await reprice(ctx);
    expect(await run(stored)).toHaveLength(1);
  });
});

describe("the level of a user", () => {
  it("is member until somebody says otherwise", async () => {
    const { userId } = await createUser();
    const level = sql`select topup_level(${userId}) as level`;
    expect(await run(level)).toEqual([{ level: "member" }]);
    await run(sql`insert into topup_members (user_id, level) values (${userId}, 'reseller')`);
    expect(await run(level)).toEqual([{ level: "reseller" }]);
  });
});

it("a change of a rule has its turn among the syncs before it holds the catalogue's version, as they do", async () => {
  const turns = rows(
    sql`select count(*)::int as held from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'`,
    z.object({ held: z.number() }),
  );
  const rule = sql`insert into topup_margin_rules (family, brand, percent_bp, fixed)
    values ('prepaid', ${unique("B")}, 900, 0)`;
  const [[before], , [after]] = await ctx.db.batch([turns, rows(rule, z.unknown()), turns]);
  expect([before?.held, after?.held]).toEqual([0, 1]);
});

describe("the hours in which the supplier keeps a service closed, of Jakarta's time", () => {
  it.each([
    ["01:00 - 03:30", "01:00", true],
    ["01:00 - 03:30", "03:29", true],
    ["01:00 - 03:30", "03:30", false],
    ["01:00 - 03:30", "00:59", false],
    ["23:30 - 00:30", "23:30", true],
    ["23:30 - 00:30", "00:29", true],
    ["23:30 - 00:30", "00:30", false],
    ["23:30 - 00:30", "12:00", false],
    ["23.30-0.30", "23:45", true],
    ["soon", "23:45", false],
    [null, "23:45", false],
  ])("%s at %s: %j", async (hours, clock, is) => {
    const asked = sql`select topup_in_maintenance(${hours}::text, ${`2026-11-20T${clock}:00+07:00`}) as "is"`;
    expect(await run(asked)).toEqual([{ is }]);
  });
});
