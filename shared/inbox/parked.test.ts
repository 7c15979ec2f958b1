import { sql } from "drizzle-orm";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { unique } from "../../workers/testing/factories.ts";
import { rows } from "../db/statement.ts";
import { contextWithQueues } from "../jobs/test-queues.ts";
import { finishAlike, type NoticeApplier, replayParked } from "./inbox.ts";

const { ctx } = contextWithQueues();

/** So many parked events of a provider, the next one due a second after the one before, from that long ago. */
const park = (provider: string, many: number, dueAgo: string) =>
  ctx.db.run(
    rows(
      sql`insert into inbox_events (provider, event_key, body, state, received_at, retry_at)
        select ${provider}, 'same/' || n, n, 'parked', now(), now() - ${dueAgo}::interval + make_interval(secs => n)
        from generate_series(1, ${many}::int) n`,
      z.unknown(),
    ),
  );

/** What is left due would be tried by other tests. */
afterAll(() =>
  ctx.db.run(
    rows(sql`update inbox_events set retry_at = null where event_key like 'same/%'`, z.unknown()),
  ),
);

const parkedOf = async (provider: string) => {
  const [found] = await ctx.db.run(
    rows(
      sql`select count(*)::int as many from inbox_events where provider = ${provider} and state = 'parked'`,
      z.object({ many: z.number() }),
    ),
  );
  return found?.many;
};

test("parked events of a provider that hangs, however many, keep no other's from being applied", async () => {
  const [hanging, other] = [unique("p"), unique("p")];
  await park(hanging, 300, "2 days");
  await park(other, 1, "1 minute");
  const applied = Promise.withResolvers<void>();
  const { promise: answer, resolve: letGo } = Promise.withResolvers<void>();
  const held: NoticeApplier = {
    provider: hanging,
    eventKey: (_ctx, body) => body,
    apply: () => answer.then(() => ({ parked: "still unknown" })),
  };
  const quick: NoticeApplier = {
    provider: other,
    eventKey: (_ctx, body) => body,
    async apply() {
      applied.resolve();
      return "applied";
    },
  };
  const replayed = replayParked(ctx, [held, quick]);
  await applied.promise;
  letGo();
  await replayed;
  expect(await parkedOf(other)).toBe(0);
  expect(await parkedOf(hanging)).toBe(300);
});

test("events that are ended along with one are those that say the same, and came by then", async () => {
  const [provider, other] = [unique("p"), unique("p")];
  await park(provider, 20, "1 minute");
  await park(other, 2, "1 minute");
  const alike = { provider, keyStart: "same/1", note: "known by now" };
  await finishAlike(ctx, { ...alike, receivedUntil: new Date(Date.now() - 60_000) });
  expect(await parkedOf(provider)).toBe(20);
  await finishAlike(ctx, { ...alike, receivedUntil: new Date(Date.now() + 60_000) });
  // 1 and 10 to 19.
  expect([await parkedOf(provider), await parkedOf(other)]).toEqual([9, 2]);
});
