import { createRoute, z } from "@hono/zod-openapi";
import { deleteCookie } from "hono/cookie";
import { authAnswer, enveloped } from "../../../shared/http/answers.ts";
import { access, createApi, SESSION_COOKIE } from "../../../shared/http/api.ts";
import { sessionCookieOptions } from "../cookie.ts";
import { endSession, type TellSignInEnded } from "../sessions.ts";

/** The end of a sign-in; `tell` reaches what other domains keep open for it. */
export function logoutRoutes(tell: TellSignInEnded) {
  const routes = createApi();
  routes.openapi(
    createRoute({
      method: "post",
      path: "/api/auth/logout",
      tags: ["identity"],
      summary: "End this sign-in everywhere and drop the cookie",
      middleware: [access(null)] as const,
      responses: authAnswer(200, { data: z.object({ success: z.literal(true) }) }),
    }),
    async (c) => {
      await endSession(c.var.ctx, tell);
      deleteCookie(c, SESSION_COOKIE, sessionCookieOptions(c.var.ctx.config, c.req.url));
      return c.json({ success: true, ...enveloped({ success: true } as const) } as const, 200);
    },
  );
  return routes;
}
