import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../shared/config/config.ts";
import { answer, silent } from "../../shared/providers/testing/fake-network.ts";
import { ok, orderRow } from "../../shared/providers/testing/vip-reseller.ts";
import { createVipReseller, type Gate, paceOf } from "../../shared/providers/vip-reseller.ts";
import { unique } from "../testing/factories.ts";
import { takeTurn } from "./pacing.ts";

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
    take: (...asked) =>
      runInDurableObject(stub, (_, { storage: { kv } }) => {
        const load = () => kv.get<number>("next");
        const save = (next: number) => kv.put("next", next);
        const loadReads = () => kv.get("reads");
        const saveReads = (reads: object) => kv.put("reads", reads);
        const kept = { load, save, loadReads, saveReads };
        return takeTurn({ intervalMs: INTERVAL_MS, now: Date.now, ...kept }, ...asked);
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

  it("keeps a place for reads behind a crowd of orders, across an eviction", async () => {
    const stub = env.SUPPLIER_GATE.getByName(unique("gate"));
    // What the release before keeps.
    await runInDurableObject(stub, (_, state) => state.storage.kv.put("next", Date.now() + 8_000));
    expect(await stub.take("read")).toMatchObject({ granted: false });
    for (let order = 0; order < 8; order += 1) await stub.take("order");
    await evictDurableObject(stub);
    const left = () =>
      runInDurableObject(stub, (_, { storage: { kv } }) => {
        const reads = kv.get<{ left: { at: number }[] }>("reads");
        return reads?.left.map(({ at }) => at) ?? [];
      });
    const [first, ...more] = await left();
    expect([typeof first, more.length > 0]).toEqual(["number", true]);
    expect(await stub.take("read")).toMatchObject({ granted: false });
    // Time passes until the place is near.
    const near = Date.now() + INTERVAL_MS;
    await runInDurableObject(stub, (_, { storage: { kv } }) => {
      const reads = kv.get<{ left: { at: number }[] }>("reads");
      const rest = reads?.left.slice(1) ?? [];
      kv.put("reads", { ...reads, left: [{ at: near, spareMs: 0 }, ...rest] });
    });
    const turn = await quick(stub).take("read", 0, 1_000);
    expect(turn).toMatchObject({ granted: true });
    expect(turn.waitMs).toBeLessThanOrEqual(INTERVAL_MS);
    expect(await left()).toEqual(more);
  });

  it("keeps a moment from a visitor who would be gone by then", async () => {
    const stub = env.SUPPLIER_GATE.getByName(unique("gate"));
    const next = Date.now() + 60;
    await runInDurableObject(stub, (_, state) => state.storage.kv.put("next", next));
    expect(await stub.take("visitor", 0, -1)).toMatchObject({ granted: false });
    expect(await runInDurableObject(stub, (_, state) => state.storage.kv.get("next"))).toBe(next);
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
