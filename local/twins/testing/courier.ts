import { type KiriminAjaTwin, startKiriminAjaTwin } from "../kiriminaja/twin.ts";
import { type Answer, call, newOrderId } from "./call.ts";
import { type Received, type Receiver, startReceiver } from "./receiver.ts";

export const apiKey = "kiriminaja-test-key-0001";
export const authorization = `Bearer ${apiKey}`;

export const parcel = (order_id: string, change: Record<string, unknown> = {}) => ({
  order_id,
  destination_name: "Budi",
  destination_phone: "081234567890",
  destination_address: "Jalan Menteng Raya 1",
  destination_kecamatan_id: 1160,
  weight: 500,
  width: 10,
  length: 10,
  height: 10,
  qty: 1,
  item_name: "Kopi",
  item_value: 25_000,
  shipping_cost: 18_000,
  service: "jne",
  service_type: "REG23",
  package_type_id: 7,
  cod: 0,
  ...change,
});

export const pickup = (packages: unknown[], change: Record<string, unknown> = {}) => ({
  name: "Toko Wafero",
  phone: "081200000000",
  address: "Jalan Merdeka 10 Blitar",
  kecamatan_id: 1000,
  zipcode: "66112",
  schedule: "2099-01-01 10:00:00",
  packages,
  ...change,
});

export const ofOrder =
  (id: string) =>
  ({ body }: Received) =>
    body.data[0].order_id === id;

export interface Courier {
  twin: KiriminAjaTwin;
  receiver: Receiver;
  ask(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  dial(match: string, dials: Record<string, unknown>): Promise<Answer>;
  move(id: string, to: string): Promise<Answer>;
  track(id: string): Promise<Answer>;
  /** A parcel whose AWB has been made and told. */
  processed(change?: Record<string, unknown>): Promise<string>;
  stop(): Promise<void>;
}

/** A courier twin, the merchant's end of its callbacks, and the calls that tests make. */
export async function startCourier(): Promise<Courier> {
  const receiver = await startReceiver();
  const twin = await startKiriminAjaTwin({ apiKey, callbackUrl: receiver.url });
  const ask: Courier["ask"] = (path, body = {}, headers = {}) =>
    call("POST", `${twin.url}/api/mitra/${path}`, body, { authorization, ...headers });
  const dial: Courier["dial"] = (match, dials) =>
    call("PUT", `${twin.url}/_dials`, { match, ...dials });
  return {
    twin,
    receiver,
    ask,
    dial,
    move: (id, to) => call("POST", `${twin.url}/_move/${id}`, { to }),
    track: (order_id) => ask("tracking", { order_id }),
    processed: async (change = {}) => {
      const id = newOrderId("L");
      await dial(id, { awbDelayMs: 0 });
      const answer = await ask("v6.1/request_pickup", pickup([parcel(id, change)]));
      if (!answer.body.status) throw new Error(answer.text);
      await receiver.until(1, ofOrder(id));
      await dial(id, {});
      return id;
    },
    stop: async () => {
      await twin.stop();
      await receiver.stop();
    },
  };
}
