/** Takes one image out of a multipart form without ever holding more than the allowed bytes. */
import { type CleanImage, cleanImage, type ImageType } from "./image.ts";

/** Part heads, boundaries and a few small fields beside the file. */
const FORM_OVERHEAD_BYTES = 64 * 1024;
const FIRST_BUFFER_BYTES = 64 * 1024;

export type UploadOptions = {
  field: string;
  maxBytes: number;
  accept: readonly ImageType[];
};

export type UploadResult =
  | ({ kind: "ok" } & CleanImage)
  | { kind: "missing" | "too_large" | "not_an_image" | "not_multipart" };

type RequestLike = Pick<Request, "headers" | "body">;

/**
 * Reads the image in `field`, cleaned of metadata as {@link cleanImage} does. Stops reading, and
 * answers `too_large`, as soon as the body exceeds what a file of `maxBytes` could need.
 */
export async function readUpload(
  request: RequestLike,
  { field, maxBytes, accept }: UploadOptions,
): Promise<UploadResult> {
  const contentType = request.headers.get("content-type") ?? "";
  if (!/^multipart\/form-data\s*;/i.test(contentType)) return { kind: "not_multipart" };
  if (request.body === null) return { kind: "missing" };
  const limit = maxBytes + FORM_OVERHEAD_BYTES;
  if (Number(request.headers.get("content-length")) > limit) return { kind: "too_large" };

  const body = await readAtMost(request.body, limit);
  if (typeof body === "string") return { kind: body };
  const form = await parseForm(body, contentType);
  if (form === null) return { kind: "not_multipart" };
  const file = form.get(field);
  // A browser sends an empty file when none was chosen.
  if (file === null || typeof file === "string" || file.size === 0) return { kind: "missing" };
  if (file.size > maxBytes) return { kind: "too_large" };
  const image = cleanImage(new Uint8Array(await file.arrayBuffer()));
  if (image === null || !accept.includes(image.type)) return { kind: "not_an_image" };
  return { kind: "ok", ...image };
}

/** One growing buffer, so that a body sent byte by byte costs no more than a body sent at once. */
async function readAtMost(
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | "too_large" | "not_multipart"> {
  const reader = body.getReader();
  let buffer = new Uint8Array(Math.min(limit, FIRST_BUFFER_BYTES));
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return buffer.subarray(0, length);
      const needed = length + value.length;
      if (needed > limit) {
        await reader.cancel();
        return "too_large";
      }
      if (needed > buffer.length) {
        const grown = new Uint8Array(Math.min(limit, Math.max(needed, buffer.length * 2)));
        grown.set(buffer.subarray(0, length));
        buffer = grown;
      }
      buffer.set(value, length);
      length = needed;
    }
  } catch {
    // The sender went away or the stream is broken: there is no whole form to read.
    return "not_multipart";
  }
}

/** The platform's own parser, which buffers and is therefore given only bounded bytes. */
async function parseForm(body: Uint8Array<ArrayBuffer>, contentType: string) {
  try {
    return await new Response(body, { headers: { "content-type": contentType } }).formData();
  } catch {
    return null;
  }
}
