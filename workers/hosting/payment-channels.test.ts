import { afterEach, describe, expect, test } from "vitest";
import { answer, FakeNetwork } from "../../shared/providers/testing/fake-network.ts";
import { BASE, fakeIpaymu, ok } from "../../shared/providers/testing/ipaymu.ts";
import { testContext } from "../testing/api.ts";
import { listPaymentChannels } from "./payment-channels.ts";

const network = new FakeNetwork();
afterEach(() => {
  network.verify();
});

const channel = (Code: string, changes: Record<string, unknown> = {}) => ({
  Code,
  Name: Code.toUpperCase(),
  Description: `Bayar dengan ${Code}`,
  Logo: `https://example.com/${Code}.png`,
  FeatureStatus: "active",
  HealthStatus: "online",
  TransactionFee: { ActualFee: 0.7, ActualFeeType: "PERCENT", AdditionalFee: 0 },
  ...changes,
});

const lists = (...groups: [string, ReturnType<typeof channel>[]?][]) =>
  network.on(
    "GET",
    `${BASE}/payment-channels`,
    answer(200, ok(groups.map(([Code, Channels]) => ({ Code, Channels })))),
  );

const fails = () => {
  for (let n = 0; n < 3; n += 1) {
    network.on("GET", `${BASE}/payment-channels`, answer(503, "busy"));
  }
};

/** A client of its own, whose list nobody has asked for yet, at a time that the test moves. */
function visitor() {
  const ctx = testContext();
  const ipaymu = fakeIpaymu(network);
  const begin = Date.now();
  return (minutes = 0) =>
    listPaymentChannels({
      ...ctx,
      providers: { ...ctx.providers, ipaymu },
      now: () => new Date(begin + minutes * 60_000),
    });
}

describe("the ways to pay", () => {
  test("are shown as the order page reads them", async () => {
    const cash = channel("alfamart", { FeatureStatus: "inactive", TransactionFee: null });
    lists(["qris", [channel("mpm")]], ["cstore", [cash]], ["va", [channel("bca")]], ["cod"]);
    const [qris, store, bank, ...rest] = await visitor()();
    expect(qris).toEqual({
      id: "mpm",
      name: "MPM",
      channel: "mpm",
      description: "Bayar dengan mpm",
      enabled: true,
      logo: "https://example.com/mpm.png",
      category: "qris",
      fee: { ActualFee: 0.7, ActualFeeType: "PERCENT", AdditionalFee: 0 },
    });
    expect(store).toMatchObject({ category: "retail", enabled: false, fee: null });
    expect(bank).toMatchObject({ category: "bank" });
    expect(rest).toEqual([]);
  });

  test("are asked for once in ten minutes", async () => {
    const visit = visitor();
    lists(["va", [channel("bca")]]);
    await visit();
    expect(await visit(9)).toHaveLength(1);
    lists(["va", [channel("bca"), channel("bni")]]);
    expect(await visit(11)).toHaveLength(2);
  });

  test("stand as they were while the provider is away", async () => {
    const visit = visitor();
    lists(["va", [channel("bca")]]);
    await visit();
    fails();
    expect(await visit(11)).toHaveLength(1);
    expect(await visit(11.5)).toHaveLength(1);
    lists(["va", [channel("bca"), channel("bni")]]);
    expect(await visit(13)).toHaveLength(2);
  });

  test("that were never loaded are unavailable, not empty", async () => {
    fails();
    await expect(visitor()()).rejects.toMatchObject({ code: "provider_unavailable" });
  });
});
