import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { consumeJobs, runJob } from "../../../shared/jobs/jobs.ts";
import { age, readJob } from "../../../shared/jobs/test-jobs.ts";
import { deliver } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { addEndpoint, delivered, deliveriesOf, execute, order } from "../testing/deliveries.ts";
import { createReseller } from "../testing/reseller.ts";
import { deliverWebhook } from "./deliver.ts";

const URL_OF = (name: string) => `http://127.0.0.1:9/${name}`;

const run = async (endpointId: string, nth: number, handler = deliverWebhook()) => {
  const job = (await deliveriesOf(endpointId))[nth]?.job ?? "";
  return [await runJob(testContext(), job, [handler]), await readJob(testContext(), job)] as const;
};

/** This receiver took so long the last time, and has had its rest. */
const wasSlow = (id: string, tookMs = 15_000) =>
  execute(
    sql`update topup_webhook_endpoints set took_ms = ${tookMs}, rests_until = null, holds_until = null where id = ${id}`,
  );

const Rest = z.object({ seconds: z.number().nullable() });
const restOf = async (tookMs: number, failing: string | null) => {
  const [found] = await testContext().db.run(
    rows(
      sql`select extract(epoch from topup_delivery_rest(${tookMs}::int, now() - ${failing}::interval))::float8 as seconds`,
      Rest,
    ),
  );
  return found?.seconds;
};

describe("a receiver that lets us wait", () => {
  it("leaves the queue to others for four times as long, with all of its owner's that are not known as quick", async () => {
    const reseller = await createReseller();
    const add = (name: string) => addEndpoint(reseller.user, { url: URL_OF(name) });
    const [late, beside, quick] = [await add("late"), await add("beside"), await add("quick")];
    await order(reseller, "_succeed");
    const other = await delivered({ events: ["order.success"] });

    const got: string[] = [];
    const send = async (url: string) => {
      got.push(url.replace(/.*\//, ""));
      if (url.endsWith("late")) await new Promise((resolve) => setTimeout(resolve, 2_100));
      return new Response(null, { status: 200 });
    };
    expect((await run(quick.id, 0, deliverWebhook(send)))[0]).toBe("success");
    expect((await run(late.id, 0, deliverWebhook(send)))[0]).toBe("success");
    // Each in an isolate of its own, which knows nothing of the others.
    const [state, waiting] = await run(late.id, 1, deliverWebhook(send));
    expect(state).toBe("queued");
    expect(waiting.wait_seconds).toBeGreaterThan(6);
    expect(waiting.wait_seconds).toBeLessThan(18);
    // Nothing was tried.
    expect(waiting).toMatchObject({ attempts: 0, state: "queued" });
    expect((await run(beside.id, 0, deliverWebhook(send)))[0]).toBe("queued");
    expect((await run(quick.id, 1, deliverWebhook(send)))[0]).toBe("success");
    expect((await run(other.endpoint.id, 0, deliverWebhook(send)))[0]).toBe("success");
    expect(got).toEqual(["quick", "late", "quick", "hook"]);
  });

  it("holds one place of all that deliver, though its owner has many such and each has a backlog", async () => {
    const owners = 3;
    const jobs: string[] = [];
    for (let n = 0; n < owners; n += 1) {
      const reseller = await createReseller();
      const added = ["a", "b"].map((name) =>
        addEndpoint(reseller.user, { url: URL_OF(`${n}-${name}`) }),
      );
      const endpoints = await Promise.all(added);
      await order(reseller, "_succeed");
      for (const { id } of endpoints) {
        await wasSlow(id);
        jobs.push(...(await deliveriesOf(id)).map(({ job }) => job));
      }
    }
    const other = await delivered();
    await wasSlow(other.endpoint.id, 100);
    const healthy = other.deliveries.map(({ job }) => job);
    const { promise: silence, resolve: letGo } = Promise.withResolvers<void>();
    const [held, got]: string[][] = [[], []];
    const handler = deliverWebhook(async (url) => {
      if (url.endsWith("hook")) got?.push(url);
      else {
        held?.push(url.replace(/.*\/|-.*/g, ""));
        await silence;
      }
      return new Response(null, { status: 200 });
    });
    const bodies = [...jobs, ...healthy].map((id) => ({ v: 1, type: "job", id }));
    const { batch, fates } = deliver("topup-deliveries", bodies);
    const consumed = consumeJobs(testContext(), batch, [handler]);
    const done = () => fates.filter((fate) => fate === "acked").length;
    await expect.poll(done).toBe(bodies.length - owners);
    expect(got).toHaveLength(healthy.length);
    expect(held?.sort()).toEqual(["0", "1", "2"]);
    letGo();
    await consumed;
    expect(jobs).toHaveLength(4 * owners);
  });

  it("that fails for hours rests for long, and his others and a new one are called meanwhile, in its hold's breaks", async () => {
    const reseller = await createReseller();
    const dead = await addEndpoint(reseller.user, { url: URL_OF("dead") });
    const late = await addEndpoint(reseller.user, { url: URL_OF("late") });
    const fresh = await addEndpoint(reseller.user, { url: URL_OF("fresh") });
    await order(reseller, "_succeed");
    await wasSlow(late.id);
    await execute(sql`update topup_webhook_endpoints set took_ms = 15000, failing_since = now() - interval '5 hours',
      holds_until = now() - interval '1 second', rests_until = now() + interval '25 minutes' where id = ${dead.id}`);
    const handler = deliverWebhook(async () => new Response(null, { status: 200 }));
    const [state, waiting] = await run(dead.id, 0, handler);
    expect(state).toBe("queued");
    expect(waiting.wait_seconds).toBeGreaterThan(20 * 60);
    expect((await run(fresh.id, 0, handler))[0]).toBe("success");
    expect((await run(late.id, 0, handler))[0]).toBe("success");
    // Its log tells when it is tried next, and nobody has it tried anew before.
    const [resting] = await deliveriesOf(dead.id);
    const again = () =>
      testContext().db.run(
        call(
          "topup_delivery_again",
          { id: resting?.id, user_id: reseller.user.userId },
          z.unknown(),
        ),
      );
    await execute(
      sql`update topup_deliveries set next_at = now() - interval '2 hours' where id = ${resting?.id}`,
    );
    await age(testContext(), resting?.job ?? "");
    expect((await run(dead.id, 0, handler))[0]).toBe("queued");
    await expect(again()).rejects.toMatchObject({ code: "in_progress" });
  });

  it("is tried again after its rest, and is like any other once it has answered quickly", async () => {
    const { endpoint, deliveries } = await delivered();
    await wasSlow(endpoint.id);
    const handler = deliverWebhook(async () => new Response(null, { status: 200 }));
    for (const nth of deliveries.keys()) {
      expect((await run(endpoint.id, nth, handler))[0]).toBe("success");
    }
  });

  it("that dies under an attempt does not rest for ever", async () => {
    const { endpoint, deliveries } = await delivered();
    await wasSlow(endpoint.id);
    const dead = await testContext().db.run(
      rows(
        sql`select topup_delivery_begin(jsonb_build_object('id', ${deliveries[0]?.id}::text))->>'rest_ms' as rest`,
        z.object({ rest: z.string() }),
      ),
    );
    expect(dead).toEqual([{ rest: "0" }]);
    const handler = deliverWebhook(async () => new Response(null, { status: 200 }));
    const [state, waiting] = await run(endpoint.id, 1, handler);
    expect(state).toBe("queued");
    expect(waiting.wait_seconds).toBeLessThanOrEqual(40);
    await execute(sql`update topup_webhook_endpoints set holds_until = holds_until - interval '20 seconds'
      where id = ${endpoint.id}`);
    await age(testContext(), deliveries[1]?.job ?? "");
    expect((await run(endpoint.id, 1, handler))[0]).toBe("success");
  });

  it("rests longer the longer it has been failing, and half an hour at most", async () => {
    expect(await restOf(1_999, "3 days")).toBeNull();
    expect(await restOf(15_000, null)).toBe(60);
    expect(await restOf(15_000, "5 minutes")).toBe(60);
    expect(await restOf(15_000, "1 hour")).toBe(360);
    expect(await restOf(15_000, "2 days")).toBe(1_800);
  });
});

/** Begins these one after another, at receivers that hang; whose were called, and what became of the others. */
async function hang(jobs: string[]) {
  const { promise: silence, resolve: letGo } = Promise.withResolvers<void>();
  const called: string[] = [];
  const handler = deliverWebhook(async (url) => {
    called.push(url.replace(/.*\//, ""));
    await silence;
    return new Response(null, { status: 200 });
  });
  const running: Promise<string>[] = [];
  const put: string[] = [];
  for (const job of jobs) {
    const ran = runJob(testContext(), job, [handler]);
    running.push(ran);
    void ran.then((state) => put.push(state));
    await expect.poll(() => called.length + put.length).toBe(running.length);
  }
  return {
    called: [...called],
    put: [...put],
    end: async () => {
      letGo();
      await Promise.all(running);
    },
  };
}

describe("the places of one owner", () => {
  const burst = async (names: string[], orders: number) => {
    const reseller = await createReseller();
    const endpoints = [];
    for (const name of names)
      endpoints.push(await addEndpoint(reseller.user, { url: URL_OF(name) }));
    for (let n = 0; n < orders; n += 1) await order(reseller, "_succeed");
    const all = (await Promise.all(endpoints.map(({ id }) => deliveriesOf(id)))).flat();
    all.sort((one, two) => (one.id < two.id ? -1 : 1));
    return { endpoints, jobs: all.map(({ job }) => job) };
  };

  it("are one at a receiver that is new, until that has answered", async () => {
    const { endpoints, jobs } = await burst(["new"], 6);
    const { called, put, end } = await hang(jobs);
    expect(jobs).toHaveLength(12);
    expect([called, new Set(put), put.length]).toEqual([["new"], new Set(["queued"]), 11]);
    const waiting = await readJob(testContext(), jobs[1] ?? "");
    expect(waiting).toMatchObject({ attempts: 0, state: "queued" });
    expect(waiting.wait_seconds).toBeLessThan(2.5);
    await end();
    expect(await deliveriesOf(endpoints[0]?.id ?? "")).toContainEqual(
      expect.objectContaining({ state: "delivered" }),
    );
    await execute(sql`update jobs set run_at = now() where id = ${jobs[1]}`);
    const quick = deliverWebhook(async () => new Response(null, { status: 200 }));
    expect(await runJob(testContext(), jobs[1] ?? "", [quick])).toBe("success");
  });

  it("are five, though his receivers were quick", async () => {
    const { endpoints, jobs } = await burst(["a", "b"], 4);
    for (const { id } of endpoints) await wasSlow(id, 1_900);
    const other = await delivered();
    const mine = await hang(jobs.slice(1));
    expect([jobs.length, mine.called.length]).toEqual([16, 5]);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const older = await hang(jobs.slice(0, 1));
    expect(older).toMatchObject({ called: [], put: ["queued"] });
    const another = await hang([other.deliveries[0]?.job ?? ""]);
    expect(another.called).toEqual(["hook"]);
    await Promise.all([mine.end(), another.end()]);
  });
});
