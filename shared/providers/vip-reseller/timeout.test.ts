import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { loadConfig } from "../../config/config.ts";
import { providersOf } from "../index.ts";
import type { FailureKind, Outcome } from "../provider-error.ts";
import { failureOf } from "../testing/failures.ts";
import type { Turn, VipReseller } from "../vip-reseller.ts";

/** What the issue says; not read from the code. */
const LIMIT_MS = 30_000;
const ORDER = { service: "S5", target: "081200000001" };
const SILENCE: { kind: FailureKind; outcome: Outcome } = { kind: "timeout", outcome: "unknown" };

/** A supplier of this file alone: work that others left behind goes on beside it, to theirs. */
const OWN_URL = "https://silent-supplier.test";

interface Clock {
  limitMs: number;
  stop: AbortController;
}
const sent: string[] = [];
let clocks: Clock[] = [];
let clocksOf = new Map<AbortSignal, Clock>();

/** The client as the Worker makes it, before a supplier that takes each request and never answers. */
beforeEach(() => {
  sent.length = 0;
  clocks = [];
  clocksOf = new Map();
  const others = fetch;
  vi.stubGlobal("fetch", (url: string, init?: RequestInit) => {
    if (!url.toString().startsWith(OWN_URL)) return others(url, init);
    sent.push(url);
    const clock = init?.signal && clocksOf.get(init.signal);
    if (clock) clocks.push(clock);
    return new Promise<Response>(() => undefined);
  });
  const after = AbortSignal.timeout.bind(AbortSignal);
  vi.spyOn(AbortSignal, "timeout").mockImplementation((limitMs) => {
    const stop = new AbortController();
    clocksOf.set(stop.signal, { limitMs, stop });
    // Who is not of this file has his time all the same.
    after(limitMs).addEventListener("abort", () => stop.abort());
    return stop.signal;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function supplier(): VipReseller {
  const take = async (): Promise<Turn> => ({ granted: true, waitMs: 0 });
  const bindings = { ...env, SUPPLIER_GATE: { getByName: () => ({ take }) } };
  return providersOf(
    loadConfig({ ...env, VIP_RESELLER_API_URL: OWN_URL }),
    bindings as unknown as Env,
  ).vipReseller;
}

it.each<[string, (client: VipReseller) => Promise<unknown>]>([
  ["a purchase of prepaid goods", (client) => client.createPrepaidOrder(ORDER)],
  ["a purchase for a game", (client) => client.createGameOrder(ORDER)],
  ["a social order", (client) => client.createSocialMediaOrder({ ...ORDER, quantity: 100 })],
  ["a question about an order", (client) => client.getOrderStatus("prepaid", { trxid: "VP1" })],
  ["the history", (client) => client.getOrderStatus("game", { limit: 10 })],
  ["the balance", (client) => client.getBalance()],
  ["a stock", (client) => client.getServiceStock("ML86-S1")],
  [
    "a nickname",
    (client) => client.getNickname({ code: "mobile-legends", target: "1", additionalTarget: "2" }),
  ],
])("%s is given up after 30 s of silence, once, in doubt", async (_, call) => {
  const failed = failureOf(call(supplier()));
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  expect(clocks.map(({ limitMs }) => limitMs)).toEqual([LIMIT_MS]);
  clocks[0]?.stop.abort(new DOMException("time is up", "TimeoutError"));
  expect(await failed).toMatchObject(SILENCE);
  expect(sent).toHaveLength(1);
});

it("a price list is given up after 30 s of silence, not before", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let over = false;
  const read = supplier().eachService("prepaid", 10, async () => undefined);
  const failed = failureOf(read).finally(() => {
    over = true;
  });
  await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
  expect({ over, asked: sent.length }).toEqual({ over: false, asked: 1 });
  await vi.advanceTimersByTimeAsync(1);
  expect(await failed).toMatchObject(SILENCE);
});
