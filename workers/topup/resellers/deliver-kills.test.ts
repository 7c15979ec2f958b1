import { expect, it } from "vitest";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { age } from "../../../shared/jobs/test-jobs.ts";
import { testContext } from "../../testing/api.ts";
import { bench, dieAtEveryCall } from "../testing/bench.ts";
import { delivered, deliveriesOf, log } from "../testing/deliveries.ts";
import { deliverWebhook } from "./deliver.ts";

it.each([
  [200, "delivered"],
  [500, "pending"],
] as const)(
  "a delivery (%d) whose sender is killed at whichever call is sent again under its id, and ends once",
  async (status, state) => {
    const calls = await dieAtEveryCall(async (death) => {
      const { reseller, endpoint, deliveries } = await delivered({ events: ["order.success"] });
      const job = deliveries[0]?.job ?? "";
      const ids: (string | null)[] = [];
      const handler = deliverWebhook(async (_url, init) => {
        ids.push(new Headers(init.headers).get("webhook-id"));
        return new Response(null, { status });
      });
      const dying = bench({ ...death });
      await Promise.race([runJob(dying.ctx, job, [handler]), dying.killed]);
      await dying.settle();
      await age(testContext(), job);
      expect(await runJob(testContext(), job, [handler])).toMatch(/success|queued|skipped/);
      expect(new Set(ids).size).toBe(1);
      expect(ids.length).toBeLessThanOrEqual(2);
      const [{ attempts } = { attempts: [] }] = (await log(reseller.user, endpoint.id)).deliveries;
      expect([attempts.length > 0, attempts.length <= ids.length]).toEqual([true, true]);
      expect(await deliveriesOf(endpoint.id)).toMatchObject([{ state }]);
      return dying.steps() > death.killAt;
    });
    expect(calls).toBeGreaterThanOrEqual(4);
  },
);
