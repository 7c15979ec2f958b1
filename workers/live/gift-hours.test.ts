import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { testContext } from "../testing/api.ts";
import { createUser } from "../testing/factories.ts";
import { purgeGiftHours } from "./gift-hours.ts";
import { giftAt } from "./test-gifts.ts";

test("the purge forgets hours that no week of fans and no month of a host reaches, and nothing else", async () => {
  const [fan, host] = [await createUser(), await createUser()];
  const hour = 3_600_000;
  for (const days of [32, 30, 9, 7]) {
    await giftAt(new Date(Date.now() - days * 24 * hour), fan.userId, host.userId);
  }
  await purgeGiftHours(testContext());
  const [kept] = await testContext().db.run(
    rows(
      sql`select (select count(*) from live_host_hours where host_id = ${host.userId})::int as hosts,
        (select count(*) from live_fan_hours where host_id = ${host.userId})::int as fans,
        (select sum(coins) from live_fan_days where host_id = ${host.userId})::int as days`,
      z.unknown(),
    ),
  );
  expect(kept).toEqual({ hosts: 3, fans: 1, days: 400 });
});
