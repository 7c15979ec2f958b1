import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { md5Hex, unseal } from "../../../shared/crypto/index.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import type { AppError } from "../../../shared/http/errors.ts";
import { consumeNotices } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { callbackApplier, keepOverlong, receiveCallback } from "./callbacks.ts";
import { RefusedCallbacks, refusedCallbackApplier } from "./refused-callbacks.ts";

const appliers = [callbackApplier, refusedCallbackApplier];

const eventsOf = (provider: string, start: string) =>
  testContext().db.run(
    rows(
      sql`select body from inbox_events where provider = ${provider} and event_key like ${`${start}/%`}`,
      z.object({ body: z.string() }),
    ),
  );

/** What is on the queue, handed over twice and in the wrong order. */
async function consume(sent: { body: unknown }[]): Promise<void> {
  const bodies = sent.map(({ body }) => body);
  const { batch, fates } = deliver("webhooks", [...bodies.toReversed(), ...bodies]);
  await consumeNotices(contextWithQueues().ctx, batch, appliers);
  expect(new Set(fates)).toEqual(new Set(["acked"]));
}

const Kept = z.object({ count: z.number(), dropped: z.number(), original: z.string() });
const Text = z.object({ verdict: z.string(), text: z.string(), times: z.number() });

/** What the kept rows of these places say, opened. */
async function refusedOf(sent: { body: unknown }[]) {
  const places = sent.map(({ body }) => Notice.parse(body).place);
  const found = await testContext().db.run(
    rows(
      sql`select body from inbox_events where provider = 'vip-reseller-refused'
        and event_key = any (${`{${places.join(",")}}`}::text[])`,
      z.object({ body: z.string() }),
    ),
  );
  const kept = found.map(({ body }) => Kept.parse(JSON.parse(body)));
  const opened = kept.map(async ({ original }) => {
    const text = await unseal(testContext().config, "topup-callback-refused", original);
    return z.array(Text).parse(JSON.parse(text ?? ""));
  });
  return {
    bodies: found.map(({ body }) => body).join(),
    count: kept.reduce((sum, { count }) => sum + count, 0),
    dropped: kept.reduce((sum, { dropped }) => sum + dropped, 0),
    texts: (await Promise.all(opened)).flat(),
  };
}

const Notice = z
  .object({ body: z.string() })
  .transform(({ body }) => z.object({ place: z.string() }).parse(JSON.parse(body)));

/** What it was refused with, or undefined. */
const codeOf = (taken: Promise<unknown>): Promise<unknown> =>
  taken.then(
    () => undefined,
    ({ code }: AppError) => code,
  );

const forged = (note: string) =>
  JSON.stringify({ data: { trxid: "VPZ3", status: "success", note } });

describe("callbacks that are kept", () => {
  it("are all that say something else, and once what was sent again", async () => {
    const { ctx, sent } = contextWithQueues();
    const { VIP_RESELLER_API_ID: id, VIP_RESELLER_API_KEY: key } = ctx.config;
    const headers = new Headers({ "x-client-signature": md5Hex(id + key) });
    const trxid = unique("VPK");
    for (const note of ["", "SN: 1", "SN: 2", "SN: 1"]) {
      await receiveCallback(
        ctx,
        headers,
        JSON.stringify({ data: { trxid, status: "success", note } }),
      );
    }
    await consume(sent);
    expect(await eventsOf("vip-reseller", trxid)).toHaveLength(3);
  });

  it("are each of those that come in one list", async () => {
    const { ctx, sent } = contextWithQueues();
    const { VIP_RESELLER_API_ID: id, VIP_RESELLER_API_KEY: key } = ctx.config;
    const headers = new Headers({ "x-client-signature": md5Hex(id + key) });
    const ids = [unique("VPL"), unique("VPL")];
    const data = ids.map((trxid) => ({ trxid, status: "success", note: "" }));
    expect(await receiveCallback(ctx, headers, JSON.stringify({ data }))).toEqual({
      trxid: ids[0],
    });
    await consume(sent);
    for (const trxid of ids) expect(await eventsOf("vip-reseller", trxid)).toHaveLength(1);
  });

  it("are those that are too large, as far as they were read", async () => {
    const { ctx, sent } = contextWithQueues();
    await keepOverlong(ctx, "x".repeat(262_145));
    await consume(sent);
    expect(await refusedOf(sent)).toMatchObject({ count: 1, texts: [{ verdict: "unreadable" }] });
  });

  it("are all that were refused, however many come at once, in few messages", async () => {
    const { ctx, sent } = contextWithQueues();
    const bodies = Array.from({ length: 150 }, (_, n) => forged(`RAHASIA ${n}`));
    const take = (body: string) => codeOf(receiveCallback(ctx, new Headers(), body));
    const codes = await Promise.all([...bodies, ...bodies, "?"].map(take));
    expect(codes.filter((code) => code === "unauthenticated")).toHaveLength(300);
    expect(codes.at(-1)).toBe("invalid_input");
    expect(sent.length).toBeLessThan(5);
    await consume(sent);
    const { bodies: stored, count, dropped, texts } = await refusedOf(sent);
    expect([count, dropped]).toEqual([301, 0]);
    expect(stored).not.toContain("RAHASIA");
    const times = Object.fromEntries(texts.map((one) => [one.text, one.times]));
    expect(times).toEqual({ ...Object.fromEntries(bodies.map((body) => [body, 2])), "?": 1 });
    expect(texts.find(({ text }) => text === "?")).toMatchObject({ verdict: "unreadable" });
  });

  it("are of a flood those that there is room for; the others are told so, and counted", async () => {
    const { ctx, sent } = contextWithQueues();
    const refused = new RefusedCallbacks();
    const flood = Array.from({ length: 200 }, (_, n) => forged(`${n} ${"x".repeat(1_500)}`));
    const fates = await Promise.all(flood.map((body) => codeOf(refused.keep(ctx, "forged", body))));
    await consume(sent);
    const { count, dropped } = await refusedOf(sent);
    expect(count).toBeGreaterThan(30);
    expect(fates.filter((fate) => fate === undefined)).toHaveLength(count);
    expect(fates.filter((fate) => fate === "rate_limited")).toHaveLength(dropped);
    expect(count + dropped).toBe(flood.length);
    for (const { body } of sent) expect(JSON.stringify(body).length).toBeLessThan(128_000);
  });

  it("are sent once in a while when very many were refused in a minute", async () => {
    const { ctx, sent } = contextWithQueues();
    const refused = new RefusedCallbacks({ gatherMs: 0, busyMs: 300 });
    for (let n = 0; n < 60; n += 1) await refused.keep(ctx, "forged", forged(unique()));
    expect(sent).toHaveLength(60);
    const first = refused.keep(ctx, "forged", forged(unique()));
    await testContext().db.run(rows(sql`select 1`, z.unknown()));
    await Promise.all([first, refused.keep(ctx, "forged", forged(unique()))]);
    expect(sent).toHaveLength(61);
  });

  it("are not told to be refused before they are kept", async () => {
    const { ctx } = contextWithQueues();
    ctx.queues.webhooks.send = () => Promise.reject(new Error("queue is out"));
    const take = () => codeOf(receiveCallback(ctx, new Headers(), forged(unique())));
    expect(await Promise.all([take(), take()])).toEqual(["unavailable", "unavailable"]);
  });
});

describe("refused callbacks that take too much room", () => {
  it("are forgotten, the oldest first, and counted once from many connections", async () => {
    const { ctx } = contextWithQueues();
    const provider = unique("p");
    const fill = sql`insert into inbox_events (provider, event_key, body, state, received_at)
      select ${provider}, n::text, json_build_object('count', n, 'original', repeat('x', 1000))::text, 'applied', now()
      from generate_series(1, 20) n`;
    await ctx.db.run(rows(fill, z.unknown()));
    const shape = z.object({ forgotten: z.number() });
    const input = { provider, most_bytes: 5 * 1_400 };
    const trims = Array.from({ length: 8 }, () =>
      testContext().db.run(call("topup_callbacks_trim", input, shape)),
    );
    const told = (await Promise.all(trims)).reduce((sum, { forgotten }) => sum + forgotten, 0);
    const left = await ctx.db.run(
      rows(
        sql`select event_key, (body::jsonb->>'count')::int as count from inbox_events where provider = ${provider}`,
        z.object({ event_key: z.string(), count: z.number() }),
      ),
    );
    const counts = left.map(({ count }) => count);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe((20 * 21) / 2);
    const kept = left.filter(({ event_key: key }) => !key.startsWith("forgotten/"));
    expect(kept.map(({ count }) => count).sort((a, b) => a - b)).toEqual([16, 17, 18, 19, 20]);
    expect(told).toBe((15 * 16) / 2);
    expect(left).toHaveLength(6);
  });
});
