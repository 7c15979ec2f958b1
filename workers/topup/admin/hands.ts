import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { seal, unseal } from "../../../shared/crypto/seal.ts";
import { call, rows, type Statement } from "../../../shared/db/statement.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { claimOf } from "../../../shared/http/idempotency.ts";
import { getOrder, settleByHand } from "../orders/index.ts";
import type { HandRequest, Settlement } from "../schemas/admin-orders.ts";
import { type HandWork, handRow, workRow } from "./hand-rows.ts";
import { retryOrder } from "./retry.ts";
import { asksSupplier } from "./supplier.ts";

/** A request that nobody confirmed for so long is void. */
const EXPIRES_MINUTES = 24 * 60;

/** What a serial is sealed for while its request waits; carried out, the order keeps it sealed for itself. */
const sealOwner = (orderId: string) => `topup-hand/${orderId}`;

/**
 * Ends an order at an admin's word. Above the limit it waits for another admin; what is asked is written down before
 * it is done.
 */
export async function requestSettlement(
  ctx: Ctx,
  orderId: string,
  settlement: Settlement,
  idempotencyKey?: string,
): Promise<HandRequest> {
  const { as, reason, serial, ...rest } = settlement;
  if (as === "partial" && rest.remain === undefined) {
    throw new AppError("invalid_input", "remain: is required for a partial order");
  }
  const sealed = serial && (await seal(ctx.config, sealOwner(orderId), serial));
  const input = { ...rest, ...(sealed ? { serial: sealed } : {}) };
  // Of what was sent: sealed twice it is not the same.
  const claim = await claimOf(ctx, idempotencyKey, { orderId, ...settlement });
  return await request(ctx, { orderId, action: as, reason, input, claim });
}

/** Has an order in doubt looked up at the supplier, or places one again that surely was not bought. */
export async function requestRetry(
  ctx: Ctx,
  orderId: string,
  retry: { reason: string; confirm?: boolean | undefined },
  idempotencyKey?: string,
): Promise<HandRequest> {
  const { reason, ...input } = retry;
  const claim = await claimOf(ctx, idempotencyKey, { orderId, action: "retry", ...retry });
  return await request(ctx, { orderId, action: "retry", reason, input, claim });
}

async function request(
  ctx: Ctx,
  wish: { orderId: string; action: string; reason: string; input: object; claim: object },
): Promise<HandRequest> {
  const { orderId, ...asked } = wish;
  if (!z.uuid().safeParse(orderId).success) throw notFound("Order not found");
  const wanted = await ctx.db.run(
    call(
      "topup_hand_request",
      {
        order_id: orderId,
        ...asked,
        actor_id: actorOf(ctx).userId,
        needs_second_above: ctx.config.TOPUP_TWO_PERSON_ABOVE,
        expires_minutes: EXPIRES_MINUTES,
        audit: auditContext(ctx),
      },
      workRow,
    ),
  );
  return wanted.state === "confirmed" ? await carryOut(ctx, wanted) : shown(wanted);
}

/** Another admin's yes, upon which it is done; or the end of the request. */
export async function decideRequest(
  ctx: Ctx,
  id: string,
  confirm: boolean,
  idempotencyKey?: string,
): Promise<HandRequest> {
  if (!z.uuid().safeParse(id).success) throw notFound("Request not found");
  const claim = await claimOf(ctx, idempotencyKey, { id, confirm });
  const decided = await ctx.db.run(
    call(
      "topup_hand_decide",
      { id, confirm, claim, actor_id: actorOf(ctx).userId, audit: auditContext(ctx) },
      workRow,
    ),
  );
  return decided.state === "confirmed" ? await carryOut(ctx, decided) : shown(decided);
}

/** Does what was confirmed. Done twice (its first executor died) it is done once: an order ends once. */
async function carryOut(ctx: Ctx, work: HandWork): Promise<HandRequest> {
  ctx.db.guardAgain();
  try {
    const outcome = await act(ctx, work);
    return await ctx.db.run(finish(ctx, work, true, outcome));
  } catch (error) {
    // An outage leaves it confirmed: confirming again carries on.
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    const done = await isDone(ctx, work);
    const finished = await ctx.db.run(finish(ctx, work, done, done ? work.action : error.message));
    if (done) return finished;
    throw error;
  }
}

async function act(ctx: Ctx, work: HandWork): Promise<string> {
  const { orderId, action, reason, input, knownTrxid } = work;
  if (action === "retry") return await asksSupplier(retryOrder(ctx, work));
  const { serial: sealed, confirm: _confirm, ...rest } = input;
  const serial = sealed ? await unseal(ctx.config, sealOwner(orderId), sealed) : undefined;
  if (serial === null) throw new Error("a serial does not open");
  const word = { orderId, as: action, reason, ...rest, serial, knownTrxid };
  const order = await settleByHand(ctx, word);
  return order.state;
}

async function isDone(ctx: Ctx, { orderId, action }: HandWork): Promise<boolean> {
  return action !== "retry" && (await getOrder(ctx, { id: orderId })).state === action;
}

function finish(
  ctx: Ctx,
  { id }: HandWork,
  done: boolean,
  outcome: string,
): Statement<HandRequest> {
  const input = { id, done, outcome, audit: auditContext(ctx) };
  return call("topup_hand_finish", input, handRow);
}

const shown = ({ input: _input, knownTrxid: _known, ...request }: HandWork): HandRequest => request;

/** Requests that wait for a second admin, or were not carried out to their end; oldest first. */
export async function listOpenRequests(ctx: Ctx): Promise<HandRequest[]> {
  const found = await ctx.db.run(
    rows(
      sql`select topup_hand_view(h) as one from topup_hand_requests h
        where h.state = 'confirmed' or (h.state = 'waiting' and h.expires_at > now())
        order by h.id limit 200`,
      z.object({ one: handRow }),
    ),
  );
  return found.map(({ one }) => one);
}
