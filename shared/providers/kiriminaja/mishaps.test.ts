import { afterEach, describe, expect, test } from "vitest";
import { failureOf, MISHAPS } from "../testing/failures.ts";
import { FakeNetwork } from "../testing/fake-network.ts";
import { fakeKiriminAja, KEY, type PATHS, pickup, replyTo } from "../testing/kiriminaja.ts";

const network = new FakeNetwork();
const client = () => fakeKiriminAja(network);

afterEach(() => {
  network.verify();
});

describe("every call", () => {
  const calls: [string, keyof typeof PATHS, boolean, () => Promise<unknown>][] = [
    ["searchAreas", "areas", true, () => client().searchAreas("Blitar")],
    [
      "getRates",
      "rates",
      true,
      () =>
        client().getRates({
          originAreaId: "1",
          destinationAreaId: "2",
          weightGram: 1,
          itemValueIdr: 1,
        }),
    ],
    ["track", "tracking", true, () => client().track("LB1001")],
    ["getPayment", "payment", true, () => client().getPayment("EPR-1")],
    ["requestPickup", "pickup", false, () => client().requestPickup(pickup)],
    ["cancel", "cancel", false, () => client().cancel("AWB-1", "Data paket salah")],
  ];

  describe.each(calls)("%s", (_, path, idempotent, call) => {
    test.each(MISHAPS)("reports $name as $kind, $outcome", async (mishap) => {
      const { kind, outcome, retryable } = mishap;
      const repeated = idempotent && retryable && kind !== "timeout" && kind !== "rate_limited";
      for (let attempt = 0; attempt < (repeated ? 3 : 1); attempt += 1)
        replyTo(network, path, mishap.reply);
      const error = await failureOf(call());
      expect(error).toMatchObject({ provider: "kiriminaja", kind, outcome, retryable });
      expect(error.message).not.toContain(KEY);
    });
  });
});
