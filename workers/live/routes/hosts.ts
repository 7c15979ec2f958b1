import { createRoute, z } from "@hono/zod-openapi";
import { appOk, body } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { applyAsHost, leaveAgency } from "../agencies/members.ts";
import { followedHosts, hotHosts, liveHosts, newHosts, searchHosts } from "../hosts.ts";
import { appPaging, word } from "../paging.ts";
import { ApplicationShape, HostForm } from "../schemas/agencies.ts";
import { HostCard } from "../schemas/social.ts";
import { polled } from "./polled.ts";
import { inContractWords } from "./words.ts";

const tags = ["live: hosts"];

/** Hosts as the home screen lists them, and a host's way into an agency and out of it. */
export const hostRoutes = createApi();

const cards = appOk({ data: z.array(HostCard) });
const query = z.object(appPaging(50, 100));

for (const [list, summary, verb] of [
  ["live", "Who is live, the newest first", liveHosts],
  ["hot", "Who is live: just begun, then most given in 24 hours, then most watched", hotHosts],
  ["new", "Hosts who registered within seven days", newHosts],
] as const) {
  hostRoutes.openapi(
    createRoute({
      method: "get",
      path: `/api/hosts/${list}`,
      tags,
      summary,
      middleware: list === "new" ? [] : [polled],
      request: { query },
      responses: cards,
    }),
    async (c) => {
      const data = await verb(c.var.ctx, c.req.valid("query"));
      return c.json({ success: true, data } as const, 200);
    },
  );
}

hostRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/hosts/followed",
    tags,
    summary: "Whom I follow, who is live first",
    middleware: [access(null)] as const,
    request: { query },
    responses: cards,
  }),
  async (c) => {
    const data = await followedHosts(c.var.ctx, c.req.valid("query"));
    return c.json({ success: true, data } as const, 200);
  },
);

hostRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/hosts/search",
    tags,
    summary: "Ten hosts by number or name",
    request: { query: z.object({ q: word("") }) },
    responses: cards,
  }),
  async (c) => {
    const data = await searchHosts(c.var.ctx, c.req.valid("query").q);
    return c.json({ success: true, data } as const, 200);
  },
);

hostRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/hosts/apply",
    tags,
    summary: "Ask an agency to take me as a host",
    middleware: [access(null)] as const,
    request: { body: body(HostForm) },
    responses: appOk({ message: z.string(), data: ApplicationShape }),
  }),
  async (c) => {
    const data = await applyAsHost(c.var.ctx, c.req.valid("json"));
    return c.json(
      { success: true, message: "Pengajuan host berhasil dikirim", data } as const,
      200,
    );
  },
  inContractWords,
);

hostRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/hosts/leave",
    tags,
    summary: "Leave my agency, or take back my application",
    middleware: [access(null)] as const,
    responses: appOk({ message: z.string(), data: ApplicationShape }),
  }),
  async (c) => {
    const data = await leaveAgency(c.var.ctx);
    return c.json({ success: true, message: "Anda sudah keluar dari agency", data } as const, 200);
  },
);
