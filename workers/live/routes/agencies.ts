import { createRoute, z } from "@hono/zod-openapi";
import { appOk, body } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import {
  applyAgency,
  decideAgency,
  getOwnAgency,
  listAgencyApplications,
} from "../agencies/apply.ts";
import { agencyIncome, agencyLiveStats, agencyStats } from "../agencies/figures.ts";
import {
  decideApplication,
  listApplications,
  listHosts,
  removeMember,
} from "../agencies/members.ts";
import { appPaging, word } from "../paging.ts";
import {
  AgencyForm,
  AgencyHost,
  AgencyShape,
  ApplicationShape,
  HostIncomeLine,
  ListedApplication,
  LiveStats,
  StatsShape,
} from "../schemas/agencies.ts";
import { idOrNone } from "../schemas/fields.ts";
import { inContractWords } from "./words.ts";

const paging = appPaging(100);
const tags = ["live: agencies"];
const agencyParam = z.object({ agencyId: idOrNone });
const period = word("all");

/**
 * Agencies of hosts (contract §2.6): the seed's paths, and those that the shipped app calls. Who owns an agency is a
 * fact in our rows, checked with the work itself; the token says only who asks.
 */
export const agencyRoutes = createApi();

agencyRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/agency/apply",
    tags,
    summary: "Apply for an agency of my own",
    middleware: [access(null)] as const,
    request: { body: body(AgencyForm) },
    responses: appOk({ message: z.string(), data: AgencyShape }),
  }),
  async (c) => {
    const data = await applyAgency(c.var.ctx, c.req.valid("json"));
    return c.json({ success: true, message: "Agency application submitted", data } as const, 200);
  },
  inContractWords,
);

agencyRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/agency/applications",
    tags,
    summary: "Agencies that wait for a decision (platform admins)",
    middleware: [access("admin")] as const,
    request: { query: z.object(paging) },
    responses: appOk({ data: z.array(AgencyShape) }),
  }),
  async (c) => {
    const data = await listAgencyApplications(c.var.ctx, c.req.valid("query"));
    return c.json({ success: true, data } as const, 200);
  },
);

agencyRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/agency/profile",
    tags,
    summary: "My agency",
    middleware: [access(null)] as const,
    responses: appOk({ data: AgencyShape }),
  }),
  async (c) => c.json({ success: true, data: await getOwnAgency(c.var.ctx) } as const, 200),
);

for (const [decision, done, approve] of [
  ["approve", "approved", true],
  ["reject", "rejected", false],
] as const) {
  agencyRoutes.openapi(
    createRoute({
      method: "post",
      path: `/api/agency/{agencyId}/${decision}`,
      tags,
      summary: `Decide on an agency: ${decision} (platform admins)`,
      middleware: [access("admin")] as const,
      request: { params: agencyParam },
      responses: appOk({ message: z.string(), data: AgencyShape }),
    }),
    async (c) => {
      const { agencyId } = c.req.valid("param");
      const data = await decideAgency(c.var.ctx, { agencyId, approve });
      return c.json({ success: true, message: `Agency ${done}`, data } as const, 200);
    },
  );

  agencyRoutes.openapi(
    createRoute({
      method: "post",
      path: `/api/agency/host-application/{id}/${decision}`,
      tags,
      summary: `Decide on a host's application to my agency: ${decision}`,
      middleware: [access(null)] as const,
      request: { params: z.object({ id: idOrNone }) },
      responses: appOk({ message: z.string(), data: ApplicationShape }),
    }),
    async (c) => {
      const applicationId = c.req.valid("param").id;
      const data = await decideApplication(c.var.ctx, { applicationId, approve });
      return c.json({ success: true, message: `Host application ${done}`, data } as const, 200);
    },
  );
}

agencyRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/agency/{agencyId}/stats",
    tags,
    summary: "Members and income of my agency",
    middleware: [access(null)] as const,
    request: { params: agencyParam },
    responses: appOk({ data: StatsShape }),
  }),
  async (c) => {
    const data = await agencyStats(c.var.ctx, c.req.valid("param").agencyId);
    return c.json({ success: true, data } as const, 200);
  },
);

agencyRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/agency/{agencyId}/hosts",
    tags,
    summary: "Hosts of my agency, who earned most first",
    middleware: [access(null)] as const,
    request: { params: agencyParam, query: z.object(paging) },
    responses: appOk({ data: z.array(AgencyHost) }),
  }),
  async (c) => {
    const query = { ...c.req.valid("query"), ...c.req.valid("param") };
    return c.json({ success: true, data: await listHosts(c.var.ctx, query) } as const, 200);
  },
);

agencyRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/agency/{agencyId}/host-applications",
    tags,
    summary: "Applications to my agency; pending ones when no status is named",
    middleware: [access(null)] as const,
    request: {
      params: agencyParam,
      query: z.object({
        ...paging,
        status: word("pending"),
      }),
    },
    responses: appOk({ data: z.array(ListedApplication) }),
  }),
  async (c) => {
    const query = { ...c.req.valid("query"), ...c.req.valid("param") };
    return c.json({ success: true, data: await listApplications(c.var.ctx, query) } as const, 200);
  },
);

agencyRoutes.openapi(
  createRoute({
    method: "delete",
    path: "/api/agency/{agencyId}/members/{memberId}",
    tags,
    summary: "Part with a host, on Tuesdays (Jakarta): ends the membership, deletes nothing",
    middleware: [access(null)] as const,
    request: { params: agencyParam.extend({ memberId: idOrNone }) },
    responses: appOk({ message: z.string(), data: ApplicationShape }),
  }),
  async (c) => {
    const { agencyId, memberId } = c.req.valid("param");
    const data = await removeMember(c.var.ctx, { agencyId, hostId: memberId });
    return c.json({ success: true, message: "Member removed", data } as const, 200);
  },
);

/** The period stands in the query (seed) or in the path (shipped app). */
for (const tail of ["", "/{period}"] as const) {
  const params = tail ? agencyParam.extend({ period }) : agencyParam.extend({});
  const query = tail ? z.object(paging) : z.object({ ...paging, period });

  agencyRoutes.openapi(
    createRoute({
      method: "get",
      path: `/api/agency/{agencyId}/income${tail}`,
      tags,
      summary: "What each host earned: `daily`, `weekly`, `monthly`, any other word: of all time",
      middleware: [access(null)] as const,
      request: { params, query },
      responses: appOk({ data: z.array(HostIncomeLine) }),
    }),
    async (c) => {
      const input = { period: "all", ...c.req.valid("query"), ...c.req.valid("param") };
      return c.json({ success: true, data: await agencyIncome(c.var.ctx, input) } as const, 200);
    },
  );

  agencyRoutes.openapi(
    createRoute({
      method: "get",
      path: `/api/agency/{agencyId}/live-stats${tail}`,
      tags,
      summary: "Lives of my hosts: `daily`, `weekly`, any other word: of all time",
      middleware: [access(null)] as const,
      request: { params, query },
      responses: appOk({ data: LiveStats }),
    }),
    async (c) => {
      const input = { period: "all", ...c.req.valid("query"), ...c.req.valid("param") };
      return c.json({ success: true, data: await agencyLiveStats(c.var.ctx, input) } as const, 200);
    },
  );
}
