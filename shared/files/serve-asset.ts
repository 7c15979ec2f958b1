/** Answers GET and HEAD for a public image in R2, with validation (RFC 9110 §13) and ranges (§14). */
import { isImageContentType } from "./image.ts";

/** Everything else in the bucket (certificates, site archives) is private and never served here. */
const PUBLIC_PREFIXES = ["avatars/", "products/", "stores/", "agency-logos/"];
const KEY = /^[a-z][a-z0-9-]*(\/[A-Za-z0-9_-]+){0,3}\/[A-Za-z0-9_-]+\.[a-z0-9]+$/;
const MAX_KEY_LENGTH = 256;
const MAX_TAGS = 16;

type Span = { offset: number; length: number };

/**
 * The image under `key`, as it stands in the path; null when there is none to be served. A 304 for
 * a tag the client holds, a 206 for one range, a 416 for one beyond the end.
 */
export async function serveAsset(
  bucket: R2Bucket,
  request: Pick<Request, "headers" | "method">,
  key: string,
): Promise<Response | null> {
  if (!isPublicKey(key)) return null;
  if (request.method === "HEAD") return answerHead(bucket, request, key);
  const range = request.headers.get("range");
  if (range !== null) {
    const part = await answerRange(bucket, request, key, range);
    if (part !== undefined) return part;
  }
  const tags = heldTags(request);
  const object = await bucket.get(key, {
    onlyIf: tags.length > 0 ? new Headers({ "if-none-match": tags.join(", ") }) : new Headers(),
  });
  if (object === null || !isImage(object)) return null;
  if (!("body" in object)) return new Response(null, { status: 304, headers: headersOf(object) });
  const headers = headersOf(object);
  headers.set("content-length", String(object.size));
  return new Response(object.body, { headers });
}

function isPublicKey(key: string): boolean {
  return (
    key.length <= MAX_KEY_LENGTH &&
    KEY.test(key) &&
    PUBLIC_PREFIXES.some((prefix) => key.startsWith(prefix))
  );
}

function isImage(object: R2Object): boolean {
  return isImageContentType(object.httpMetadata?.contentType);
}

/** The well-formed tags of If-None-Match; R2 throws on others. Tags match weakly (RFC 9110 §13.1.2). */
function heldTags(request: Pick<Request, "headers">): string[] {
  const held = request.headers.get("if-none-match")?.trim() ?? "";
  if (held === "*") return ["*"];
  return (held.match(/"[0-9A-Za-z-]+"/g) ?? []).slice(0, MAX_TAGS);
}

async function answerHead(
  bucket: R2Bucket,
  request: Pick<Request, "headers">,
  key: string,
): Promise<Response | null> {
  const object = await bucket.head(key);
  if (object === null || !isImage(object)) return null;
  const headers = headersOf(object);
  if (isHeld(request, object)) return new Response(null, { status: 304, headers });
  headers.set("content-length", String(object.size));
  return new Response(null, { headers });
}

function isHeld(request: Pick<Request, "headers">, object: R2Object): boolean {
  return heldTags(request).some((tag) => tag === "*" || tag === object.httpEtag);
}

/** A part of the image; undefined when the request is to be answered as if it named no range. */
async function answerRange(
  bucket: R2Bucket,
  request: Pick<Request, "headers">,
  key: string,
  range: string,
): Promise<Response | null | undefined> {
  const found = await bucket.head(key);
  if (found === null || !isImage(found)) return null;
  const condition = request.headers.get("if-range");
  if (isHeld(request, found) || (condition !== null && condition !== found.httpEtag)) {
    return undefined;
  }
  const span = spanOf(range, found.size);
  if (span === undefined) return undefined;
  const headers = headersOf(found);
  if (span === null) {
    headers.set("content-range", `bytes */${found.size}`);
    headers.set("cache-control", "no-store");
    return new Response(null, { status: 416, headers });
  }
  const object = await bucket.get(key, { range: span });
  if (object === null) return null;
  const last = span.offset + span.length - 1;
  headers.set("content-range", `bytes ${span.offset}-${last}/${found.size}`);
  headers.set("content-length", String(span.length));
  return new Response(object.body, { status: 206, headers });
}

/** The one range asked for; null when it lies beyond the end, undefined when it is to be ignored. */
function spanOf(range: string, size: number): Span | null | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim());
  if (!match) return undefined;
  const [, from = "", to = ""] = match;
  if (from === "") {
    if (to === "") return undefined;
    const length = Math.min(Number(to), size);
    return length > 0 ? { offset: size - length, length } : null;
  }
  const offset = Number(from);
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== "" && Number(to) < offset) return undefined;
  return offset < size ? { offset, length: last - offset + 1 } : null;
}

/** A key is written once, so its answer holds for ever; nothing in it may run or load. */
function headersOf(object: R2Object): Headers {
  return new Headers({
    "accept-ranges": "bytes",
    "cache-control": object.httpMetadata?.cacheControl ?? "public, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'; sandbox",
    "content-type": object.httpMetadata?.contentType ?? "",
    // Store pages on their own host show these images.
    "cross-origin-resource-policy": "cross-origin",
    etag: object.httpEtag,
    "x-content-type-options": "nosniff",
  });
}
