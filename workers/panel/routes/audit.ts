import { createRoute, z } from "@hono/zod-openapi";
import { panelOk } from "../../../shared/http/answers.ts";
import { access } from "../../../shared/http/api.ts";
import { createPanelApi } from "../api.ts";
import { listAudit } from "../audit.ts";
import { listLimit } from "../lists.ts";

const AuditLog = z.object({
  id: z.number(),
  actor_user: z.string(),
  action: z.string(),
  target_type: z.string(),
  target_id: z.string(),
  /** JSON in a text; `null` where there is none. */
  metadata: z.string(),
  created_at: z.string(),
});

const word = z.string().max(300, "invalid filter").optional();
const moment = z.iso.datetime({ offset: true, error: "invalid time" }).optional();

/** The trail of what was done on the panel and what was refused. */
export const auditRoutes = createPanelApi();

auditRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/audit/logs",
    tags: ["panel: audit"],
    summary: "The audit trail, newest first; `before` an entry's id turns the page",
    middleware: [access("operator")] as const,
    request: {
      query: z.object({
        limit: listLimit,
        action: word,
        actor_user: word,
        target_type: word,
        target_id: word,
        since: moment,
        until: moment,
        before: z
          .string()
          .regex(/^[1-9]\d{0,14}$/, "invalid before")
          .transform(Number)
          .optional(),
      }),
    },
    responses: panelOk(200, z.object({ items: z.array(AuditLog) })),
  }),
  async (c) => c.json(await listAudit(c.var.ctx, c.req.valid("query")), 200),
);
