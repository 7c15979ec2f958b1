import { auditRefusal } from "../../../../shared/audit/audit.ts";
import type { Ctx } from "../../../../shared/context.ts";
import { AppError } from "../../../../shared/http/errors.ts";
import type { Scope } from "../../schemas/resellers.ts";
import type { ReadKey } from "../key-text.ts";
import { actWithKey } from "../require-key.ts";
import { addOrder } from "./add.ts";
import { readBalance, readRefillStatus, readStatus, refuseChange } from "./read.ts";
import { incorrectRequest, type PanelFields } from "./request.ts";
import { listServices } from "./services.ts";

interface Caller {
  key: ReadKey;
  idempotencyKey: string | undefined;
}

interface Action {
  scope: Scope;
  /** The answer, or its JSON. */
  run(ctx: Ctx, fields: PanelFields, caller: Caller): Promise<object | string | ReadableStream>;
}

/** The actions of the dialect, and what each needs of a key. */
const ACTIONS: Record<string, Action> = {
  services: { scope: "services:read", run: listServices },
  balance: { scope: "balance:read", run: readBalance },
  status: { scope: "orders:read", run: readStatus },
  refill_status: { scope: "orders:read", run: readRefillStatus },
  add: {
    scope: "orders:write",
    run: (ctx, fields, { key, idempotencyKey }) =>
      addOrder(ctx, fields, { keyId: key.id, idempotencyKey }),
  },
  refill: { scope: "orders:write", run: (ctx, fields) => refuseChange(ctx, fields, "refill") },
  cancel: { scope: "orders:write", run: (ctx, fields) => refuseChange(ctx, fields, "cancel") },
};

/**
 * One call of the "SMM panel API v2" dialect, as existing panels make it; answers with JSON. The key is checked in the same transaction
 * as the work; a refusal of a key that exists is written down.
 */
export async function callPanel(
  ctx: Ctx,
  fields: PanelFields,
  from: { address: string; idempotencyKey: string | undefined },
): Promise<string | ReadableStream> {
  const name = fields.action ?? "";
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!fields.key) throw new AppError("bad_token", "Invalid API key");
  if (!action) throw incorrectRequest();
  const key = await actWithKey(ctx, fields.key, { scope: action.scope, address: from.address });
  try {
    const answer = await action.run(ctx, fields, { key, idempotencyKey: from.idempotencyKey });
    // An answer that needed no query (a malformed number) must not be given past a key that does not hold.
    await ctx.db.passGate();
    const isJson = typeof answer === "string" || answer instanceof ReadableStream;
    return isJson ? answer : JSON.stringify(answer);
  } catch (error) {
    const refused = await pastGate(ctx, error);
    noteRefusal(ctx, key, { action: name, address: from.address }, refused);
    throw refused;
  }
}

/**
 * The key's own refusal goes before the work's, which says nothing of the input to a caller whose key does not hold. And
 * what the work refused has undone the count of its request with everything else: it is counted here.
 */
async function pastGate(ctx: Ctx, error: unknown): Promise<unknown> {
  if (!(error instanceof AppError) || error.status >= 500 || isKeyRefused(error)) return error;
  try {
    await ctx.db.passGate();
    return error;
  } catch (refusal) {
    return refusal;
  }
}

const isKeyRefused = ({ code, meta }: AppError) =>
  code === "bad_token" || (code === "rate_limited" && meta.retry_after !== undefined);

/** Kept for a key that is in the database, however it stands there; a made-up one fills no table. */
function noteRefusal(
  ctx: Ctx,
  { id, userId, hash }: ReadKey,
  { action, address }: { action: string; address: string },
  error: unknown,
): void {
  if (!(error instanceof AppError) || error.status >= 500) return;
  const actor = { kind: "key" as const, id: userId };
  const entry = {
    action: `topup.panel.${action}`,
    subject: { kind: "api_key", id },
    actor,
    address,
  };
  auditRefusal(ctx, entry, error, { writer: "topup_key_refused", fields: { hash } });
}
