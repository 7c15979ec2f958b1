import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { call } from "../../shared/db/statement.ts";
import { AppError } from "../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../shared/jobs/jobs.ts";
import { refuseKnown, registerLimit, rememberRefusal } from "./attempts.ts";
import { hashPassword } from "./passwords.ts";

export interface RegisterInput {
  email?: string | undefined;
  phone?: string | undefined;
  name: string;
  password: string;
  role: "buyer" | "seller";
  /** The caller's address as the platform names it. */
  address: string;
}

const Registered = z.union([
  z.object({ retry_after: z.number() }),
  z.object({ taken: z.enum(["email", "phone"]) }),
  z.object({
    user: z.object({
      id: z.number(),
      email: z.string().nullable(),
      name: z.string(),
      phone: z.string().nullable(),
      created_at: z.string(),
    }),
    /** The mail that greets who has an address. */
    wake: wakeSchema,
  }),
]);

/** Makes an account in one round trip. Nobody becomes admin or operator here, whatever he sends. */
export async function register(ctx: Ctx, input: RegisterInput) {
  const limit = await registerLimit(ctx, input.address);
  refuseKnown(ctx, limit);
  const result = await ctx.db.run(
    call(
      "identity_register",
      {
        limits: [limit],
        email: input.email ?? null,
        phone: input.phone ?? null,
        password_hash: await hashPassword(ctx.config, input.password),
        name: input.name,
        roles: input.role === "seller" ? ["buyer", "seller"] : ["buyer"],
      },
      Registered,
    ),
  );
  if ("retry_after" in result) throw rememberRefusal(ctx, limit, result.retry_after);
  if ("taken" in result) throw taken(result.taken);
  wake(ctx, result.wake);
  const { created_at, ...user } = result.user;
  return { ...user, emailVerified: false, createdAt: new Date(created_at).toISOString() };
}

/** An account of the mobile app: a phone number, and a name made of its last digits where none is given. */
export async function registerByPhone(
  ctx: Ctx,
  input: { phone: string; name?: string | undefined; password: string; address: string },
) {
  const name = input.name ?? `User-${input.phone.slice(-4)}`;
  return await register(ctx, { ...input, name, role: "buyer" });
}

const taken = (what: "email" | "phone") =>
  new AppError(
    "invalid_input",
    what === "email" ? "Email sudah terdaftar" : "Nomor sudah terdaftar!",
  );
