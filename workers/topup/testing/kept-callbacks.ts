import { sql } from "drizzle-orm";
import { expect } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { fromBase64, md5Hex, utf8 } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { consumeNotices } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { callbackApplier } from "../orders/callbacks.ts";
import { openRefused, refusedCallbackApplier } from "../orders/refused-archive.ts";

const appliers = [callbackApplier, refusedCallbackApplier];
const Count = z.object({ count: z.number() });
const Notice = z
  .object({ body: z.string() })
  .transform(({ body }) => z.object({ place: z.string() }).parse(JSON.parse(body)));

/** The bodies of events that were kept under keys that begin so. */
export const eventsOf = (provider: string, start: string) =>
  testContext().db.run(
    rows(
      sql`select body from inbox_events where provider = ${provider} and event_key like ${`${start}/%`}`,
      z.object({ body: z.string() }),
    ),
  );

/** What is on the queue, handed over twice and in the wrong order. */
export async function consume(sent: { body: unknown }[]): Promise<void> {
  const bodies = sent.map(({ body }) => body);
  const { batch, fates } = deliver("topup-callbacks", [...bodies.toReversed(), ...bodies]);
  await consumeNotices(contextWithQueues().ctx, batch, appliers);
  expect(new Set(fates)).toEqual(new Set(["acked"]));
}

/** What the kept rows of these places say, opened. */
export async function refusedOf(sent: { body: unknown }[]) {
  const places = sent.map(({ body }) => Notice.parse(body).place);
  const found = await testContext().db.run(
    rows(
      sql`select body from inbox_events where provider = 'vip-reseller-refused'
        and event_key = any (${`{${places.join(",")}}`}::text[])`,
      z.object({ body: z.string() }),
    ),
  );
  const counts = found.map(({ body }) => Count.parse(JSON.parse(body)).count);
  const opened = found.map(async ({ body }) => (await openRefused(testContext(), body)) ?? []);
  const entries = (await Promise.all(opened)).flat();
  return {
    rows: found.map(({ body }) => body),
    count: counts.reduce((sum, count) => sum + count, 0),
    entries: entries.map((one) => ({ ...one, body: fromBase64(one.body) ?? utf8("?") })),
  };
}

/** The headers of what the supplier signs in its own form. */
export const signed = ({ config }: Ctx) =>
  new Headers({
    "x-client-signature": md5Hex(config.VIP_RESELLER_API_ID + config.VIP_RESELLER_API_KEY),
  });
