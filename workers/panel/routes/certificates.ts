import { createRoute, z } from "@hono/zod-openapi";
import { body, panelOk } from "../../../shared/http/answers.ts";
import { access } from "../../../shared/http/api.ts";
import { createPanelApi } from "../api.ts";
import { panelRefusals } from "../audit.ts";
import {
  certificateShape,
  issueCertificate,
  listCertificates,
  renewCertificates,
} from "../certificates.ts";
import { listLimit } from "../lists.ts";
import { Pending } from "../schemas.ts";
import { chosenServer, serverQuery } from "../server-choice.ts";
import { certificateEmail, domain } from "../words.ts";

const tags = ["panel: certificates"];
const operator = access("operator", { fresh: true });

const Issue = z.strictObject({
  domain,
  email: certificateEmail,
  staging: z.boolean().default(false),
});

/** Certificates of the sites. */
export const certificateRoutes = createPanelApi();

certificateRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/ssl/issue",
    tags,
    summary:
      "A certificate for a site, in use when it is done; 202 where that takes longer than 20 s",
    middleware: [panelRefusals("ssl.issue", "ssl"), operator] as const,
    request: { query: serverQuery, body: body(Issue) },
    responses: {
      ...panelOk(200, z.object({ status: z.literal("ok"), domain: z.string() })),
      ...panelOk(202, Pending),
    },
  }),
  async (c) => {
    const input = c.req.valid("json");
    const made = await issueCertificate(c.var.ctx, { server: chosenServer(c), ...input });
    if (made.state === "pending") return c.json({ status: "pending" as const, job: made.job }, 202);
    return c.json({ status: "ok" as const, domain: input.domain }, 200);
  },
);

certificateRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/ssl/renew",
    tags,
    summary: "Renew what ends within 30 days; 202 where that takes longer than 20 s",
    middleware: [panelRefusals("ssl.renew", "ssl"), operator] as const,
    request: { query: serverQuery },
    responses: {
      ...panelOk(200, z.object({ status: z.literal("ok") })),
      ...panelOk(202, Pending),
    },
  }),
  async (c) => {
    const made = await renewCertificates(c.var.ctx, chosenServer(c));
    if (made.state === "pending") return c.json({ status: "pending" as const, job: made.job }, 202);
    return c.json({ status: "ok" as const }, 200);
  },
);

certificateRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/ssl/certificates",
    tags,
    summary: "The certificates that agents have told of, the one that ends first on top",
    middleware: [access("operator")] as const,
    request: { query: serverQuery.extend({ limit: listLimit }) },
    responses: panelOk(200, z.object({ items: z.array(certificateShape) })),
  }),
  async (c) => {
    const { limit } = c.req.valid("query");
    const items = await listCertificates(c.var.ctx, { server: chosenServer(c), limit });
    return c.json({ items }, 200);
  },
);
