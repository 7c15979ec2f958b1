import { isObject, type Json } from "../common/fields.ts";
import type { Delivery } from "../common/outbox.ts";
import {
  controlAnswer,
  controlBody,
  type Handler,
  json,
  type TwinRequest,
} from "../common/server.ts";
import { orderData, serviceData, statusData } from "./bodies.ts";
import { priced } from "./catalogue/services.ts";
import type { Vip } from "./engine.ts";
import { isFinal, type Order, type OrderStatus } from "./state.ts";

/** A control call waits this long for the first delivery of its notice, so that a test need not poll. */
const longestWaitMs = 2000;

function view(vip: Vip, order: Order): Json {
  return {
    ...orderData(order),
    family: order.family,
    code: order.service.code,
    remain: order.remain,
    balance: vip.state.account.balance,
    notices: vip.outbox.list(order.trxid),
  };
}

/** Moves an order; one that is final only with `force`, as no provider should and some do. */
async function change(vip: Vip, order: Order, to: OrderStatus, body: Json): Promise<string | null> {
  const force = body.force === true || body.force === "true";
  if (isFinal(order.status) && !force) {
    return `the order is ${order.status}; send {"force":true} to move it all the same`;
  }
  if (to === "partial" && order.family !== "social-media" && !force) {
    return "only an order of social media can be partial";
  }
  order.cancelTimer();
  const note = typeof body.note === "string" ? body.note : undefined;
  const left = body.remain === undefined ? Math.floor(order.quantity / 2) : Number(body.remain);
  const reason = to === "error" ? (note ?? "Transaksi gagal.") : note;
  const sent = vip.move(order, to, {
    ...(reason !== undefined && { note: reason }),
    ...(to === "partial" && { remain: left }),
  });
  await Promise.race([sent, vip.timers.wait(longestWaitMs)]);
  return null;
}

/** The notice of what is now, with fields put in its place; the signature binds none of them. */
async function renotify(vip: Vip, order: Order, body: Json): Promise<Json> {
  const { sign, times: wanted, url, ...fields } = body;
  const forged = sign === false || sign === "false";
  const times = Math.min(Math.max(1, Number(wanted ?? 1)), 100);
  const target = typeof url === "string" ? url : vip.state.account.callbackUrl;
  const sends: Promise<Delivery>[] = Array.from({ length: times }, () =>
    vip.outbox.sendAsIs(vip.noticeOf(order, target, fields), forged),
  );
  return { deliveries: await Promise.all(sends) };
}

function accountView(vip: Vip): Json {
  const { balance, level, whitelist, callbackUrl } = vip.state.account;
  return { balance, level, whitelist, callback_url: callbackUrl };
}

/** What an owner sets in the dashboard: balance, level, addresses, callback. */
function setAccount(vip: Vip, body: Json): string | null {
  const { account } = vip.state;
  if (body.balance !== undefined) {
    const balance = Number(body.balance);
    if (!Number.isSafeInteger(balance)) return "balance must be a whole number";
    account.balance = balance;
  }
  const { level } = body;
  if (level === "basic" || level === "premium" || level === "special") account.level = level;
  else if (level !== undefined) return "level must be basic, premium or special";
  if (typeof body.whitelist === "string") {
    account.whitelist = body.whitelist.split(",").map((one) => one.trim());
  }
  if (typeof body.callback_url === "string") account.callbackUrl = body.callback_url;
  return null;
}

/** Changes the catalogue: price (of the best customers), stock, name. */
function setService(vip: Vip, request: TwinRequest): Json | null {
  const code = request.params.code ?? "";
  const body = controlBody(request);
  for (const services of vip.state.services.values()) {
    const service = services.get(code);
    if (!service) continue;
    if (body.price !== undefined) service.price = priced(Number(body.price));
    if (body.stock !== undefined) vip.setStock(service, Number(body.stock));
    if (body.status === "available" || body.status === "empty") service.status = body.status;
    if (typeof body.name === "string") service.name = body.name;
    if (service.family === "prepaid" && typeof body.maintenance === "string") {
      service.maintenance = body.maintenance;
    }
    return serviceData(service);
  }
  return null;
}

/** What a person or a test does by hand, under `/_`; `:id` is a trxid, or a target with its latest order. */
export function handRoutes(vip: Vip): Record<string, Handler> {
  const onOrder =
    (run: (order: Order, body: Json) => Promise<Json | string | null>): Handler =>
    async (request) => {
      const order = vip.find(request.params.id ?? "");
      if (!order) return json(404, { error: "no such order" });
      const result = await run(order, controlBody(request));
      if (typeof result === "string") return controlAnswer(request, { error: result }, 409);
      return controlAnswer(request, isObject(result) ? result : view(vip, order));
    };
  const moving = (to: OrderStatus) => onOrder((order, body) => change(vip, order, to, body));
  return {
    "POST /_process/:id": moving("processing"),
    "POST /_succeed/:id": moving("success"),
    "POST /_fail/:id": moving("error"),
    "POST /_partial/:id": moving("partial"),
    "POST /_notify/:id": onOrder((order, body) => renotify(vip, order, body)),
    "GET /_orders/:id": onOrder(async () => null),
    "GET /_orders": () =>
      json(
        200,
        [...vip.state.orders.values()].map((order) => ({
          ...statusData(order),
          family: order.family,
          code: order.service.code,
        })),
      ),
    "GET /_notices": (request) =>
      json(200, vip.outbox.list(request.query.get("trxid") ?? undefined)),
    "GET /_account": () => json(200, accountView(vip)),
    "POST /_account": (request) => {
      const problem = setAccount(vip, controlBody(request));
      if (problem) return controlAnswer(request, { error: problem }, 400);
      return controlAnswer(request, accountView(vip));
    },
    "POST /_services/:code": (request) => {
      const changed = setService(vip, request);
      return changed ? controlAnswer(request, changed) : json(404, { error: "no such service" });
    },
  };
}
