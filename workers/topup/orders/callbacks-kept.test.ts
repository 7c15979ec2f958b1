import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { fromBase64, gunzip, sha256Hex, unseal, utf8 } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import type { AppError } from "../../../shared/http/errors.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { received } from "../testing/callbacks.ts";
import { consume, eventsOf, refusedOf, signed } from "../testing/kept-callbacks.ts";
import { receiveCallback } from "./callbacks.ts";
import { RefusedCallbacks } from "./refused-callbacks.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const Original = z.object({ original: z.string().nullable() });

/** What it was refused with, or undefined. */
const codeOf = (taken: Promise<unknown>): Promise<unknown> =>
  taken.then(
    () => undefined,
    ({ code }: AppError) => code,
  );

const forged = (note: string) =>
  JSON.stringify({ data: { trxid: "VPZ3", status: "success", note } });

describe("callbacks that are kept", () => {
  it("are all that were sent, also what was sent again, and each once", async () => {
    const { ctx, sent } = contextWithQueues();
    const headers = signed(ctx);
    const trxid = unique("VPK");
    for (const note of ["", "SN: 1", "SN: 2", "SN: 1"]) {
      await receiveCallback(
        ctx,
        headers,
        received(JSON.stringify({ data: { trxid, status: "success", note } })),
      );
    }
    await consume(sent);
    expect(await eventsOf("vip-reseller", trxid)).toHaveLength(4);
  });

  it("are each of those that come in one list", async () => {
    const { ctx, sent } = contextWithQueues();
    const headers = signed(ctx);
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
    const headers = signed(ctx);
    const trxid = unique("VPW");
    const data = Array.from({ length: 40 }, (_, n) => ({
      trxid,
      status: `s${n}`,
      note: "x".repeat(650),
    }));
    const list = received(JSON.stringify({ data }));
    expect(list.length).toBeGreaterThan(24_000);
    await receiveCallback(ctx, headers, list);
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
    expect(fromBase64(opened ?? "")).toEqual(list.bytes);
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
    const headers = signed(ctx);
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
    const { count, entries } = await refusedOf(sent);
    expect(count).toBe(2);
    const facts = { length: 40_000, sha256: await sha256Hex(bytes) };
    expect(entries).toEqual([
      {
        ...{ verdict: "unreadable", form: null, from: "unknown", times: 2, ...facts },
        ...{ at: expect.any(String), lastAt: expect.any(String), body: bytes.slice(0, 2_000) },
      },
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
    const { rows: stored, count, entries } = await refusedOf(sent);
    expect(count).toBe(301);
    expect(JSON.stringify(sent) + stored).not.toContain("RAHASIA");
    const times = Object.fromEntries(entries.map((one) => [textOf(one.body), one.times]));
    expect(times).toEqual({ ...Object.fromEntries(bodies.map((body) => [body, 2])), "?": 1 });
    const odd = entries.find(({ body }) => textOf(body) === "?");
    expect(odd).toMatchObject({ verdict: "unreadable" });
  });

  const keep = (refused: RefusedCallbacks, ctx: Ctx, body: string, from = "203.0.113.7") =>
    codeOf(
      refused.keep(ctx, {
        ...{ verdict: "forged", form: "provider", from, isSigned: false },
        ...received(body),
      }),
    );
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
    const { count, entries } = await refusedOf(sent);
    expect(count).toBe(flood.length);
    expect(entries.map(({ body }) => textOf(body)).sort()).toEqual(flood.sort());
  });

  it("are all of a flood without end, beyond what a minute takes by their facts and beginning", async () => {
    const { ctx, sent } = contextWithQueues();
    let now = new Date("2030-01-01T00:00:30Z");
    const at = { ...ctx, now: () => now };
    const refused = new RefusedCallbacks({ wholeBytesAMinute: 20_000, busyMs: 20 });
    const flood = floodOf(1_000);
    const fates = await Promise.all(
      flood.map((body, n) => keep(refused, at, body, `203.0.113.${n % 8}`)),
    );
    expect(new Set(fates)).toEqual(new Set([undefined]));
    expect(sent.length).toBeLessThan(12);
    for (const { body } of sent) expect(JSON.stringify(body).length).toBeLessThan(128_000);
    now = new Date("2030-01-01T00:01:00Z");
    const later = forged(`later ${"x".repeat(300)}`);
    expect(await keep(refused, at, later)).toBeUndefined();
    await consume(sent);
    const { rows: stored, count, entries } = await refusedOf(sent);
    expect(count).toBe(1_001);
    // The database holds what tells of them, not the flood.
    expect(stored.join().length).toBeLessThan(sent.length * 1_000);
    const digests = await Promise.all([...flood, later].map(sha256Hex));
    expect(entries.map(({ sha256 }) => sha256).sort()).toEqual(digests.sort());
    const whole = entries.filter(({ body, length }) => body.length === length);
    expect(whole.map(({ body }) => textOf(body))).toContain(later);
    const cut = entries.filter(({ body, length }) => body.length < length);
    expect(cut.length).toBeGreaterThan(950);
    for (const one of cut) {
      expect(one).toMatchObject({ verdict: "forged", form: "provider", times: 1 });
      expect(flood.some((body) => body.startsWith(textOf(one.body)))).toBe(true);
      expect(one.body).toHaveLength(200);
    }
    const from = JSON.parse(stored.find((row) => row.includes('"sources":8')) ?? "{}");
    expect(from).toMatchObject({ sources: 8, firstAt: "2030-01-01T00:00:30.000Z" });
    expect(from.from).toHaveLength(5);
  });

  it("hold up and shorten no signed one, whatever flood of others is on", async () => {
    const { ctx, sent } = contextWithQueues();
    const headers = signed(ctx);
    const flood = floodOf(300).map((body) =>
      codeOf(receiveCallback(ctx, new Headers(), received(body))),
    );
    const trxid = unique("VPS");
    const body = received(JSON.stringify({ data: { trxid, status: "success", note: "SN" } }));
    expect(await receiveCallback(ctx, headers, body)).toEqual({ trxid });
    // It is on the queue before the first message of the flood.
    const [first] = sent;
    expect(JSON.stringify(first)).toContain(trxid);
    expect(new Set(await Promise.all(flood))).toEqual(new Set(["unauthenticated"]));
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
    ctx.queues["topup-callbacks"].send = () => Promise.reject(new Error("queue is out"));
    const take = () => codeOf(receiveCallback(ctx, new Headers(), received(forged(unique()))));
    expect(await Promise.all([take(), take()])).toEqual(["unavailable", "unavailable"]);
  });
});

const Packing = z.object({ original: z.string(), packing: z.string() });

describe("a signed callback that is long", () => {
  it("is taken and kept to the last byte", async () => {
    const { ctx, sent } = contextWithQueues();
    const trxid = unique("VPH");
    const note = Array.from({ length: 2_000 }, () => crypto.randomUUID()).join(" ");
    const body = received(JSON.stringify({ data: { trxid, status: "success", note } }));
    expect(body.length).toBeGreaterThan(70_000);
    expect(await receiveCallback(ctx, signed(ctx), body)).toEqual({ trxid });
    for (const { body: message } of sent) {
      expect(JSON.stringify(message).length).toBeLessThan(128_000);
    }
    await consume(sent);
    const [kept] = (await eventsOf("vip-reseller", trxid)).map((row) =>
      Packing.parse(JSON.parse(row.body)),
    );
    const opened = await unseal(ctx.config, "topup-callback", kept?.original ?? "");
    expect(await gunzip(fromBase64(opened ?? "") ?? utf8(""))).toEqual(body.bytes);
  });
});
