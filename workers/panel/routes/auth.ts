import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { body, panelOk } from "../../../shared/http/answers.ts";
import { type ApiEnv, access } from "../../../shared/http/api.ts";
import { callerAddress } from "../../../shared/http/caller.ts";
import type { TellSignInEnded } from "../../identity/index.ts";
import { createPanelApi } from "../api.ts";
import { panelRefusals } from "../audit.ts";
import { changeOwnPassword, login, logout, readMe } from "../auth.ts";
import { operatorName } from "../people.ts";

const tags = ["panel: sign-in"];
const MAX_TYPED = 1_000;

const PanelUser = z.object({
  id: z.string(),
  username: z.string(),
  role: z.enum(["admin", "user"]),
});
const Done = z.object({ status: z.literal("ok") });
const done = { status: "ok" } as const;

const LoginBody = z.strictObject({
  username: z.string().max(MAX_TYPED, "invalid credentials").default(""),
  password: z.string().max(MAX_TYPED, "invalid credentials").default(""),
});

const PasswordBody = z.strictObject({
  current_password: z.string().max(MAX_TYPED, "invalid current password").default(""),
  new_password: z.string().max(MAX_TYPED, "password must be at most 72 bytes").default(""),
});

const ownName = (c: Context<ApiEnv>) => {
  const { actor } = c.var.ctx;
  return actor ? operatorName(actor.userId) : "";
};

/** Sign-in at the panel. `tell` reaches what other domains keep open for a sign-in that ends. */
export function panelAuthRoutes(tell: TellSignInEnded) {
  const routes = createPanelApi();

  routes.openapi(
    createRoute({
      method: "post",
      path: "/v1/auth/login",
      tags,
      summary: "Sign in as an operator, by user name or e-mail",
      request: { body: body(LoginBody) },
      responses: panelOk(
        200,
        z.object({ token: z.string(), expires_at: z.string(), user: PanelUser }),
      ),
    }),
    async (c) => {
      const input = { ...c.req.valid("json"), address: callerAddress(c) };
      return c.json(await login(c.var.ctx, input), 200);
    },
  );

  routes.openapi(
    createRoute({
      method: "post",
      path: "/v1/auth/logout",
      tags,
      summary: "End this sign-in",
      middleware: [
        panelRefusals("auth.logout", "user", ownName),
        access(null, { fresh: true }),
      ] as const,
      responses: panelOk(200, Done),
    }),
    async (c) => {
      await logout(c.var.ctx, tell);
      return c.json(done, 200);
    },
  );

  routes.openapi(
    createRoute({
      method: "get",
      path: "/v1/auth/me",
      tags,
      summary: "Who is signed in",
      middleware: [access(null)] as const,
      responses: panelOk(200, PanelUser),
    }),
    async (c) => c.json(await readMe(c.var.ctx), 200),
  );

  routes.openapi(
    createRoute({
      method: "post",
      path: "/v1/auth/change-password",
      tags,
      summary: "Another password; every other sign-in ends",
      middleware: [
        panelRefusals("auth.change_password", "user", ownName),
        access(null, { fresh: true }),
      ] as const,
      request: { body: body(PasswordBody) },
      responses: panelOk(200, Done),
    }),
    async (c) => {
      const input = { ...c.req.valid("json"), address: callerAddress(c) };
      await changeOwnPassword(c.var.ctx, input, tell);
      return c.json(done, 200);
    },
  );
  return routes;
}
