import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { md5Hex } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { consumeNotices } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import {
  callbackApplier,
  RefusedCallbacks,
  receiveCallback,
  refusedCallbackApplier,
} from "./callbacks.ts";

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

/** A minute that no other test writes to. */
const aMinute = () => {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return new Date(Date.UTC(2031, 0, 1) + (random % 500_000) * 60_000).toISOString().slice(0, 16);
};

const forged = JSON.stringify({ data: { trxid: "VPZ3", status: "success", note: "RAHASIA" } });
const verdictOf = (text: string) =>
  z.object({ verdict: z.string(), dropped: z.number().optional() }).parse(JSON.parse(text));

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

  it("are so many a minute of those that were refused, and how many more there were", async () => {
    const minute = aMinute();
    const { ctx, sent } = contextWithQueues();
    const then = { ...ctx, now: () => new Date(`${minute}:10.000Z`) };
    for (let n = 0; n < 100; n += 1) {
      await expect(receiveCallback(then, new Headers(), forged)).rejects.toMatchObject({
        code: "unauthenticated",
      });
    }
    // Twenty, and of the eighty others a note at the first, second, fourth, … sixty-fourth.
    expect(sent).toHaveLength(27);
    await consume(sent);
    const kept = await eventsOf("vip-reseller-refused", minute);
    expect(kept.map(({ body }) => body).join()).not.toContain("RAHASIA");
    const verdicts = kept.map(({ body }) => verdictOf(body));
    expect(verdicts.filter(({ verdict }) => verdict === "forged")).toHaveLength(20);
    expect(verdicts.filter(({ verdict }) => verdict === "dropped")).toEqual([
      { verdict: "dropped", dropped: 64 },
    ]);
  });

  it("of two isolates do not take each other's places", async () => {
    const minute = aMinute();
    const { ctx, sent } = contextWithQueues();
    const then = { ...ctx, now: () => new Date(`${minute}:10.000Z`) };
    for (const isolate of [new RefusedCallbacks(), new RefusedCallbacks()]) {
      await isolate.keep(then, "forged", forged);
    }
    await consume(sent);
    expect(await eventsOf("vip-reseller-refused", minute)).toHaveLength(2);
  });
});
