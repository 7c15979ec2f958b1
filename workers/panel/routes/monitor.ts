import { createRoute, z } from "@hono/zod-openapi";
import { SERVICE_STATUSES } from "../../../shared/agent-protocol/monitor.ts";
import { panelOk } from "../../../shared/http/answers.ts";
import { access } from "../../../shared/http/api.ts";
import { createPanelApi } from "../api.ts";
import { listLimit } from "../lists.ts";
import { listIncidents, readHistory, readHost, readServices } from "../monitor/figures.ts";
import { chosenServer, serverQuery } from "../server-choice.ts";

const tags = ["panel: monitor"];
const operator = [access("operator")];
const DAY_MINUTES = 1_440;
const HOUR_MINUTES = 60;

const figure = z.number().nullable();

const Host = z.object({
  status: z.enum(["ok", "stale"]),
  hostname: z.string(),
  goos: z.string(),
  goarch: z.string(),
  cpu_threads: z.number(),
  timestamp: z.string(),
  server: z.string(),
  measured_at: z.string().nullable(),
  uptime_seconds: figure,
  cpu_percent: figure,
  load: z.array(z.number()).nullable(),
  memory: z
    .object({
      total_bytes: z.number(),
      available_bytes: z.number(),
      swap_total_bytes: z.number(),
      swap_free_bytes: z.number(),
    })
    .nullable(),
  disks: z.array(
    z.object({
      mount: z.string(),
      total_bytes: z.number(),
      used_bytes: z.number(),
      used_percent: z.number(),
    }),
  ),
  network: z
    .object({ received_bytes_per_second: z.number(), sent_bytes_per_second: z.number() })
    .nullable(),
});

const Minute = z.object({
  minute: z.string(),
  reports: z.number(),
  cpu_percent: figure,
  memory_percent: z.number(),
  disk_percent: z.number(),
  load_1: z.number(),
  received_bytes_per_second: figure,
  sent_bytes_per_second: figure,
  failed_services: z.number(),
});

/** How many minutes back: an hour unless 1 to 1440 are asked for; nothing here is an error. */
const minutesBack = z
  .preprocess((value) => {
    const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : 0;
    return number >= 1 ? Math.min(number, DAY_MINUTES) : HOUR_MINUTES;
  }, z.number().int())
  .openapi({ type: "integer", example: HOUR_MINUTES });

export const monitorRoutes = createPanelApi();

monitorRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/monitor/host",
    tags,
    summary: "A server's figures as its agent last reported them",
    middleware: operator,
    request: { query: serverQuery },
    responses: panelOk(200, Host),
  }),
  async (c) => c.json(await readHost(c.var.ctx, chosenServer(c)), 200),
);

monitorRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/monitor/services",
    tags,
    summary: "The watched services, each with the word of `systemctl is-active`",
    middleware: operator,
    request: { query: serverQuery },
    responses: panelOk(
      200,
      z.object({
        items: z.array(
          z.object({ name: z.string(), status: z.enum(SERVICE_STATUSES), checked_at: z.string() }),
        ),
      }),
    ),
  }),
  async (c) => c.json(await readServices(c.var.ctx, chosenServer(c)), 200),
);

monitorRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/monitor/history",
    tags,
    summary: "Up to 24 hours in minutes, newest first",
    middleware: operator,
    request: { query: serverQuery.extend({ minutes: minutesBack }) },
    responses: panelOk(200, z.object({ items: z.array(Minute) })),
  }),
  async (c) => {
    const { minutes } = c.req.valid("query");
    return c.json(await readHistory(c.var.ctx, chosenServer(c), minutes), 200);
  },
);

monitorRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/monitor/incidents",
    tags,
    summary: "What is or was wrong with a server, newest first",
    middleware: operator,
    request: { query: serverQuery.extend({ limit: listLimit }) },
    responses: panelOk(
      200,
      z.object({
        items: z.array(
          z.object({
            id: z.string(),
            kind: z.string(),
            subject: z.string(),
            facts: z.record(z.string(), z.union([z.string(), z.number()])),
            opened_at: z.string(),
            closed_at: z.string().nullable(),
          }),
        ),
      }),
    ),
  }),
  async (c) => {
    const { limit } = c.req.valid("query");
    return c.json(await listIncidents(c.var.ctx, chosenServer(c), limit), 200);
  },
);
