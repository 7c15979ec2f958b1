import { type Answer, call } from "../testing/call.ts";
import { type Received, type Receiver, startReceiver } from "../testing/receiver.ts";
import type { VipOptions } from "./engine.ts";
import { startVipResellerTwin, type VipResellerTwin } from "./twin.ts";

export const apiId = "APIID123";
export const apiKey = "APIKEY456";
export const sign = "7001b3a1c7c69e3d198daf27a69f477a";

let made = 0;

/** A phone number or a game id that no other test has. */
export function newTarget(first = "8"): string {
  made += 1;
  return `${first}${Date.now().toString().slice(-6)}${String(made).padStart(4, "0")}`;
}

export interface Reseller {
  twin: VipResellerTwin;
  receiver: Receiver;
  /** A call with the key and the sign; a field that is undefined is left out. */
  ask(endpoint: string, fields?: Record<string, string | undefined>): Promise<Answer>;
  /** An order of 10,000 Telkomsel credit, whose target is new unless given. */
  buy(fields?: Record<string, string>): Promise<Answer>;
  hand(what: string, id: string, body?: unknown): Promise<Answer>;
  dial(match: string, dials: Record<string, unknown>): Promise<Answer>;
  notices(trxid: string, count: number): Promise<Received[]>;
  stop(): Promise<void>;
}

/** The order that a notice is about, whichever shape it has. */
export function dataOf({ body }: Received): Record<string, unknown> {
  return Array.isArray(body.data) ? body.data[0] : body.data;
}

/** A VIP-Reseller twin, the merchant's end of its notices, and the calls that tests make. */
export async function startReseller(options: Partial<VipOptions> = {}): Promise<Reseller> {
  const receiver = await startReceiver();
  const twin = await startVipResellerTwin({
    apiId,
    apiKey,
    callbackUrl: receiver.url,
    ...options,
  });
  const ask: Reseller["ask"] = async (endpoint, fields = {}) => {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries({ key: apiKey, sign, ...fields })) {
      if (value !== undefined) body.set(name, value);
    }
    const response = await fetch(`${twin.url}/api/${endpoint}`, { method: "POST", body });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : null,
    };
  };
  return {
    twin,
    receiver,
    ask,
    buy: (fields = {}) =>
      ask("prepaid", { type: "order", service: "S10", data_no: newTarget(), ...fields }),
    hand: (what, id, body = {}) => call("POST", `${twin.url}/_${what}/${id}`, body),
    dial: (match, dials) => call("PUT", `${twin.url}/_dials`, { match, ...dials }),
    notices: (trxid, count) => receiver.until(count, (one) => dataOf(one).trxid === trxid),
    stop: async () => {
      await twin.stop();
      await receiver.stop();
    },
  };
}
