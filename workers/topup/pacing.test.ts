import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../shared/config/config.ts";
import { answer, silent } from "../../shared/providers/testing/fake-network.ts";
import { ok, orderRow } from "../../shared/providers/testing/vip-reseller.ts";
import {
  createVipReseller,
  type Gate,
  type Lane,
  paceOf,
} from "../../shared/providers/vip-reseller.ts";
import { unique } from "../testing/factories.ts";
import { takeTurn } from "./pacing.ts";

/** A gate with a clock of its own. */
function gateAt(intervalMs = 500) {
  const state: { now: number; next: number | undefined } = { now: 1_000_000, next: undefined };
  const options = {
    intervalMs,
    now: () => state.now,
    load: () => state.next,
    save: (next: number) => {
      state.next = next;
    },
  };
  return { state, options, take: (lane: Lane) => takeTurn(options, lane) };
}

describe("turns with the supplier", () => {
  it("are never closer together than the interval, whatever comes when", () => {
    const gate = gateAt();
    const starts: number[] = [];
    let seed = 7;
    for (let round = 0; round < 400; round += 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      gate.state.now += seed % 700;
      const turn = gate.take(seed % 3 === 0 ? "order" : "read");
      if (turn.granted) starts.push(gate.state.now + turn.waitMs);
    }
    const gaps = starts.slice(1).map((start, i) => start - (starts[i] ?? 0));
    expect(starts.length).toBeGreaterThan(100);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500);
  });

  it("leave as much more room as the request may be late", () => {
    const { state, options } = gateAt();
    expect(takeTurn(options, "order", 80)).toEqual({ granted: true, waitMs: 0, spareMs: 80 });
    expect(takeTurn(options, "order", 5_000)).toEqual({
      granted: true,
      waitMs: 580,
      spareMs: 1_000,
    });
    state.now += 2_080;
    expect(takeTurn(options, "read", 50)).toEqual({ granted: true, waitMs: 0, spareMs: 50 });
  });

  it("come at once after a pause", () => {
    const gate = gateAt();
    expect(gate.take("read")).toEqual({ granted: true, waitMs: 0 });
    gate.state.now += 500;
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 0 });
  });

  it("go to orders first: reads do not pile up before them", () => {
    const gate = gateAt();
    const reads = Array.from({ length: 20 }, () => gate.take("read"));
    expect(reads.filter(({ granted }) => granted)).toHaveLength(2);
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 1_000 });
  });

  it("are refused to an order that would wait too long, without a place being lost", () => {
    const gate = gateAt();
    const orders = Array.from({ length: 60 }, () => gate.take("order"));
    const granted = orders.filter((turn) => turn.granted);
    expect(granted).toHaveLength(41);
    expect(orders.at(-1)).toEqual({ granted: false, waitMs: 20_500 });
    gate.state.now += 20_500;
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 0 });
  });

  it("are not held back by a clock that was set back", () => {
    const gate = gateAt();
    gate.take("order");
    gate.state.now -= 86_400_000;
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 500 });
    expect(gate.take("order")).toEqual({ granted: true, waitMs: 1_000 });
  });
});

/** Answers of the fake network look at neither the request nor its signal. */
const NOBODY = [
  { method: "POST", url: "", headers: {}, body: null, redirect: undefined },
  null,
] as const satisfies Parameters<typeof silent>;

describe("the SupplierGate object", () => {
  it("remembers across an eviction which moments it has given away", async () => {
    const stub = env.SUPPLIER_GATE.getByName(unique("gate"));
    await stub.take("order");
    await runInDurableObject(stub, (_, state) => state.storage.kv.put("next", Date.now() + 8_000));
    await evictDurableObject(stub);
    const turn = await stub.take("order");
    expect(turn.granted).toBe(true);
    expect(turn.waitMs).toBeGreaterThan(4_000);
  });

  const INTERVAL_MS = 120;
  type Stub = ReturnType<typeof env.SUPPLIER_GATE.getByName>;
  /** The object's gate with a shorter interval. */
  const quick = (stub: Stub): Gate => ({
    take: (lane, spareMs) =>
      runInDurableObject(stub, (_, { storage: { kv } }) => {
        const load = () => kv.get<number>("next");
        const save = (next: number) => kv.put("next", next);
        return takeTurn({ intervalMs: INTERVAL_MS, now: Date.now, load, save }, lane, spareMs);
      }),
  });

  it("keeps requests apart though the supplier is slow, silent or breaks, and reads are repeated", async () => {
    const gate = quick(env.SUPPLIER_GATE.getByName(unique("gate")));
    const left: number[] = [];
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      return await answer(200, ok(orderRow()))(...NOBODY);
    };
    const says = [silent, slow, answer(502, "<html>"), answer(200, ok(orderRow()))];
    const clients = Array.from({ length: 2 }, () =>
      createVipReseller({
        ...{ apiId: "id", apiKey: "key", baseUrl: "https://vip-reseller.example/api" },
        timeoutMs: 200,
        pace: paceOf(() => gate, { longestMs: 20_000 }),
        sleep: async () => undefined,
        fetch: async () => {
          left.push(Date.now());
          return await (says[left.length % says.length] ?? silent)(...NOBODY);
        },
      }),
    );
    const order = { service: "S10", target: "081200000000" };
    await Promise.allSettled(
      clients.flatMap((client) => [
        client.createPrepaidOrder(order),
        client.getPrepaidOrderStatus({ limit: 1 }),
      ]),
    );
    const gaps = left.slice(1).map((at, n) => at - (left[n] ?? 0));
    expect(left.length).toBeGreaterThanOrEqual(4);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(INTERVAL_MS);
  });

  it("keeps requests apart though it is evicted while one waits for its turn", async () => {
    const stub = env.SUPPLIER_GATE.getByName(unique("gate"));
    const gate = quick(stub);
    const pace = paceOf(() => gate, { longestMs: 20_000 });
    const left: number[] = [];
    const leave = async () => {
      await pace("order");
      left.push(Date.now());
    };
    for (let round = 0; round < 2; round += 1) {
      const two = [leave(), leave()];
      await Promise.race(two);
      await evictDurableObject(stub);
      await Promise.all(two);
    }
    const gaps = left.slice(1).map((at, n) => at - (left[n] ?? 0));
    expect(gaps).toHaveLength(3);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(INTERVAL_MS);
  });

  it("gives parallel callers different moments", async () => {
    const stub = env.SUPPLIER_GATE.getByName(unique("gate"));
    const first = Date.now() + 8_000;
    await runInDurableObject(stub, (_, state) => state.storage.kv.put("next", first));
    const turns = await Promise.all(Array.from({ length: 10 }, () => stub.take("order")));
    expect(turns.every(({ granted }) => granted)).toBe(true);
    const last = await runInDurableObject(stub, (_, state) => state.storage.kv.get<number>("next"));
    expect(last).toBe(first + 10 * loadConfig(env).VIP_RESELLER_PACE_MS);
  });
});
