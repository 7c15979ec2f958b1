import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { testContext } from "../../workers/testing/api.ts";
import { rows } from "./statement.ts";
import { uuidv7 } from "./uuid.ts";

describe("uuidv7", () => {
  it("is a uuid of version 7 that holds its millisecond", () => {
    const now = new Date("2026-03-01T12:34:56.789Z");
    const id = uuidv7(now);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(now.getTime());
  });

  it("sorts by time and does not repeat within one millisecond", () => {
    const [early, late] = [uuidv7(new Date(1_000_000)), uuidv7(new Date(1_000_001))];
    expect(early < late).toBe(true);
    const now = new Date();
    expect(new Set(Array.from({ length: 10_000 }, () => uuidv7(now))).size).toBe(10_000);
  });
});

describe("uuid_from", () => {
  const bound = async (moment: string) => {
    const asked = rows(
      sql`select uuid_from(${moment}::timestamptz) as id`,
      z.object({ id: z.string() }),
    );
    return (await testContext().db.run(asked))[0]?.id ?? "";
  };

  it("is the least id of its millisecond, whoever makes the others", async () => {
    const moment = "2026-03-01T12:34:56.789Z";
    const least = await bound(moment);
    const at = new Date(moment).getTime();
    expect(least <= uuidv7(new Date(at))).toBe(true);
    expect(least > uuidv7(new Date(at - 1))).toBe(true);
    expect(await bound("2026-03-01T12:34:56.789999Z")).toBe(least);
    expect(await bound("1969-12-31T00:00:00Z")).toBe("00000000-0000-7000-8000-000000000000");
    expect(least <= (await bound("2026-03-01T12:34:56.790Z"))).toBe(true);
  });

  it("lets an index find what was made since, which a function asked for each row does not", async () => {
    const plan = await testContext().db.batch([
      rows(sql`select set_config('enable_seqscan', 'off', true)`, z.unknown()),
      rows(
        sql`explain (costs off) select id from topup_orders where id >= uuid_from(now() - interval '1 hour')`,
        z.unknown(),
      ),
    ]);
    expect(JSON.stringify(plan[1])).toContain("Index Cond: (id >= ");
  });
});
