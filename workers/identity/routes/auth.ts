import { createRoute, z } from "@hono/zod-openapi";
import { setCookie } from "hono/cookie";
import { authAnswer, body, enveloped } from "../../../shared/http/answers.ts";
import { createApi, SESSION_COOKIE } from "../../../shared/http/api.ts";
import { callerAddress } from "../../../shared/http/caller.ts";
import { register } from "../accounts.ts";
import { sessionCookieOptions } from "../cookie.ts";
import { RegisterBody, SignedInShape, SignInBody, UserShape } from "../schemas.ts";
import { signIn } from "../signin.ts";
import { inContractWords } from "./edge.ts";

const tags = ["identity"];

/** The paths that two contracts share: each answer carries both shapes. */
export const authRoutes = createApi();

authRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/auth/register",
    tags,
    summary: "Register with an e-mail, as buyer or seller",
    request: { body: body(RegisterBody) },
    responses: authAnswer(201, {
      data: z.object({ user_id: z.number() }),
      message: z.string(),
      user: UserShape,
      otpSent: z.literal(false),
    }),
  }),
  async (c) => {
    const { full_name, name = "", ...input } = c.req.valid("json");
    const address = callerAddress(c);
    const user = await register(c.var.ctx, { ...input, name: full_name ?? name, address });
    const answer = enveloped({ user_id: user.id });
    // The contract's word for a code that was mailed. There is none to enter: who registers may sign in at once.
    const told = { message: "Registrasi berhasil", user, otpSent: false } as const;
    return c.json({ success: true, ...answer, ...told } as const, 201);
  },
  inContractWords,
);

for (const path of ["/api/auth/signin", "/api/auth/login"] as const) {
  authRoutes.openapi(
    createRoute({
      method: "post",
      path,
      tags,
      summary: "Sign in with an e-mail or a phone number; also sets the session cookie",
      request: { body: body(SignInBody) },
      responses: authAnswer(200, {
        data: z.object({ user_id: z.number(), token: z.string(), role: z.string() }),
        token: z.string(),
        user: SignedInShape,
      }),
    }),
    async (c) => {
      const { email, phone, identifier = "", password } = c.req.valid("json");
      const { token, seconds, user } = await signIn(c.var.ctx, {
        identifier: email ?? phone ?? identifier,
        password,
        address: callerAddress(c),
      });
      const options = sessionCookieOptions(c.var.ctx.config, c.req.url);
      setCookie(c, SESSION_COOKIE, token, { ...options, maxAge: seconds });
      const answer = enveloped({ user_id: user.id, token, role: user.role });
      return c.json({ success: true, ...answer, token, user } as const, 200);
    },
    inContractWords,
  );
}
