import { createRoute, z } from "@hono/zod-openapi";
import { auditRefusals } from "../../../shared/audit/refusals.ts";
import { body, topupData, topupOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import {
  changeMargin,
  createMargin,
  deleteMargin,
  listMargins,
  listPriceHistory,
  previewMargins,
} from "../admin/margins.ts";
import { listMembers, setMemberLevel } from "../admin/members.ts";
import { IdParameter } from "../schemas/admin.ts";
import {
  ListedMargin,
  MarginChange,
  MarginCreation,
  MarginEffect,
  MarginPlan,
  MarginRemoval,
  MarginWritten,
  MemberChange,
  MemberParameter,
  MemberQuery,
  MemberSet,
  MemberShape,
  PriceEntry,
} from "../schemas/margins.ts";

export const adminMarginRoutes = createApi();

const tags = ["topup: admin"];
const margins = "/api/admin/topup/margins";
const members = "/api/admin/topup/members";
const refusals = (kind: string, parameter: string) =>
  auditRefusals(kind.replace("_", "."), (c) => ({ kind, id: c.req.param(parameter) ?? "-" }));
const onRule = [refusals("topup_margin", "id"), access("admin", { fresh: true })];
const onMember = [refusals("topup_member", "userId"), access("admin", { fresh: true })];

adminMarginRoutes.openapi(
  createRoute({
    method: "get",
    path: margins,
    tags,
    summary: "The margin rules; the most specific one wins: brand before level before family",
    middleware: onRule,
    responses: topupOk(z.array(ListedMargin)),
  }),
  async (c) => c.json(topupData(await listMargins(c.var.ctx)), 200),
);

adminMarginRoutes.openapi(
  createRoute({
    method: "post",
    path: `${margins}/preview`,
    tags,
    summary: "What adding, changing or removing a rule would do to the prices",
    middleware: onRule,
    request: { body: body(MarginPlan) },
    responses: topupOk(MarginEffect),
  }),
  async (c) => c.json(topupData(await previewMargins(c.var.ctx, c.req.valid("json"))), 200),
);

adminMarginRoutes.openapi(
  createRoute({
    method: "post",
    path: margins,
    tags,
    summary: "Add a margin rule; the catalogue is re-priced by a job",
    middleware: onRule,
    request: { body: body(MarginCreation) },
    responses: topupOk(MarginWritten),
  }),
  async (c) => c.json(topupData(await createMargin(c.var.ctx, c.req.valid("json"))), 200),
);

adminMarginRoutes.openapi(
  createRoute({
    method: "put",
    path: `${margins}/{id}`,
    tags,
    summary: "Change what a margin rule adds, or switch it off and on",
    middleware: onRule,
    request: { params: IdParameter, body: body(MarginChange) },
    responses: topupOk(MarginWritten),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    return c.json(topupData(await changeMargin(c.var.ctx, id, c.req.valid("json"))), 200);
  },
);

adminMarginRoutes.openapi(
  createRoute({
    method: "delete",
    path: `${margins}/{id}`,
    tags,
    summary: "Remove a margin rule",
    middleware: onRule,
    request: { params: IdParameter, body: body(MarginRemoval) },
    responses: topupOk(MarginWritten),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    return c.json(topupData(await deleteMargin(c.var.ctx, id, c.req.valid("json"))), 200);
  },
);

adminMarginRoutes.openapi(
  createRoute({
    method: "get",
    path: members,
    tags,
    summary: "Users whose prices and limits are not a plain member's",
    middleware: onMember,
    request: { query: MemberQuery },
    responses: topupOk(z.object({ members: z.array(MemberShape), next: z.string().nullable() })),
  }),
  async (c) => c.json(topupData(await listMembers(c.var.ctx, c.req.valid("query"))), 200),
);

adminMarginRoutes.openapi(
  createRoute({
    method: "put",
    path: `${members}/{userId}`,
    tags,
    summary: "Give a user the prices and the limits of a level; `member` is everybody's",
    middleware: onMember,
    request: { params: MemberParameter, body: body(MemberChange) },
    responses: topupOk(MemberSet),
  }),
  async (c) => {
    const { userId } = c.req.valid("param");
    return c.json(topupData(await setMemberLevel(c.var.ctx, userId, c.req.valid("json"))), 200);
  },
);

adminMarginRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/admin/topup/services/{id}/prices",
    tags,
    summary: "The latest changes of a service's price",
    middleware: onRule,
    request: { params: IdParameter },
    responses: topupOk(z.array(PriceEntry)),
  }),
  async (c) => c.json(topupData(await listPriceHistory(c.var.ctx, c.req.valid("param").id)), 200),
);
