import { describe, expect, it } from "vitest";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { readJob } from "../../../shared/jobs/test-jobs.ts";
import { testContext } from "../../testing/api.ts";
import { addEndpoint, delivered, deliveriesOf, order } from "../testing/deliveries.ts";
import { createReseller } from "../testing/reseller.ts";
import { deliverWebhook } from "./deliver.ts";
import { SlowReceivers } from "./slow-receivers.ts";

const URL_OF = (name: string) => `http://127.0.0.1:9/${name}`;

describe("a receiver that lets us wait", () => {
  it("leaves the queue to others for four times as long, with all of its owner's that are not known as quick", async () => {
    const reseller = await createReseller();
    const add = (name: string) => addEndpoint(reseller.user, { url: URL_OF(name) });
    const [late, beside] = [await add("late"), await add("beside")];
    await order(reseller, "_succeed");
    const other = await delivered({ events: ["order.success"] });

    const got: string[] = [];
    const handler = deliverWebhook(async (url) => {
      got.push(url.replace(/.*\//, ""));
      if (url.endsWith("late")) await new Promise((resolve) => setTimeout(resolve, 2_100));
      return new Response(null, { status: 200 });
    });
    const run = async (endpointId: string, nth: number) => {
      const job = (await deliveriesOf(endpointId))[nth]?.job ?? "";
      return [
        await runJob(testContext(), job, [handler]),
        await readJob(testContext(), job),
      ] as const;
    };
    expect((await run(late.id, 0))[0]).toBe("success");
    const [state, waiting] = await run(late.id, 1);
    expect(state).toBe("queued");
    expect(waiting.wait_seconds).toBeGreaterThan(6);
    expect(waiting.wait_seconds).toBeLessThan(18);
    // Nothing was tried.
    expect(waiting).toMatchObject({ attempts: 0, state: "queued" });
    expect((await run(beside.id, 0))[0]).toBe("queued");
    expect(got).toEqual(["late"]);
    expect((await run(other.endpoint.id, 0))[0]).toBe("success");
    expect(got).toEqual(["late", "hook"]);
  });

  it("is tried again after that, and one of its owner's that answers quickly does not rest with it", () => {
    const slow = new SlowReceivers();
    slow.note(1, "quick", 10, 0);
    slow.note(1, "late", 15_000, 15_000);
    slow.note(1, "quick", 10, 15_010);
    expect(slow.restMs(1, "quick", 20_000)).toBe(0);
    expect(slow.restMs(1, "late", 20_000)).toBeGreaterThanOrEqual(55_000);
    expect(slow.restMs(2, "late", 20_000)).toBe(0);
    expect(slow.restMs(1, "late", 75_000)).toBe(0);
    slow.note(1, "late", 100, 76_000);
    slow.note(1, "other", 15_000, 77_000);
    expect(slow.restMs(1, "late", 78_000)).toBe(0);
  });

  it("is forgotten when a thousand others came after it", () => {
    const slow = new SlowReceivers();
    for (let owner = 0; owner <= 1_000; owner += 1) slow.note(owner, "late", 15_000, 0);
    expect(slow.restMs(0, "late", 1)).toBe(0);
    expect(slow.restMs(1, "late", 1)).toBeGreaterThan(0);
  });
});
