import { sql } from "drizzle-orm";
import { z } from "zod";
import { normalisePhone } from "../../shared/auth/phone.ts";
import { sessionSeconds, signToken } from "../../shared/auth/tokens.ts";
import type { Ctx, Role } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { AppError } from "../../shared/http/errors.ts";
import { describeError } from "../../shared/log.ts";
import { lockedOut, signInLimits } from "./attempts.ts";
import { hashPassword, isOutdated, passwordMatches } from "./passwords.ts";
import { type Person, profileOf, selectPerson } from "./profile.ts";

export interface SignInInput {
  /** An e-mail in lower case (`SignInBody` makes it) or a phone number, however it is written. */
  identifier: string;
  password: string;
  /** The caller's address as the platform names it. */
  address: string;
  /** The words for both an unknown account and a wrong password. */
  refusal?: string;
  /** The words for an account that is locked; default: in Indonesian, with the time to wait. */
  lockedOut?: string;
  /** An SQL function that finds the account by `name` as well, and else does what identity_signin_begin does. */
  begin?: string;
}

const Begun = z.object({
  retry_after: z.number(),
  keys: z.tuple([z.string(), z.string(), z.string()]),
  user: z
    .object({
      id: z.number(),
      password_hash: z.string(),
      roles: z.array(z.enum(["buyer", "seller", "admin", "operator"])),
      banned: z.boolean(),
    })
    .nullable(),
});
type Candidate = NonNullable<z.output<typeof Begun>["user"]>;

const Finished = z.object({ session_id: z.string().nullable() });

/**
 * Checks a password and opens a session: one round trip that counts the attempt, one that records the success.
 * An unknown account does the same work as a wrong password and gets the same words.
 */
export async function signIn(ctx: Ctx, input: SignInInput) {
  const refused = new AppError("unauthenticated", input.refusal ?? "Email atau password salah");
  const byEmail = input.identifier.includes("@");
  const phone = byEmail ? null : normalisePhone(input.identifier);
  const limits = await signInLimits(ctx, phone ?? input.identifier, input.address);
  const begun = await ctx.db.run(
    call(
      input.begin ?? "identity_signin_begin",
      {
        limits,
        name: input.identifier,
        email: byEmail ? input.identifier : null,
        phone,
      },
      Begun,
    ),
  );
  if (begun.retry_after > 0) throw lockedOut(begun.retry_after, input.lockedOut);
  const candidate = begun.user;
  const matched = await passwordMatches(ctx.config, input.password, candidate?.password_hash);
  if (!candidate || !matched) throw refused;
  if (candidate.banned) throw new AppError("forbidden", "Akun Anda diblokir");
  const opened = await openSession(ctx, candidate, begun.keys);
  if (!opened) throw refused;
  if (isOutdated(ctx.config, candidate.password_hash)) {
    const renewed = renewHash(ctx, candidate, input.password);
    ctx.waitUntil(
      renewed.catch((error: unknown) => ctx.log.warn("hash not renewed", describeError(error))),
    );
  }
  return opened;
}

/** Behind the answer: the same password's hash at today's cost, unless the password was changed meanwhile. */
async function renewHash(ctx: Ctx, { id, password_hash }: Candidate, password: string) {
  const renewed = await hashPassword(ctx.config, password);
  await ctx.db.run(
    rows(
      sql`update identity_users set password_hash = ${renewed} where id = ${id} and password_hash = ${password_hash}`,
      z.unknown(),
    ),
  );
}

/** Null when the account changed (banned, deleted, another password) while its password was compared. */
async function openSession(ctx: Ctx, candidate: Candidate, [pair, ...others]: string[]) {
  const seconds = sessionSeconds(candidate.roles);
  const [{ session_id: sessionId }, [person]] = await ctx.db.batch([
    call(
      "identity_signin_finish",
      {
        user_id: candidate.id,
        password_hash: candidate.password_hash,
        seconds,
        pair_key: pair,
        other_keys: others,
      },
      Finished,
    ),
    selectPerson({ id: candidate.id }),
  ]);
  if (!sessionId || !person) return null;
  const { id: userId, roles, phone } = person;
  const token = await signToken(ctx.config, { userId, sessionId, roles, phone }, ctx.now());
  return { token, seconds: sessionSeconds(roles), user: signedInUser(person) };
}

function signedInUser(person: Person) {
  return {
    ...profileOf(person),
    email: person.email,
    emailVerified: person.emailVerifiedAt !== null,
    createdAt: person.createdAt.toISOString(),
    role: mainRole(person.roles),
    roles: person.roles,
  };
}

/** The one role that a client with a single role field should act in. */
function mainRole(roles: Role[]): Role {
  const order: Role[] = ["admin", "operator", "seller"];
  return order.find((role) => roles.includes(role)) ?? "buyer";
}
