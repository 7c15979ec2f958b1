import { z } from "zod";
import type { TopEntry } from "../archives/archive.ts";

const date = z.coerce.date();

const STEPS = [
  "waiting",
  "preparing",
  "uploading",
  "extracting",
  "verifying",
  "switching",
  "checking",
  "reverting",
  "done",
] as const;

export type DeployStep = (typeof STEPS)[number];

/** A deploy as `hosting_deploy_json` gives it, for its owner. */
export const deployShape = z
  .object({
    id: z.string(),
    website_id: z.string(),
    kind: z.enum(["deploy", "rollback"]),
    state: z.enum(["queued", "running", "success", "failed", "cancelled"]),
    step: z.enum(STEPS),
    progress: z.number(),
    failure: z.string().nullable(),
    job_id: z.string(),
    release_id: z.string(),
    upload_id: z.string(),
    original_name: z.string(),
    created_at: date,
    started_at: date.nullable(),
    finished_at: date.nullable(),
  })
  .transform((row) => ({
    id: row.id,
    websiteId: row.website_id,
    kind: row.kind,
    status: STATUS_OF[row.state],
    step: row.step,
    progress: row.progress,
    error: row.failure,
    jobId: row.job_id,
    releaseId: row.release_id,
    fileUploadId: row.upload_id,
    originalName: row.original_name,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  }));

const STATUS_OF = {
  queued: "QUEUED",
  running: "RUNNING",
  success: "SUCCESS",
  failed: "FAILED",
  cancelled: "CANCELLED",
} as const;

export type Deploy = z.output<typeof deployShape>;

export const releaseShape = z
  .object({
    id: z.string(),
    state: z.enum(["ready", "live"]),
    upload_id: z.string(),
    original_name: z.string(),
    files: z.number(),
    size: z.number(),
    live_since: date,
    created_at: date,
  })
  .transform((row) => ({
    id: row.id,
    status: row.state === "live" ? ("LIVE" as const) : ("READY" as const),
    fileUploadId: row.upload_id,
    originalName: row.original_name,
    files: row.files,
    size: row.size,
    liveSince: row.live_since.toISOString(),
    createdAt: row.created_at.toISOString(),
  }));

export type Release = z.output<typeof releaseShape>;

const top: z.ZodType<TopEntry> = z.object({
  name: z.string(),
  kind: z.enum(["file", "folder"]),
  size: z.number().nullable(),
});

/** What a job needs of its deploy, as `hosting_deploy_begin` gives it; null when it has ended. */
export const workShape = z
  .object({
    id: z.string(),
    kind: z.enum(["deploy", "rollback"]),
    step: z.enum(STEPS),
    attempts: z.number(),
    marker: z.string(),
    previous_root: z.string(),
    front_before: z.number().nullable(),
    failure: z.string().nullable(),
    folder: z.string(),
    document_root: z.string(),
    files: z.number(),
    unpacked_bytes: z.number(),
    archive: z
      .object({
        key: z.string(),
        format: z.enum(["zip", "tar.gz", "tar"]),
        size: z.number(),
        top: z.array(top),
      })
      .nullable(),
  })
  .transform((row) => ({
    id: row.id,
    kind: row.kind,
    step: row.step,
    attempts: row.attempts,
    marker: row.marker,
    previousRoot: row.previous_root,
    frontBefore: row.front_before,
    failure: row.failure,
    folder: row.folder,
    documentRoot: row.document_root,
    files: row.files,
    unpackedBytes: row.unpacked_bytes,
    archive: row.archive,
  }))
  .nullable();

export type DeployWork = NonNullable<z.output<typeof workShape>>;
