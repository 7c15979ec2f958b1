import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, call, newOrderId } from "../testing/call.ts";
import { requestSignature } from "./signature.ts";
import { type IpaymuTwin, startIpaymuTwin } from "./twin.ts";

export const va = "0000001234567890";
export const apiKey = "SANDBOX-TEST-APIKEY-0001";

export interface Notice {
  headers: IncomingHttpHeaders;
  raw: string;
  /** The fields of the form or of the JSON, as they came. */
  fields: Record<string, unknown>;
}

/** The headers of a call that iPaymu accepts; `change` spoils one of them. */
export function signed(
  method: string,
  body: string,
  change: Record<string, string> = {},
): Record<string, string> {
  return {
    va,
    signature: requestSignature(method, va, body, apiKey),
    timestamp: "20261121120000",
    "content-type": "application/json",
    ...change,
  };
}

export interface Merchant {
  twin: IpaymuTwin;
  notifyUrl: string;
  /** The statuses to answer notices with, one each; when used up: 200. */
  answers: number[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string): Promise<Answer>;
  /** A hosted payment of 150,000; its reference is new unless given. */
  payment(change?: Record<string, unknown>): Promise<{ reference: string; sid: string }>;
  direct(change?: Record<string, unknown>): Promise<Answer>;
  hand(what: string, id: string | number, body?: unknown): Promise<Answer>;
  dial(match: string, dials: Record<string, unknown>): Promise<Answer>;
  /** Resolves once so many notices about a reference have come. */
  notices(reference: string, count: number): Promise<Notice[]>;
  stop(): Promise<void>;
}

export const cart = (notifyUrl: string, change: Record<string, unknown> = {}) => ({
  product: ["Paket Hosting Personal"],
  qty: [1],
  price: [150_000],
  description: ["1 bulan"],
  returnUrl: "https://shop.example/return",
  notifyUrl,
  cancelUrl: "https://shop.example/cancel",
  referenceId: newOrderId("I"),
  buyerName: "Budi",
  buyerEmail: "budi@example.com",
  buyerPhone: "081234567890",
  feeDirection: "MERCHANT",
  ...change,
});

/** The end of notices: forms and JSON, which `until` waits for. */
async function startInbox(answers: number[]) {
  const got: Notice[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    let raw = "";
    for await (const chunk of request) raw += String(chunk);
    const isJson = request.headers["content-type"] === "application/json";
    const fields = isJson ? JSON.parse(raw) : Object.fromEntries(new URLSearchParams(raw));
    got.push({ headers: request.headers, raw, fields });
    response.writeHead(answers.shift() ?? 200).end("ok");
    for (const wake of waiting.splice(0)) wake();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    until: async (reference: string, count: number): Promise<Notice[]> => {
      for (;;) {
        const found = got.filter((one) => one.fields.reference_id === reference);
        if (found.length >= count) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** An iPaymu twin, the merchant's end of its notices, and the calls that tests make. */
export async function startMerchant(clock?: () => number): Promise<Merchant> {
  const answers: number[] = [];
  const inbox = await startInbox(answers);
  const twin = await startIpaymuTwin({ va, apiKey, ...(clock && { clock }) });
  const post: Merchant["post"] = (path, body, headers = {}) =>
    call("POST", `${twin.url}/api/v2/${path}`, body, signed("POST", JSON.stringify(body), headers));
  return {
    twin,
    notifyUrl: inbox.url,
    answers,
    post,
    get: (path) => call("GET", `${twin.url}/api/v2/${path}`, undefined, signed("GET", "{}")),
    payment: async (change = {}) => {
      const body = cart(inbox.url, change);
      const answer = await post("payment", body);
      if (answer.status !== 200) throw new Error(answer.text);
      return { reference: String(body.referenceId), sid: answer.body.Data.SessionID };
    },
    direct: (change = {}) =>
      post("payment/direct", {
        name: "Budi",
        phone: "081234567890",
        email: "budi@example.com",
        amount: 150_000,
        notifyUrl: inbox.url,
        referenceId: newOrderId("D"),
        paymentMethod: "qris",
        paymentChannel: "mpm",
        feeDirection: "MERCHANT",
        ...change,
      }),
    hand: (what, id, body = {}) => call("POST", `${twin.url}/_${what}/${id}`, body),
    dial: (match, dials) => call("PUT", `${twin.url}/_dials`, { match, ...dials }),
    notices: inbox.until,
    stop: async () => {
      await twin.stop();
      await inbox.stop();
    },
  };
}
