import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditRefusal } from "../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { AppError } from "../../shared/http/errors.ts";
import { changePassword, endSession, signIn, type TellSignInEnded } from "../identity/index.ts";
import { entryOf, type PanelAct, panelAudited } from "./audit.ts";
import { operatorName } from "./people.ts";

const MIN_PASSWORD_BYTES = 8;
/** What bcrypt reads of a password. */
const MAX_PASSWORD_BYTES = 72;

export interface LoginInput {
  username: string;
  password: string;
  /** The caller's address as the platform names it. */
  address: string;
}

/** How the panel shows a person: operators are its admins, anybody else is a `user` with no rights here. */
const Me = z.object({ username: z.string(), operator: z.boolean() });

const meStatement = (userId: number) =>
  rows(
    sql`select coalesce(o.username, u.email, u.phone) as username, 'operator' = any (u.roles) as operator
      from identity_users u left join panel_operators o on o.user_id = u.id where u.id = ${userId}`,
    Me,
  );

/** Signs an operator in by short name or e-mail. Every attempt is told to the audit trail, locked-out ones too. */
export async function login(ctx: Ctx, input: LoginInput) {
  const username = input.username.trim().toLowerCase();
  const { address } = input;
  const act = (action: string): PanelAct => ({
    action,
    target: { type: "user", id: username },
    metadata: { ip: address },
    address,
  });
  const opened = await signIn(ctx, {
    identifier: username,
    password: input.password,
    address,
    refusal: "invalid credentials",
    lockedOut: "too many login attempts",
    begin: "panel_signin_begin",
  }).catch((error: unknown) => {
    tellFailure(ctx, act, error);
    throw error instanceof AppError && error.code === "forbidden"
      ? new AppError("unauthenticated", "invalid credentials")
      : error;
  });
  const { user } = opened;
  const id = operatorName(user.id);
  const [[me]] = await ctx.db.batch([
    meStatement(user.id),
    panelAudited(ctx, {
      ...act("auth.login.success"),
      actor: { kind: "user", id: user.id },
      target: { type: "user", id },
      metadata: { username, ip: address },
    }),
  ]);
  const expires_at = new Date(ctx.now().getTime() + opened.seconds * 1000).toISOString();
  return {
    token: opened.token,
    expires_at,
    user: { id, username: me?.username ?? username, role: roleOf(me) },
  };
}

const roleOf = (me: z.output<typeof Me> | undefined) =>
  me?.operator ? ("admin" as const) : ("user" as const);

/** Each wrong password is an entry; being locked out is one a minute, so that hammering fills no table. */
function tellFailure(ctx: Ctx, act: (action: string) => PanelAct, error: unknown): void {
  if (!(error instanceof AppError) || error.status >= 500) return;
  if (error.code === "locked_out") {
    auditRefusal(ctx, entryOf(act("auth.login")), error);
    return;
  }
  const nobody = { kind: "system", id: null } as const;
  const failed = { ...entryOf(act("auth.login.failed")), actor: nobody };
  auditRefusal(ctx, failed, error, { writer: "audit_write" });
}

/** The signed-in person. */
export async function readMe(ctx: Ctx) {
  const { userId } = actorOf(ctx);
  const [me] = await ctx.db.run(meStatement(userId));
  return { id: operatorName(userId), username: me?.username ?? "", role: roleOf(me) };
}

/** Ends the sign-in that the token names. */
export async function logout(ctx: Ctx, tell: TellSignInEnded): Promise<void> {
  const id = operatorName(actorOf(ctx).userId);
  await ctx.db.run(panelAudited(ctx, { action: "auth.logout", target: { type: "user", id } }));
  await endSession(ctx, tell);
}

export interface NewPasswordInput {
  current_password: string;
  new_password: string;
  address: string;
}

/** Another password for the signed-in person; his other sign-ins end with it. */
export async function changeOwnPassword(
  ctx: Ctx,
  input: NewPasswordInput,
  tell: TellSignInEnded,
): Promise<void> {
  const bytes = new TextEncoder().encode(input.new_password).byteLength;
  if (bytes < MIN_PASSWORD_BYTES) {
    throw new AppError("invalid_input", "password must be at least 8 characters");
  }
  if (bytes > MAX_PASSWORD_BYTES) {
    throw new AppError("invalid_input", "password must be at most 72 bytes");
  }
  const id = operatorName(actorOf(ctx).userId);
  const told = panelAudited(ctx, { action: "auth.change_password", target: { type: "user", id } });
  await changePassword(
    ctx,
    { current: input.current_password, next: input.new_password, address: input.address },
    {
      wrong: "invalid current password",
      same: "new password must differ from the current password",
      lockedOut: "too many attempts",
    },
    { tell, also: [told] },
  );
}
