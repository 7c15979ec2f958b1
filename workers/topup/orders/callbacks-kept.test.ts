import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { fromBase64, md5Hex, sha256Hex, unseal, utf8 } from "../../../shared/crypto/index.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import type { AppError } from "../../../shared/http/errors.ts";
import { consumeNotices } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { received } from "../testing/callbacks.ts";
import { callbackApplier, receiveCallback } from "./callbacks.ts";
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
const Entry = z.object({
  verdict: z.string(),
  body: z.string().transform((text) => fromBase64(text) ?? utf8("?")),
  times: z.number(),
  tooLong: z.object({ length: z.number(), sha256: z.string() }).optional(),
});
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

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
    return z.array(Entry).parse(JSON.parse(text ?? ""));
  });
  return {
    bodies: found.map(({ body }) => body).join(),
    count: kept.reduce((sum, { count }) => sum + count, 0),
    dropped: kept.reduce((sum, { dropped }) => sum + dropped, 0),
    entries: (await Promise.all(opened)).flat(),
  };
}

const Original = z.object({ original: z.string().nullable() });
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
        received(JSON.stringify({ data: { trxid, status: "success", note } })),
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
    const body = received(JSON.stringify({ data }));
    expect(await receiveCallback(ctx, headers, body)).toEqual({
      trxid: ids[0],
    });
    await consume(sent);
    for (const trxid of ids) expect(await eventsOf("vip-reseller", trxid)).toHaveLength(1);
  });

  it("are whole and byte for byte, whatever the bytes are", async () => {
    const { ctx, sent } = contextWithQueues();
    const { VIP_RESELLER_API_ID: id, VIP_RESELLER_API_KEY: key } = ctx.config;
    const headers = new Headers({ "x-client-signature": md5Hex(id + key) });
    const trxid = unique("VPW");
    const data = Array.from({ length: 40 }, (_, n) => ({
      trxid,
      status: `s${n}`,
      note: "x".repeat(650),
    }));
    const signed = received(JSON.stringify({ data }));
    expect(signed.length).toBeGreaterThan(24_000);
    await receiveCallback(ctx, headers, signed);
    const nasty = crypto.getRandomValues(new Uint8Array(32 * 1024));
    const zeros = new Uint8Array(32 * 1024);
    const odd = [nasty, zeros, utf8("\u{feff}{}")];
    for (const bytes of odd) {
      const taken = receiveCallback(ctx, headers, { bytes, length: bytes.length });
      expect(await codeOf(taken)).toBe("invalid_input");
    }
    for (const { body } of sent) expect(JSON.stringify(body).length).toBeLessThan(128_000);
    await consume(sent);
    const kept = await eventsOf("vip-reseller", trxid);
    expect(kept).toHaveLength(40);
    const originals = kept.flatMap(({ body }) => Original.parse(JSON.parse(body)).original ?? []);
    expect(originals).toHaveLength(1);
    const opened = await unseal(ctx.config, "topup-callback", originals[0] ?? "");
    expect(fromBase64(opened ?? "")).toEqual(signed.bytes);
    const { entries } = await refusedOf(sent.slice(40));
    expect(entries.map(({ body }) => body)).toEqual(expect.arrayContaining(odd));
  });

  it.each([
    ["of an id that has no text", '{"trx_id":{"toString":1},"status":"success"}'],
    [
      "of an endless id",
      `{"trx_id":${"[".repeat(15_000)}${"]".repeat(15_000)},"status":"success"}`,
    ],
  ])("are those %s", async (_, body) => {
    const { ctx, sent } = contextWithQueues();
    const headers = new Headers({ signature: "0".repeat(32) });
    expect(await codeOf(receiveCallback(ctx, headers, received(body)))).toBe("invalid_input");
    await consume(sent);
    const { entries } = await refusedOf(sent);
    expect(entries.map((entry) => textOf(entry.body))).toEqual([body]);
  });

  it("are whole also of a list that says the same twice", async () => {
    const { ctx, sent } = contextWithQueues();
    const { VIP_RESELLER_API_ID: id, VIP_RESELLER_API_KEY: key } = ctx.config;
    const headers = new Headers({ "x-client-signature": md5Hex(id + key) });
    const trxid = unique("VPT");
    const one = { trxid, status: "success", note: "" };
    await receiveCallback(ctx, headers, received(JSON.stringify({ data: [one, one] })));
    await consume(sent);
    const kept = (await eventsOf("vip-reseller", trxid)).map(({ body }) => JSON.parse(body));
    expect(kept).toMatchObject([{ original: expect.any(String) }]);
  });

  it("are by their length, digest and beginning those that are too long", async () => {
    const { ctx, sent } = contextWithQueues();
    const bytes = crypto.getRandomValues(new Uint8Array(40_000));
    const long = (length: number) => codeOf(receiveCallback(ctx, new Headers(), { bytes, length }));
    const [one, other] = await Promise.all([long(40_000), long(40_000)]);
    expect([one, other]).toEqual(["too_large", "too_large"]);
    await consume(sent);
    const tooLong = { length: 40_000, sha256: await sha256Hex(bytes) };
    const { count, entries } = await refusedOf(sent);
    expect(count).toBe(2);
    expect(entries).toEqual([
      { verdict: "unreadable", times: 2, tooLong, body: bytes.slice(0, 2_000) },
    ]);
  });

  it("are all that were refused, however many come at once, in few messages", async () => {
    const { ctx, sent } = contextWithQueues();
    const bodies = Array.from({ length: 150 }, (_, n) => forged(`RAHASIA ${n}`));
    const take = (body: string) => codeOf(receiveCallback(ctx, new Headers(), received(body)));
    const codes = await Promise.all([...bodies, ...bodies, "?"].map(take));
    expect(codes.filter((code) => code === "unauthenticated")).toHaveLength(300);
    expect(codes.at(-1)).toBe("invalid_input");
    expect(sent.length).toBeLessThan(5);
    await consume(sent);
    const { bodies: stored, count, dropped, entries } = await refusedOf(sent);
    expect([count, dropped]).toEqual([301, 0]);
    expect(stored).not.toContain("RAHASIA");
    const times = Object.fromEntries(entries.map((one) => [textOf(one.body), one.times]));
    expect(times).toEqual({ ...Object.fromEntries(bodies.map((body) => [body, 2])), "?": 1 });
    const odd = entries.find(({ body }) => textOf(body) === "?");
    expect(odd).toMatchObject({ verdict: "unreadable" });
  });

  const keep = (refused: RefusedCallbacks, ctx: Ctx, body: string) =>
    codeOf(refused.keep(ctx, { verdict: "forged", bytes: utf8(body) }));
  const floodOf = (many: number) =>
    Array.from({ length: many }, (_, n) => forged(`${n} ${"x".repeat(1_500)}`));

  it("are all of a flood, spread over as many messages as they need", async () => {
    const { ctx, sent } = contextWithQueues();
    const refused = new RefusedCallbacks();
    const flood = floodOf(400);
    const fates = await Promise.all(flood.map((body) => keep(refused, ctx, body)));
    expect(new Set(fates)).toEqual(new Set([undefined]));
    for (const { body } of sent) expect(JSON.stringify(body).length).toBeLessThan(128_000);
    await consume(sent);
    const { count, dropped, entries } = await refusedOf(sent);
    expect([count, dropped]).toEqual([flood.length, 0]);
    expect(entries.map(({ body }) => textOf(body)).sort()).toEqual(flood.sort());
  });

  it("are of a flood without end what a minute takes; of the others nothing is taken, and they are counted", async () => {
    const { ctx, sent } = contextWithQueues();
    let now = new Date("2030-01-01T00:00:30Z");
    const at = { ...ctx, now: () => now };
    const refused = new RefusedCallbacks({ mostAMinute: 2 });
    const fates = await Promise.all(floodOf(200).map((body) => keep(refused, at, body)));
    const kept = fates.filter((fate) => fate === undefined).length;
    expect(kept).toBeGreaterThan(30);
    expect(fates.filter((fate) => fate === "rate_limited")).toHaveLength(200 - kept);
    now = new Date("2030-01-01T00:01:00Z");
    expect(await keep(refused, at, forged(unique()))).toBeUndefined();
    await consume(sent);
    expect(sent).toHaveLength(3);
    const { count, dropped } = await refusedOf(sent);
    expect([count, dropped]).toEqual([kept + 1, 200 - kept]);
  });

  it("are sent once in a while when very many were refused in a minute", async () => {
    const { ctx, sent } = contextWithQueues();
    const refused = new RefusedCallbacks({ gatherMs: 0, busyMs: 300 });
    for (let n = 0; n < 60; n += 1) await keep(refused, ctx, forged(unique()));
    expect(sent).toHaveLength(60);
    const first = keep(refused, ctx, forged(unique()));
    await testContext().db.run(rows(sql`select 1`, z.unknown()));
    await Promise.all([first, keep(refused, ctx, forged(unique()))]);
    expect(sent).toHaveLength(61);
  });

  it("are not told to be refused before they are kept", async () => {
    const { ctx } = contextWithQueues();
    ctx.queues.webhooks.send = () => Promise.reject(new Error("queue is out"));
    const take = () => codeOf(receiveCallback(ctx, new Headers(), received(forged(unique()))));
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
