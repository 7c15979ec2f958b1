import type { Context, MiddlewareHandler } from "hono";
import type { ApiEnv } from "../http/api.ts";
import { callerAddress } from "../http/caller.ts";
import { AppError } from "../http/errors.ts";
import { auditRefusal } from "./audit.ts";

/**
 * Stands before `access(…)` on a route whose refusals are kept: who was turned away, from what, and why. A caller
 * without a token is nobody and is left to the log; so is an outage, which refuses nobody in particular. `nobody`:
 * whether one whose token is not valid is kept too. `writer`: as for auditRefusal.
 */
export function auditRefusals(
  action: string,
  subjectOf: (c: Context<ApiEnv>) => { kind: string; id: string },
  { nobody = false, writer }: { nobody?: boolean; writer?: string } = {},
): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    await next();
    const { error } = c;
    const { ctx } = c.var;
    if (!(error instanceof AppError) || error.status >= 500) return;
    const told = { action, subject: subjectOf(c) };
    if (ctx.actor) {
      auditRefusal(ctx, told, error, writer ? { writer } : {});
    } else if (nobody && error.code === "bad_token") {
      const ip = callerAddress(c);
      auditRefusal(ctx, { ...told, after: { ip } }, error, writer ? { writer } : {});
    }
  };
}
