import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call, type Statement } from "../../shared/db/statement.ts";
import { AppError } from "../../shared/http/errors.ts";
import { signInLimits } from "./attempts.ts";
import { hashPassword, passwordMatches } from "./passwords.ts";
import type { TellSignInEnded } from "./sessions.ts";

export interface ChangePasswordInput {
  current: string;
  next: string;
  address: string;
}

/** What the caller says to each refusal: contracts word them differently. */
export interface ChangePasswordWords {
  wrong: string;
  same: string;
  lockedOut: string;
}

const Begun = z.object({
  retry_after: z.number(),
  keys: z.tuple([z.string(), z.string(), z.string()]),
  password_hash: z.string().nullable(),
});

/**
 * Gives the signed-in user another password and ends every other sign-in of his, in one transaction with `also` (the
 * audit entry). Wrong guesses of the present one are counted like failed sign-ins, so a stolen token cannot try many.
 */
export async function changePassword(
  ctx: Ctx,
  input: ChangePasswordInput,
  words: ChangePasswordWords,
  { tell, also }: { tell: TellSignInEnded | null; also: readonly Statement<unknown>[] },
): Promise<void> {
  const { userId, sessionId } = actorOf(ctx);
  const limits = await signInLimits(ctx, `password/${userId}`, input.address);
  const begun = await ctx.db.run(
    call("identity_password_begin", { user_id: userId, limits }, Begun),
  );
  if (begun.retry_after > 0) {
    const meta = { retry_after: begun.retry_after };
    throw new AppError("locked_out", words.lockedOut, { meta });
  }
  const wrong = new AppError("unauthenticated", words.wrong);
  const matched = await passwordMatches(
    ctx.config,
    input.current,
    begun.password_hash ?? undefined,
  );
  if (!matched) throw wrong;
  if (input.next === input.current) throw new AppError("invalid_input", words.same);
  const change = call(
    "identity_password_change",
    {
      user_id: userId,
      session_id: sessionId,
      old_hash: begun.password_hash,
      new_hash: await hashPassword(ctx.config, input.next),
      keys: begun.keys,
    },
    z.object({ changed: z.literal(true) }),
  );
  ctx.db.guardAgain();
  await ctx.db.batch([change, ...also]);
  if (tell) ctx.waitUntil(tell(ctx, { userId, sessionId: null }));
}
