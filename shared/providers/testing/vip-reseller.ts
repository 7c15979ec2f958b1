import { createVipReseller, type Lane, type VipReseller } from "../vip-reseller.ts";
import type { FakeNetwork, Reply } from "./fake-network.ts";

export const API_ID = "APIID123";
export const API_KEY = "APIKEY456";
export const SIGN = "7001b3a1c7c69e3d198daf27a69f477a";
export const BASE = "https://vip-reseller.example/api";
export const PATHS = {
  profile: `${BASE}/profile`,
  prepaid: `${BASE}/prepaid`,
  game: `${BASE}/game-feature`,
  social: `${BASE}/social-media`,
} as const;

/** A client that talks to nobody but the fake network, never waits, and notes the turns that it took. */
export function fakeVipReseller(network: FakeNetwork): VipReseller & { turns: Lane[] } {
  const turns: Lane[] = [];
  const client = createVipReseller({
    apiId: API_ID,
    apiKey: API_KEY,
    baseUrl: BASE,
    timeoutMs: 25,
    fetch: network.fetch,
    pace: async (lane) => {
      turns.push(lane);
    },
    random: () => 0,
    sleep: async () => undefined,
  });
  return Object.assign(client, { turns });
}

/** Lets one endpoint give these answers, in this order. */
export function replyTo(network: FakeNetwork, path: keyof typeof PATHS, ...replies: Reply[]) {
  for (const reply of replies) network.on("POST", PATHS[path], reply);
}

export const ok = (data: unknown, message = "Success.") => ({ result: true, data, message });
export const no = (message: string, data: unknown = null) => ({ result: false, data, message });

/** The order of the documentation's example, with a made-up player. */
export function orderRow(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    trxid: "VP1234567",
    data: "12345678",
    zone: "1234",
    service: "Mobile Legends - 86 Diamonds",
    status: "waiting",
    note: "",
    balance: 980_000,
    price: 20_000,
    ...changes,
  };
}

export const gameRow = (changes: Record<string, unknown> = {}) => ({
  code: "ML86-S1",
  game: "Mobile Legends",
  name: "86 Diamonds",
  price: { basic: 21_000, premium: 20_500, special: 20_000 },
  server: "1",
  status: "available",
  ...changes,
});

/** On sale at every hour: with a window of maintenance, whatever buys it would fail in that window. */
export const prepaidRow = (changes: Record<string, unknown> = {}) => ({
  brand: "TELKOMSEL",
  code: "S25",
  name: "Telkomsel 25.000",
  note: "Masukkan nomor",
  price: { basic: 25_800, premium: 25_600, special: 25_400 },
  status: "available",
  multi_trx: true,
  maintenace: "00:00 - 00:00",
  category: "Pulsa Reguler",
  prepost: "prepaid",
  type: "pulsa-reguler",
  ...changes,
});

export const socialRow = (changes: Record<string, unknown> = {}) => ({
  category: "Instagram Followers",
  id: 1001,
  min: 50,
  max: 20_000,
  name: "Instagram Followers Indonesia",
  note: "",
  price: { basic: 29_120, premium: 28_560, special: 28_000 },
  status: "available",
  ...changes,
});

/** The form fields of a request that was sent. */
export const formOf = (body: string | null | undefined) =>
  Object.fromEntries(new URLSearchParams(body ?? ""));
