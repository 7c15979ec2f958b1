import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call } from "../../shared/db/statement.ts";
import { FormError } from "../../shared/files/form-stream.ts";
import { AppError } from "../../shared/http/errors.ts";
import { ArchiveCheck, type ArchiveFormat, ArchiveRefusal } from "./archives/archive.ts";
import { ObjectWriter, removeObject } from "./uploads/object-writer.ts";
import { checkHead, type FormProblem, FormRefusal, receiveForm } from "./uploads/receive.ts";

/** Of one user at the same time. */
const AT_ONCE = 3;
/** Archives are only needed until they are deployed: the newest stay, the others make room by themselves. */
const PER_WEBSITE = 5;
const PER_USER_BYTES = 500 * 1024 * 1024;
const KEEP_DAYS = 30;
/** No upload takes longer: the connection is long gone. */
const STALE_MINUTES = 60;
const SWEPT_AT_ONCE = 200;
const LONGEST_NAME = 120;

const PROBLEMS: Record<FormProblem, string> = {
  no_form: "File tidak ditemukan",
  no_file: "File tidak ditemukan",
  no_website: "Website ID tidak ditemukan",
  too_large: "Ukuran file maksimal 50MB",
};

const MIME_TYPES: Record<ArchiveFormat, string> = {
  zip: "application/zip",
  "tar.gz": "application/gzip",
  tar: "application/x-tar",
};

const uploadRow = z
  .object({
    id: z.string(),
    website_id: z.string(),
    key: z.string(),
    original_name: z.string(),
    format: z.enum(["zip", "tar.gz", "tar"]),
    size: z.number(),
    stored_at: z.coerce.date(),
  })
  .transform((row) => ({
    id: row.id,
    websiteId: row.website_id,
    filename: `${row.key.slice(row.key.lastIndexOf("/") + 1)}.${row.format}`,
    originalName: row.original_name,
    mimeType: MIME_TYPES[row.format],
    size: row.size,
    // The contract has a path here; it leads nowhere.
    path: `uploads/${row.id}`,
    uploadedAt: row.stored_at.toISOString(),
  }));

/** The contract's FileUpload. */
export type FileUpload = z.output<typeof uploadRow>;

const Begun = z.object({ id: z.string() });
const Removing = z.array(
  z.object({ id: z.string(), key: z.string(), multipart_id: z.string().nullish() }),
);
const Finished = z.object({ upload: uploadRow, removing: Removing });

/**
 * Takes a site's archive, straight into R2. Who asks is checked with the first query, before the body is read; whose
 * website it is for once the form has named it. Refused or broken off, it leaves nothing behind.
 */
export async function receiveUpload(
  ctx: Ctx,
  request: Pick<Request, "headers" | "body">,
): Promise<FileUpload> {
  const { userId } = actorOf(ctx);
  const key = `site-archives/${userId}/${randomName()}`;
  const begun = { user_id: userId, key, at_once: AT_ONCE };
  const { id } = await ctx.db.run(call("hosting_upload_begin", begun, Begun));
  const check = new ArchiveCheck();
  const writer = new ObjectWriter({
    bucket: ctx.assets,
    key,
    contentType: () => (check.format === "zip" ? MIME_TYPES.zip : MIME_TYPES["tar.gz"]),
    partsBegin: async (multipartId) => {
      const parts = { id, multipart_id: multipartId };
      const isOurs = await ctx.db.run(call("hosting_upload_parts", parts, z.boolean()));
      if (!isOurs) throw new Error("the sweep has given up this upload");
    },
  });
  try {
    checkHead(request);
    const form = await receiveForm(request, writer, check);
    await writer.finish();
    const { upload, removing } = await ctx.db.run(
      call("hosting_upload_finish", finishInput(id, userId, writer.size, form), Finished),
    );
    ctx.waitUntil(removeUploads(ctx, removing));
    return upload;
  } catch (error) {
    await discard(ctx, id, writer);
    throw refusalOf(error);
  }
}

function finishInput(
  id: string,
  userId: number,
  storedSize: number,
  { websiteId, filename, size, facts }: Awaited<ReturnType<typeof receiveForm>>,
) {
  return {
    id,
    user_id: userId,
    website_id: websiteId,
    original_name: displayName(filename, facts.format),
    format: facts.format,
    size,
    stored_size: storedSize,
    files: facts.files,
    unpacked_bytes: facts.fileBytes,
    top: facts.top,
    per_website: PER_WEBSITE,
    per_user_bytes: PER_USER_BYTES,
  };
}

/** Object first, row last: what is left half-way is found by the sweep. */
async function discard(ctx: Ctx, id: string, writer: ObjectWriter): Promise<void> {
  try {
    const isOurs = await ctx.db.run(call("hosting_upload_drop", { id }, z.boolean()));
    if (!isOurs) return;
    await writer.abort();
    await ctx.db.run(gone([id]));
  } catch (error) {
    ctx.log.warn("an upload is left to the sweep", {
      uploadId: id,
      error: error instanceof Error ? error.name : typeof error,
    });
  }
}

/** What the caller is told; what is no refusal is a bug or an outage and passes as it is. */
function refusalOf(error: unknown): unknown {
  if (error instanceof ArchiveRefusal) return new AppError("invalid_input", error.message);
  if (error instanceof FormRefusal) return new AppError("invalid_input", PROBLEMS[error.problem]);
  if (error instanceof FormError) return new AppError("invalid_input", "Upload tidak lengkap");
  return error;
}

/** The name on the sender's disk as something to show: one line, no path, nothing unseen. */
export function displayName(filename: string, format: ArchiveFormat): string {
  const base = filename.slice(Math.max(filename.lastIndexOf("/"), filename.lastIndexOf("\\")) + 1);
  const clean = base
    .toWellFormed()
    .normalize("NFC")
    // Controls, and the marks that turn text around or hide in it.
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "")
    .replace(/[<>&"'`]/g, "_")
    .replace(/\s+/g, " ")
    .trim();
  return [...clean].slice(-LONGEST_NAME).join("") || `website.${format}`;
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const gone = (ids: string[]) => call("hosting_uploads_gone", { ids }, z.number());

/** The stored archives of the caller's own website, newest first. */
export async function listUploads(ctx: Ctx, websiteId: string): Promise<FileUpload[]> {
  const asked = { user_id: actorOf(ctx).userId, website_id: websiteId };
  return await ctx.db.run(call("hosting_uploads_list", asked, z.array(uploadRow)));
}

/** Objects first, rows last, so that a run that is killed is followed by another. */
async function removeUploads(ctx: Ctx, removing: z.output<typeof Removing>): Promise<void> {
  if (removing.length === 0) return;
  for (const { key, multipart_id } of removing) {
    await removeObject(ctx.assets, key, multipart_id ?? null);
  }
  await ctx.db.run(gone(removing.map(({ id }) => id)));
}

/** For the hourly cron: archives that were given up while they came, are too old, or are of deleted sites. */
export async function sweepUploads(ctx: Ctx): Promise<void> {
  const input = { stale_minutes: STALE_MINUTES, keep_days: KEEP_DAYS, max: SWEPT_AT_ONCE };
  const removing = await ctx.db.run(call("hosting_uploads_sweep", input, Removing));
  await removeUploads(ctx, removing);
  if (removing.length > 0) ctx.log.info("uploads swept", { count: removing.length });
}
