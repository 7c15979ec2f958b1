import type { Context, MiddlewareHandler } from "hono";
import type { ApiEnv } from "../http/api.ts";
import { AppError } from "../http/errors.ts";
import { auditRefusal } from "./audit.ts";

/**
 * Stands before `access(…)` on a route whose refusals are kept: who was turned away, from what, and why. A caller
 * without a token is nobody and is left to the log; so is an outage, which refuses nobody in particular.
 */
export function auditRefusals(
  action: string,
  subjectOf: (c: Context<ApiEnv>) => { kind: string; id: string },
): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    await next();
    const { error } = c;
    const { ctx } = c.var;
    if (!(error instanceof AppError) || error.status >= 500 || !ctx.actor) return;
    auditRefusal(ctx, { action, subject: subjectOf(c) }, error);
  };
}
