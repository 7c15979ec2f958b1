import { createRoute, z } from "@hono/zod-openapi";
import { appOk } from "../../../shared/http/answers.ts";
import { createApi } from "../../../shared/http/api.ts";
import { listContributions } from "../contributions.ts";
import { rankFans, rankHosts } from "../ranking.ts";
import { idInPath } from "../schemas/fields.ts";
import { ContributionShape, PeriodQuery, RankedShape } from "../schemas/gifts.ts";
import { inContractWordsWith } from "./words.ts";

const tags = ["live: ranking"];

/** Who gave most, who was given most, and a host's newest gifts: public, without private fields. */
export const rankingRoutes = createApi();

const BAD_RANKED_HOST = "Invalid hostId parameter. Must be a valid user ID number.";

rankingRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/ranking/fans/{hostId}",
    tags,
    summary: "A host's hundred best fans (hourly, daily, weekly, else all time)",
    request: { params: z.object({ hostId: idInPath(BAD_RANKED_HOST) }), query: PeriodQuery },
    responses: appOk({ data: z.array(RankedShape), period: z.string(), hostId: z.number() }),
  }),
  async (c) => {
    const { hostId } = c.req.valid("param");
    const { period } = c.req.valid("query");
    const data = await rankFans(c.var.ctx, hostId, period);
    return c.json({ success: true, data, period, hostId } as const, 200);
  },
  inContractWordsWith({ data: [] }),
);

rankingRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/ranking/hosts",
    tags,
    summary: "The hundred best hosts (hourly, daily, weekly, else all time)",
    request: { query: PeriodQuery },
    responses: appOk({ data: z.array(RankedShape), period: z.string() }),
  }),
  async (c) => {
    const { period } = c.req.valid("query");
    const data = await rankHosts(c.var.ctx, period);
    return c.json({ success: true, data, period } as const, 200);
  },
);

rankingRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/contributions/{hostId}",
    tags,
    summary:
      "A host's newest hundred gifts and the period's coins (daily, weekly, monthly, else all time)",
    request: {
      params: z.object({ hostId: idInPath("Invalid hostId parameter") }),
      query: PeriodQuery,
    },
    responses: appOk({
      data: z.array(ContributionShape),
      totalCoins: z.number(),
      period: z.string(),
      hostId: z.number(),
    }),
  }),
  async (c) => {
    const { hostId } = c.req.valid("param");
    const { period } = c.req.valid("query");
    const found = await listContributions(c.var.ctx, hostId, period);
    return c.json({ success: true, ...found, period, hostId } as const, 200);
  },
  inContractWordsWith({ data: [], totalCoins: 0 }),
);
