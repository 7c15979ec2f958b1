import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { backupName } from "../../../shared/agent-protocol/backups.ts";
import { body, panelOk } from "../../../shared/http/answers.ts";
import { type ApiEnv, access } from "../../../shared/http/api.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { createPanelApi, panelInputError } from "../api.ts";
import { panelRefusals } from "../audit.ts";
import {
  backupView,
  listBackups,
  proveBackup,
  restoreBackup,
  runBackup,
} from "../backups/backups.ts";
import { changePolicy, getPolicy, policyChange, policyView } from "../backups/policy.ts";
import { listLimit } from "../lists.ts";
import { idText, JobView, Pending } from "../schemas.ts";
import { chosenServer, serverQuery } from "../server-choice.ts";
import { databaseName } from "../words.ts";

const tags = ["panel: backups"];
const operator = access("operator", { fresh: true });
const RESTART_NOTE = "restart nusantara-panel service is recommended after restore";

const Backup = backupView.openapi("PanelBackup");

/** Without a body: the panel's state. */
const Wanted = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("state") }),
  z.strictObject({ kind: z.literal("site"), site: idText }),
  z.strictObject({ kind: z.literal("database"), database: databaseName }),
]);
const WANTED = {
  type: "object" as const,
  properties: {
    kind: { type: "string" as const, enum: ["state", "site", "database"], example: "state" },
    site: { type: "string" as const, description: "A site's id, for `site`" },
    database: { type: "string" as const, description: "A database's name, for `database`" },
  },
  example: { kind: "state" },
};

/** An absolute path to something that has a backup's name; which folder it may be in, Postgres knows. */
const filePath = z
  .string()
  .max(1_024, "invalid backup path")
  .refine(isBackupPath, "invalid backup path")
  .openapi({ example: "/var/backups/nusantara-panel/nusantara_state_20260226_230101.json" });

function isBackupPath(path: string): boolean {
  const slash = path.lastIndexOf("/");
  const isClean = /^(?:\/(?!\.{1,2}\/)[A-Za-z0-9._ -]+)+\/$/.test(path.slice(0, slash + 1));
  return isClean && backupName.safeParse(path.slice(slash + 1)).success;
}

const File = z.strictObject({ file: filePath });

/** Backups of the panel's state, of sites and of databases. */
export const backupRoutes = createPanelApi();

backupRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/backup/run",
    tags,
    summary:
      "Back up the panel's state, or a site or database; 202 where that takes longer than 20 s",
    middleware: [panelRefusals("backup.run", "backup"), operator] as const,
    request: { query: serverQuery },
    // Documented here and not under `request`: the contract's clients say JSON and send nothing.
    requestBody: { required: false, content: { "application/json": { schema: WANTED } } },
    responses: {
      ...panelOk(201, z.object({ file: z.string(), created_at: z.string() })),
      ...panelOk(202, Pending),
    },
  }),
  async (c) => {
    const wanted = await optionalBody(c);
    const made = await runBackup(c.var.ctx, chosenServer(c), wanted);
    if (made.state === "pending") return c.json({ status: "pending" as const, job: made.job }, 202);
    return c.json(made.value, 201);
  },
);

async function optionalBody(c: Context<ApiEnv>): Promise<z.output<typeof Wanted>> {
  const text = (await c.req.text()).trim();
  if (text === "") return { kind: "state" };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new AppError("invalid_json", "");
  }
  if (JSON.stringify(json) === "{}") return { kind: "state" };
  const parsed = Wanted.safeParse(json);
  if (!parsed.success) throw panelInputError(parsed.error);
  return parsed.data;
}

backupRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/backup/restore",
    tags,
    summary: "Put a backup back, verified before and after; 202 where that takes longer than 20 s",
    middleware: [panelRefusals("backup.restore", "backup"), operator] as const,
    request: { query: serverQuery, body: body(File) },
    responses: {
      ...panelOk(200, z.object({ status: z.literal("ok"), file: z.string(), note: z.string() })),
      ...panelOk(202, Pending),
    },
  }),
  async (c) => {
    const { file } = c.req.valid("json");
    const made = await restoreBackup(c.var.ctx, chosenServer(c), file);
    if (made.state === "pending") return c.json({ status: "pending" as const, job: made.job }, 202);
    return c.json({ status: "ok" as const, file, note: RESTART_NOTE }, 200);
  },
);

backupRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/backup/list",
    tags,
    summary: "The server's backups, newest first; 202 with what is known while it cannot be asked",
    middleware: [access("operator")] as const,
    request: { query: serverQuery.extend({ limit: listLimit }) },
    responses: {
      ...panelOk(200, z.object({ items: z.array(Backup) })),
      ...panelOk(
        202,
        z.object({ status: z.literal("pending"), job: JobView, items: z.array(Backup) }),
      ),
    },
  }),
  async (c) => {
    const { limit } = c.req.valid("query");
    const { items, job } = await listBackups(c.var.ctx, chosenServer(c), limit);
    if (job) return c.json({ status: "pending" as const, job, items }, 202);
    return c.json({ items }, 200);
  },
);

backupRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/backup/prove",
    tags,
    summary:
      "Restore a backup into a scratch place and compare it; 202 where that takes longer than 20 s",
    middleware: [panelRefusals("backup.prove", "backup"), operator] as const,
    request: { query: serverQuery, body: body(File) },
    responses: {
      ...panelOk(200, z.object({ status: z.literal("ok"), backup: Backup })),
      ...panelOk(202, Pending),
    },
  }),
  async (c) => {
    const made = await proveBackup(c.var.ctx, chosenServer(c), c.req.valid("json").file);
    if (made.state === "pending") return c.json({ status: "pending" as const, job: made.job }, 202);
    return c.json({ status: "ok" as const, backup: made.value }, 200);
  },
);

backupRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/backup/policy",
    tags,
    summary: "What is backed up, proven and kept on a server",
    middleware: [access("operator")] as const,
    request: { query: serverQuery },
    responses: panelOk(200, policyView),
  }),
  async (c) => c.json(await getPolicy(c.var.ctx, chosenServer(c)), 200),
);

backupRoutes.openapi(
  createRoute({
    method: "put",
    path: "/v1/backup/policy",
    tags,
    summary: "Change what is backed up, proven and kept on a server",
    middleware: [panelRefusals("backup.policy", "backup"), operator] as const,
    request: { query: serverQuery, body: body(policyChange) },
    responses: panelOk(200, policyView),
  }),
  async (c) => c.json(await changePolicy(c.var.ctx, chosenServer(c), c.req.valid("json")), 200),
);
