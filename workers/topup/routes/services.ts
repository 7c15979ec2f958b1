import { createRoute, z } from "@hono/zod-openapi";
import { body, topupAnswer, topupData, topupOk } from "../../../shared/http/answers.ts";
import { access, createApi, knowCaller } from "../../../shared/http/api.ts";
import { listServices } from "../catalogue.ts";
import { findNickname } from "../nicknames.ts";
import {
  NicknameRequest,
  NicknameShape,
  ServicePage,
  ServiceQuery,
  ServiceShape,
} from "../schemas/services.ts";

export const serviceRoutes = createApi();

const tags = ["topup: catalogue"];

const Page = z.object({ success: z.literal(true), data: z.array(ServiceShape), meta: ServicePage });

serviceRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/services",
    tags,
    summary:
      "The services on sale, at the caller's prices; meta.capped says that there are more than meta.total",
    middleware: [knowCaller] as const,
    request: { query: ServiceQuery },
    responses: topupAnswer(Page, "A page of services"),
  }),
  async (c) => {
    const { rows, ...meta } = await listServices(c.var.ctx, c.req.valid("query"));
    return c.json({ ...topupData(rows), meta }, 200);
  },
);

serviceRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/services/nickname",
    tags,
    summary: "The name of a player, before something is bought for him",
    middleware: [access(null)] as const,
    request: { body: body(NicknameRequest) },
    responses: topupOk(NicknameShape),
  }),
  async (c) => c.json(topupData(await findNickname(c.var.ctx, c.req.valid("json"))), 200),
);
