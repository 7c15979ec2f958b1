import { z } from "@hono/zod-openapi";

/** A job as the contract shows it, with its server and how far it is. */
export const JobView = z
  .object({
    id: z.string(),
    type: z.string(),
    status: z.enum(["queued", "running", "success", "failed"]),
    /** JSON in a text. */
    payload: z.string(),
    error: z.string(),
    started_at: z.string().optional(),
    finished_at: z.string().optional(),
    created_at: z.string(),
    triggered_by: z.string(),
    server_id: z.string(),
    progress: z.number(),
  })
  .openapi("PanelJob");

export const JobWithLog = JobView.extend({
  lines: z.array(z.object({ at: z.string(), text: z.string() })),
}).openapi("PanelJobWithLog");

export const SiteView = z
  .object({
    id: z.string(),
    domain: z.string(),
    root_path: z.string(),
    runtime: z.enum(["php", "node", "python", "static"]),
    status: z.enum(["provisioning", "active", "failed", "deleting"]),
    created_by: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
    server_id: z.string(),
    aliases: z.array(z.string()),
    document_root: z.string(),
    php_version: z.string().nullable(),
    suspended: z.boolean(),
    error: z.string(),
  })
  .openapi("PanelSite");

/** What takes longer than a request waits: the job tells the rest. */
export const Pending = z
  .object({ status: z.literal("pending"), job: JobView })
  .openapi("PanelPending");

export const statusQuery = <const W extends readonly [string, ...string[]]>(words: W) =>
  z.enum(words, "invalid status").optional();
/** An id in a path; one that cannot be any is answered 404 with these words, which end in "not found". */
export const pathId = (words: `${string} not found`) =>
  z
    .string()
    .max(100, words)
    .refine((id) => !id.includes("\0") && id.isWellFormed(), words);
export const idText = z.string().max(100, "invalid id");
export const cursorQuery = z.string().max(100, "invalid cursor").optional();
export const flag = (name: string) =>
  z
    .enum(["true", "false", "1", "0"], `invalid ${name} flag`)
    .default("false")
    .transform((word) => word === "true" || word === "1")
    .openapi({ type: "string", enum: ["true", "false"], example: "false" });
