import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { testContext } from "../testing/api.ts";
import { createUser } from "../testing/factories.ts";
import { purgeGiftHours, turnGiftWeeks } from "./gift-hours.ts";
import { sendGifts } from "./gifts.ts";
import { rankFans, rankHosts } from "./ranking.ts";
import { at, booksOf, createGiver, giftAt, giftOrder } from "./test-gifts.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.now();
/** The start of the clock hour, so many hours ago. */
const hoursAgo = (hours: number) => new Date((Math.floor(NOW / HOUR_MS) - hours) * HOUR_MS);

test("the purge forgets hours that no week of fans and no month of a host reaches, and nothing else", async () => {
  const [fan, host] = [await createUser(), await createUser()];
  for (const days of [32, 30, 9, 7]) {
    await giftAt(new Date(Date.now() - days * 24 * HOUR_MS), fan.userId, host.userId);
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

test("a turned week has lost the hours that fell off, once, and an empty one is forgotten; rankings say the same before", async () => {
  const [fan, other, host, quiet] = [
    await createUser(),
    await createUser(),
    await createUser(),
    await createUser(),
  ];
  await giftAt(hoursAgo(169), fan.userId, host.userId, { quantity: 9 });
  await giftAt(hoursAgo(169), other.userId, quiet.userId, { quantity: 9 });
  await giftAt(hoursAgo(168), fan.userId, host.userId, { quantity: 2 });
  await giftAt(hoursAgo(150), other.userId, host.userId, { quantity: 3 });
  // Both weeks still begin where the last gift left them.
  const ctx = at(new Date(NOW));
  const ranked = async () => {
    const fans = await rankFans(ctx, host.userId, "weekly");
    const hosts = (await rankHosts(ctx, "weekly")).filter(({ id }) => id === host.userId);
    const nobody = await rankFans(ctx, quiet.userId, "weekly");
    return [...fans, ...hosts, ...nobody].map(({ id, coins }) => [id, coins]);
  };
  const right = [
    [other.userId, 300],
    [fan.userId, 200],
    [host.userId, 500],
  ];
  expect(await ranked()).toEqual(right);
  await turnGiftWeeks(ctx);
  await turnGiftWeeks(ctx);
  expect(await ranked()).toEqual(right);
  const weeks = await testContext().db.run(
    rows(
      sql`select host_id::int as host, coins::int as coins, since from live_host_weeks
        where host_id in (${host.userId}, ${quiet.userId})`,
      z.object({ host: z.number(), coins: z.number(), since: z.coerce.date() }),
    ),
  );
  expect(weeks).toEqual([{ host: host.userId, coins: 500, since: hoursAgo(168) }]);
  const people = [fan, other, host, quiet].map(({ userId }) => userId);
  expect(await booksOf(people)).toMatchObject({ wrong: [] });
});

test("weeks are turned while gifts to the same hosts come in: neither deadlocks, and every sum is right", async () => {
  const hosts = [await createUser(), await createUser()];
  const fans = [await createGiver(50_000), await createGiver(50_000), await createGiver(50_000)];
  for (const host of hosts) {
    for (const fan of fans) await giftAt(hoursAgo(169), fan.userId, host.userId);
  }
  const ctx = at(new Date(NOW));
  const gifts = Array.from({ length: 12 }, (_, n) =>
    sendGifts(
      ctx,
      fans.flatMap(({ userId }) => {
        const orders = hosts.map((host) => giftOrder(userId, host.userId));
        return n % 2 === 0 ? orders : orders.reverse();
      }),
    ),
  );
  await Promise.all([...gifts, ...Array.from({ length: 4 }, () => turnGiftWeeks(ctx))]);
  for (const { userId } of hosts) {
    const ranked = await rankFans(ctx, userId, "weekly");
    expect(ranked.map(({ coins }) => coins)).toEqual([1_200, 1_200, 1_200]);
  }
  const people = [...hosts, ...fans].map(({ userId }) => userId);
  expect(await booksOf(people)).toMatchObject({ coins: 0, wrong: [] });
});
