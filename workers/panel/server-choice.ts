import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ApiEnv } from "../../shared/http/api.ts";

/** `?server=srv_…` on every path that is about one server; the header `x-server` says the same. */
export const serverQuery = z.object({ server: z.string().max(100, "invalid server").optional() });

/** The server that a call names, or null: the default one. Postgres says whether it exists (`panel_server_of`). */
export function chosenServer(c: Context<ApiEnv>): string | null {
  return (c.req.query("server") || c.req.header("x-server")) ?? null;
}
