import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { resendDueJobs, runJob } from "../../../shared/jobs/jobs.ts";
import { age, readJob } from "../../../shared/jobs/test-jobs.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { deliverAgain } from "../resellers/deliveries.ts";
import { tellOpenEvents } from "../resellers/notify.ts";
import {
  addEndpoint,
  delivered,
  deliveriesOf,
  execute,
  HOOK,
  log,
  order,
  receiver,
  verify,
} from "../testing/deliveries.ts";
import { createReseller } from "../testing/reseller.ts";

describe("an order's events", () => {
  it("are sent signed, as the official library of the standard verifies", async () => {
    const { reseller, endpoint, bought, deliveries } = await delivered();
    expect(deliveries.map(({ type }) => type)).toEqual(["order.processing", "order.success"]);
    const { got, handler } = receiver(204);
    for (const { job } of deliveries)
      expect(await runJob(testContext(), job, [handler])).toBe("success");
    const events = got.map((call) => {
      verify(endpoint.secret, call);
      return JSON.parse(call.body);
    });
    expect(events).toMatchObject([
      { type: "order.processing", data: { status: "PROCESSING", order: bought.number } },
      {
        type: "order.success",
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        data: {
          order: bought.number,
          externalId: bought.trxid,
          status: "SUCCESS",
          service: "1001",
          quantity: 100,
          amount: 2_100,
          refundedAmount: 0,
          remains: 0,
        },
      },
    ]);
    // Where it sends us on to, nobody has judged.
    expect(got[0]).toMatchObject({ url: HOOK, redirect: "manual" });
    const [first] = got;
    expect(() => verify(endpoint.secret, first && { ...first, body: `${first.body} ` })).toThrow();
    const { deliveries: shown } = await log(reseller.user, endpoint.id);
    expect(shown).toMatchObject([
      { type: "order.success", state: "delivered", attempts: [{ status: 204, error: null }] },
      { type: "order.processing", state: "delivered", orderNumber: expect.stringMatching(/^SMO-/) },
    ]);
  });

  it("tell a failure and a partial end, to those who want them", async () => {
    const reseller = await createReseller();
    const some = await addEndpoint(reseller.user, { events: ["order.failed", "order.partial"] });
    const none = await addEndpoint(reseller.user, { events: ["order.refunded"] });
    await order(reseller, "_fail");
    await order(reseller, "_partial");
    expect((await deliveriesOf(some.id)).map(({ type }) => type)).toEqual([
      "order.failed",
      "order.partial",
    ]);
    expect(await deliveriesOf(none.id)).toEqual([]);
    const { got, handler } = receiver(200);
    for (const { job } of await deliveriesOf(some.id)) await runJob(testContext(), job, [handler]);
    expect(got.map(({ body }) => JSON.parse(body).data)).toMatchObject([
      { status: "FAILED", refundedAmount: 2_100 },
      { status: "PARTIAL", refundedAmount: 840, remains: 40 },
    ]);
  });

  it("are one delivery each, however often they are told, and nobody else's", async () => {
    const { endpoint, deliveries } = await delivered();
    const other = await addEndpoint(await createUser());
    const [{ order_id: id } = { order_id: "" }] = await testContext().db.run(
      rows(
        sql`select order_id from topup_deliveries where id = ${deliveries[0]?.id}`,
        z.object({ order_id: z.string() }),
      ),
    );
    await execute(sql`update topup_order_events set handled_at = null where order_id = ${id}`);
    await Promise.all(
      Array.from({ length: 6 }, () => execute(sql`select topup_notify(${id}::uuid)`)),
    );
    await Promise.all(Array.from({ length: 3 }, () => tellOpenEvents(testContext())));
    expect(await deliveriesOf(endpoint.id)).toHaveLength(2);
    expect(await deliveriesOf(other.id)).toEqual([]);
  });

  it("whose telling was lost are told by cron", async () => {
    const { endpoint, deliveries } = await delivered();
    const ids = `{${deliveries.map(({ id }) => id).join(",")}}`;
    await execute(
      sql`with gone as (delete from topup_deliveries where id = any (${ids}::uuid[]) returning event_seq)
        update topup_order_events e set handled_at = null from gone where e.seq = gone.event_seq`,
    );
    await tellOpenEvents(testContext());
    expect((await deliveriesOf(endpoint.id)).map(({ type }) => type)).toEqual([
      "order.processing",
      "order.success",
    ]);
  });
});

describe("a delivery", () => {
  it("that is not accepted comes again under the same id, ten times in about a day, and is then given up", async () => {
    const { reseller, endpoint, deliveries } = await delivered({ events: ["order.success"] });
    const [{ id, job } = { id: "", job: "" }] = deliveries;
    const failures = [
      500,
      302,
      404,
      new DOMException("late", "TimeoutError"),
      new TypeError("no"),
      503,
    ];
    const { got, handler } = receiver(...failures);
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      const state = await runJob(testContext(), job, [handler]);
      expect(state).toBe(attempt < 10 ? "queued" : "success");
      if (attempt < 10) pauses.push(Math.round((await readJob(testContext(), job)).wait_seconds));
      await execute(sql`update jobs set run_at = now() where id = ${job}`);
    }
    const hours = pauses.reduce((sum, pause) => sum + pause, 0) / 3600;
    expect([...pauses].sort((a, b) => a - b)).toEqual(pauses);
    expect(hours).toBeGreaterThan(24);
    expect(hours).toBeLessThan(36);
    expect(new Set(got.map(({ headers }) => headers["webhook-id"]))).toEqual(
      new Set([`msg_${id}`]),
    );
    expect(new Set(got.map(({ body }) => body)).size).toBe(1);
    const { deliveries: shown } = await log(reseller.user, endpoint.id);
    expect(shown).toMatchObject([{ state: "failed", nextAttemptAt: null }]);
    expect(
      shown[0].attempts.map((one: { status: number; error: string }) => one.error ?? one.status),
    ).toEqual([500, 302, 404, "timeout", "unreachable", 503, 503, 503, 503, 503]);
    // Its owner's trouble is not the operator's.
    expect(await readJob(testContext(), job)).toMatchObject({ state: "success" });
  });

  it("whose sender died after sending is sent again under the same id", async () => {
    const { deliveries } = await delivered({ events: ["order.success"] });
    const [{ job } = { job: "" }] = deliveries;
    const { got, handler } = receiver(200);
    const dying = {
      ...handler,
      run: async (...call: Parameters<typeof handler.run>) => {
        const [ctx] = call;
        const run = ctx.db.run.bind(ctx.db);
        let queries = 0;
        ctx.db.run = async (...query) => {
          queries += 1;
          if (queries > 1) throw new Error("died");
          return await run(...query);
        };
        return await handler.run(...call);
      },
    };
    await expect(runJob(testContext(), job, [dying])).rejects.toThrow("died");
    await age(testContext(), job);
    expect(await runJob(testContext(), job, [handler])).toBe("success");
    expect(got).toHaveLength(2);
    expect(got[0]?.headers["webhook-id"]).toBe(got[1]?.headers["webhook-id"]);
    expect(await runJob(testContext(), job, [handler])).toBe("skipped");
  });

  it("whose job fails for good has failed, is found by its state, and can be sent again", async () => {
    const { reseller, endpoint, deliveries } = await delivered();
    const [{ id, job } = { id: "", job: "" }, { job: other } = { job: "" }] = deliveries;
    const { got, handler } = receiver(200);
    const throwing = {
      ...handler,
      run: () => Promise.reject(new Error("no key opens its secret")),
    };
    await execute(sql`update jobs set attempts = max_attempts - 1 where id = ${job}`);
    expect(await runJob(contextWithQueues().ctx, job, [throwing])).toBe("failed");
    expect(await runJob(testContext(), other, [handler])).toBe("success");
    const found = async (query: string) =>
      (await log(reseller.user, endpoint.id, query)).deliveries.map(
        (one: { id: string }) => one.id,
      );
    const { deliveries: failed } = await log(reseller.user, endpoint.id, "?state=failed");
    expect(failed).toMatchObject([
      { id, nextAttemptAt: null, attempts: [{ status: null, error: "internal" }] },
    ]);
    expect(await found("?state=pending")).toEqual([]);
    expect(await found("?type=order.processing")).toEqual([id]);
    expect(await found("?type=order.failed")).toEqual([]);
    expect(await found(`?orderNumber=${failed[0].orderNumber}`)).toHaveLength(2);
    expect(await found("?orderNumber=SMO-0")).toEqual([]);
    const [{ enabled } = { enabled: false }] = (
      await api("/api/reseller/endpoints", { token: reseller.user.token })
    ).body.data;
    expect(enabled).toBe(true);

    await deliverAgain({ ...contextWithQueues().ctx, actor: reseller.user }, id);
    const [{ job: again } = { job: "" }] = await deliveriesOf(endpoint.id);
    // The first round's job has no say in the second.
    await execute(sql`update jobs set state = 'queued' where id = ${job}`);
    await execute(sql`update jobs set state = 'failed' where id = ${job}`);
    expect(await found("?state=pending")).toEqual([id]);
    expect(await runJob(testContext(), again, [handler])).toBe("success");
    expect(got).toHaveLength(2);
    expect(await found("?state=delivered")).toHaveLength(2);
  });

  it("whose sender died in its last attempt has failed", async () => {
    const { reseller, endpoint, deliveries } = await delivered({ events: ["order.success"] });
    const [{ id, job } = { id: "", job: "" }] = deliveries;
    await execute(sql`update jobs set state = 'running', attempts = max_attempts, lease_id = gen_random_uuid(),
      lease_until = now() - interval '10 years', updated_at = now() - interval '1 minute' where id = ${job}`);
    await resendDueJobs(contextWithQueues().ctx);
    const { deliveries: failed } = await log(reseller.user, endpoint.id, "?state=failed");
    expect(failed).toMatchObject([{ id, state: "failed", attempts: [{ error: "internal" }] }]);
  });

  it("arrives whatever the order in which the jobs run, and says by its sequence which is later", async () => {
    const { deliveries } = await delivered();
    const { got, handler } = receiver(200);
    for (const { job } of [...deliveries].reverse()) await runJob(testContext(), job, [handler]);
    const sequences = got.map(({ body }) => JSON.parse(body).data.sequence);
    expect(sequences[0]).toBeGreaterThan(sequences[1]);
  });

  it("is sent again by hand: the same id and words, tried anew; not while it is still tried", async () => {
    const { reseller, endpoint, deliveries } = await delivered({ events: ["order.success"] });
    const [{ id, job } = { id: "", job: "" }] = deliveries;
    const path = `/api/reseller/deliveries/${id}/redeliver`;
    const again = (user: TestUser) => api(path, { method: "POST", token: user.token });
    expect(await again(reseller.user)).toMatchObject({
      status: 409,
      body: failureBody("topup", 409),
    });
    const overdue = sql`update topup_deliveries set next_at = now() - interval '2 hours' where id = ${id}`;
    await testContext().db.run(rows(overdue, z.unknown()));
    await deliverAgain({ ...contextWithQueues().ctx, actor: reseller.user }, id);
    const { got, handler } = receiver(200);
    await runJob(testContext(), job, [handler]);
    const stranger = await createUser();
    expect(await again(stranger)).toMatchObject({ status: 404, body: failureBody("topup", 404) });
    await deliverAgain({ ...contextWithQueues().ctx, actor: reseller.user }, id);
    const [{ job: second } = { job: "" }] = await deliveriesOf(endpoint.id);
    expect(second).not.toBe(job);
    await runJob(testContext(), second, [handler]);
    expect(got[1]?.headers["webhook-id"]).toBe(got[0]?.headers["webhook-id"]);
    expect(got[1]?.body).toBe(got[0]?.body);
    const { deliveries: shown } = await log(reseller.user, endpoint.id);
    expect(shown[0].attempts).toHaveLength(2);
    expect(await again(reseller.user)).toMatchObject({
      status: 200,
      body: { success: true, data: { id } },
    });
  });

  it("goes to no address that this installation does not call (any more)", async () => {
    const { reseller, endpoint, deliveries } = await delivered({ events: ["order.success"] });
    const { got, handler } = receiver(200);
    const ctx = testContext();
    const config = { ...ctx.config, TOPUP_WEBHOOK_PRIVATE: false };
    await runJob({ ...ctx, config }, deliveries[0]?.job ?? "", [handler]);
    expect(got).toEqual([]);
    const { deliveries: shown } = await log(reseller.user, endpoint.id);
    expect(shown[0].attempts).toMatchObject([{ status: null, error: "address refused" }]);
  });
});
