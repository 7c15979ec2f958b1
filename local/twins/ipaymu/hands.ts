import { isObject, type Json } from "../common/fields.ts";
import type { Delivery } from "../common/outbox.ts";
import { controlAnswer, controlBody, type Handler, json } from "../common/server.ts";
import { noticeFields, noticeWord, transactionData, wordOf } from "./bodies.ts";
import { qrisChannel } from "./channels.ts";
import type { Ipaymu } from "./engine.ts";
import { type Code, codes, isPaid, type Session } from "./state.ts";

/** A control call waits this long for the first delivery of its notice, so that a test need not poll. */
const longestWaitMs = 2000;

async function within(ipaymu: Ipaymu, sent: Promise<Delivery[]>): Promise<void> {
  await Promise.race([sent, ipaymu.timers.wait(longestWaitMs)]);
}

function view(ipaymu: Ipaymu, session: Session): Json {
  const { transaction } = session;
  if (transaction) ipaymu.expireIfDue(transaction);
  return {
    reference_id: session.referenceId,
    sid: session.sid,
    url: `${ipaymu.url}/payment/${session.sid}`,
    price: session.price,
    status_code: transaction?.code ?? null,
    status: transaction ? wordOf(transaction.code) : "no channel picked",
    transaction: transaction ? transactionData(transaction, ipaymu.va) : null,
    notices: ipaymu.outbox.list(session.referenceId ?? session.sid),
  };
}

function isYes(value: unknown): boolean {
  return value === true || value === "true";
}

/** Pays; without a channel QRIS is picked first. `force` pays what is not pending, `amount` another sum. */
async function pay(ipaymu: Ipaymu, session: Session, body: Json): Promise<string | null> {
  const force = isYes(body.force);
  if (!session.transaction && !ipaymu.isOpen(session) && !force) return "the page has expired";
  const transaction = session.transaction ?? ipaymu.pick(session, qrisChannel());
  if (transaction.code !== codes.pending && !force) {
    return `the transaction is ${wordOf(transaction.code)}; send {"force":true} to pay it all the same`;
  }
  if (body.amount !== undefined) {
    transaction.total = Number(body.amount);
    transaction.subTotal = transaction.total;
    if (session.feeDirection === "BUYER") transaction.subTotal -= transaction.fee;
  }
  const settled = body.settled !== false && body.settled !== "false";
  await within(ipaymu, ipaymu.pay(transaction, settled));
  return null;
}

async function change(
  ipaymu: Ipaymu,
  session: Session,
  to: Code,
  may: (code: Code) => boolean,
): Promise<string | null> {
  const { transaction } = session;
  if (!transaction) return "no channel is picked yet";
  if (!may(transaction.code)) return `the transaction is ${wordOf(transaction.code)}`;
  await within(ipaymu, ipaymu.move(transaction, to));
  return null;
}

/** The money of a paid transaction arrives. No notice tells of it: success has been told already. */
function settle(ipaymu: Ipaymu, session: Session): string | null {
  const { transaction } = session;
  if (!transaction) return "no channel is picked yet";
  if (!isPaid(transaction.code) || transaction.code === codes.success) {
    return `the transaction is ${wordOf(transaction.code)}`;
  }
  transaction.code = codes.success;
  transaction.settledAt = ipaymu.clock();
  return null;
}

/** The notice as it is now, with fields put in its place; `sign` false forges, "keep" leaves the old one. */
async function renotify(ipaymu: Ipaymu, session: Session, body: Json): Promise<Json | string> {
  const { transaction } = session;
  if (!transaction) return "no channel is picked yet";
  const { sign, times: wanted, url, ...fields } = body;
  const original = noticeFields(transaction);
  const altered: Json = { ...original, ...fields };
  if (typeof fields.status_code === "number" && fields.status === undefined) {
    altered.status = noticeWord(fields.status_code);
    altered.transaction_status_code = fields.transaction_status_code ?? fields.status_code;
  }
  const kept = sign === "keep" ? ipaymu.sign(original) : undefined;
  const forged = sign === false || sign === "false";
  const times = Math.min(Math.max(1, Number(wanted ?? 1)), 100);
  const target = typeof url === "string" ? url : session.notifyUrl;
  const sends = Array.from({ length: times }, () =>
    ipaymu.outbox.sendAsIs(ipaymu.noticeOf(transaction, target, altered, kept), forged),
  );
  return { deliveries: await Promise.all(sends) };
}

/** What a person or a test does by hand, under `/_`; `:id` is a reference, a SessionID or a number. */
export function handRoutes(ipaymu: Ipaymu): Record<string, Handler> {
  const onSession =
    (run: (session: Session, body: Json) => Promise<Json | string | null>): Handler =>
    async (request) => {
      const session = ipaymu.find(request.params.id ?? "");
      if (!session) return json(404, { error: "no such payment" });
      const result = await run(session, controlBody(request));
      if (typeof result === "string") return controlAnswer(request, { error: result }, 409);
      return controlAnswer(request, isObject(result) ? result : view(ipaymu, session));
    };
  const pending = (code: Code) => code === codes.pending;
  const moving = (to: Code, may: (code: Code) => boolean) =>
    onSession((session) => change(ipaymu, session, to, may));
  return {
    "POST /_pay/:id": onSession((session, body) => pay(ipaymu, session, body)),
    "POST /_expire/:id": moving(codes.expired, pending),
    "POST /_fail/:id": moving(codes.failed, pending),
    "POST /_error/:id": moving(codes.error, pending),
    "POST /_cancel/:id": moving(codes.cancelled, pending),
    "POST /_refund/:id": moving(codes.refunded, isPaid),
    "POST /_settle/:id": onSession(async (session) => settle(ipaymu, session)),
    "POST /_notify/:id": onSession((session, body) => renotify(ipaymu, session, body)),
    "GET /_orders/:id": onSession(async () => null),
    "GET /_orders": () =>
      json(
        200,
        [...ipaymu.state.sessions.values()].map((session) => ({
          reference_id: session.referenceId,
          sid: session.sid,
          price: session.price,
          status_code: session.transaction?.code ?? null,
        })),
      ),
    "GET /_notices": (request) =>
      json(200, ipaymu.outbox.list(request.query.get("reference_id") ?? undefined)),
  };
}
