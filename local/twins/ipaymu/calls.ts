import { isObject, type Json, parseJson } from "../common/fields.ts";
import { type Handler, json, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import { directData, transactionData } from "./bodies.ts";
import { channelList } from "./channels.ts";
import type { Ipaymu } from "./engine.ts";
import {
  isRefusal,
  type Refusal,
  readBalance,
  readDirect,
  readHistory,
  readPayment,
  readTransactionId,
} from "./input.ts";
import { codes } from "./state.ts";

function good(data: unknown): TwinAnswer {
  return json(200, { Status: 200, Success: true, Message: "success", Data: data });
}

/** A refusal as iPaymu words it; `Error` is there for wrong fields alone. */
export function refused(status: number, message: string, refusal?: Refusal): TwinAnswer {
  const error = refusal ? { Error: refusal.wrong } : {};
  return json(status, { Status: status, Message: message, ...error });
}

function invalid(refusal: Refusal): TwinAnswer {
  return refused(400, "Please check your data", refusal);
}

/** Numbers as texts, which one source saw. */
function asText(value: unknown): unknown {
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(asText);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, asText(inner)]));
}

function createPayment(ipaymu: Ipaymu, request: TwinRequest): TwinAnswer {
  const input = readPayment(parseJson(request.raw), ipaymu);
  if (isRefusal(input)) return invalid(input);
  if (ipaymu.own.take("invalidDomain", request.raw)) return refused(403, "Invalid Domain");
  const { sid } = ipaymu.open(input, request.raw);
  // This answer alone has no `Success`, in every source.
  const data = { SessionID: sid, Url: `${ipaymu.url}/payment/${sid}` };
  return json(200, { Status: 200, Message: "success", Data: data });
}

function createDirect(ipaymu: Ipaymu, request: TwinRequest): TwinAnswer {
  const input = readDirect(parseJson(request.raw), ipaymu);
  if (isRefusal(input)) return invalid(input);
  if (ipaymu.own.take("invalidDomain", request.raw)) return refused(403, "Invalid Domain");
  const { channel, ...rest } = input;
  const transaction = ipaymu.pick(ipaymu.open(rest, request.raw), channel);
  const data = directData(transaction, ipaymu.url);
  const text = ipaymu.own.take("numbersAsText", ipaymu.textOf(transaction));
  return good(text ? asText(data) : data);
}

function getTransaction(ipaymu: Ipaymu, request: TwinRequest): TwinAnswer {
  const input = readTransactionId(parseJson(request.raw), ipaymu.va);
  if (isRefusal(input)) return invalid(input);
  const transaction = ipaymu.state.transactions.get(input.id);
  if (!transaction) return refused(404, "transaction not found");
  ipaymu.expireIfDue(transaction);
  const data = transactionData(transaction, ipaymu.va);
  const text = ipaymu.own.take("numbersAsText", ipaymu.textOf(transaction));
  return good(text ? asText(data) : data);
}

function listHistory(ipaymu: Ipaymu, request: TwinRequest): TwinAnswer {
  const input = readHistory(parseJson(request.raw));
  if (isRefusal(input)) return invalid(input);
  ipaymu.sweep();
  const found = [...ipaymu.state.transactions.values()].filter(
    (one) =>
      (input.id === null || one.id === input.id) &&
      (input.status === null || one.code === input.status) &&
      (input.fromMs === null || one.createdAt >= input.fromMs) &&
      (input.untilMs === null || one.createdAt < input.untilMs),
  );
  if (!input.oldestFirst) found.reverse();
  const start = (input.page - 1) * input.limit;
  const rows = found
    .slice(start, start + input.limit)
    .map((one) => transactionData(one, ipaymu.va));
  const pages = Math.max(1, Math.ceil(found.length / input.limit));
  if (ipaymu.own.take("historyResults", request.raw)) {
    // The documents name the first fields of this form and end in dots: the name of the last one is a guess.
    const paging = { Total: found.length, Per_Page: input.limit, Current_Page: input.page };
    return good({ Results: rows, ...paging, Total_Pages: pages });
  }
  const Pagination = {
    total: found.length,
    count: rows.length,
    per_page: input.limit,
    current_page: input.page,
    total_pages: pages,
  };
  return good({ Transaction: rows, Pagination });
}

/** What lies in the account: everything paid and settled, less the fees. */
export function balanceOf(ipaymu: Ipaymu): number {
  let sum = 0;
  for (const one of ipaymu.state.transactions.values()) {
    if (one.code === codes.success) sum += one.total - one.fee;
  }
  return sum;
}

function getBalance(ipaymu: Ipaymu, request: TwinRequest): TwinAnswer {
  const refusal = readBalance(parseJson(request.raw), ipaymu.va);
  if (refusal) return invalid(refusal);
  const data: Json = { Va: ipaymu.va, MerchantBalance: balanceOf(ipaymu), MemberBalance: 0 };
  return good(data);
}

/** The calls of ipaymu.md section 3. There is none that cancels or refunds. */
export function callRoutes(ipaymu: Ipaymu): Record<string, Handler> {
  return {
    "POST /api/v2/payment": (request) => createPayment(ipaymu, request),
    "POST /api/v2/payment/direct": (request) => createDirect(ipaymu, request),
    "GET /api/v2/payment-channels": () => good(channelList(ipaymu.url)),
    "POST /api/v2/transaction": (request) => getTransaction(ipaymu, request),
    "POST /api/v2/history": (request) => listHistory(ipaymu, request),
    "POST /api/v2/balance": (request) => getBalance(ipaymu, request),
  };
}
