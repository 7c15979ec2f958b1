import { describe, expect, it } from "vitest";
import { cleanImage } from "./image.ts";
import { asciiBytes, joinBytes } from "./image-format.ts";
import { LOSSLESS_WEBP, PALETTE_PNG, PHONE_JPEG, PHONE_PNG } from "./image-samples.ts";
import { readUpload, type UploadOptions } from "./upload.ts";

const OPTIONS: UploadOptions = { field: "file", maxBytes: 100_000, accept: ["jpeg", "png"] };
const BOUNDARY = "form-boundary";
const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;

function formRequest(fields: Record<string, string | Blob>): Request {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") form.set(name, value);
    else form.set(name, value, "../../evil.php");
  }
  return new Request("http://upload.test/", { method: "POST", body: form });
}

function part(bytes: Uint8Array): Uint8Array {
  return joinBytes([
    asciiBytes(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n` +
        "Content-Type: image/jpeg\r\n\r\n",
    ),
    bytes,
    asciiBytes(`\r\n--${BOUNDARY}--\r\n`),
  ]);
}

/** A request of our own making: its length header and its stream are what the test says. */
function rawRequest(body: ReadableStream<Uint8Array>, headers: Record<string, string> = {}) {
  return { headers: new Headers({ "content-type": MULTIPART, ...headers }), body };
}

function streamOf(bytes: Uint8Array, chunk: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + chunk));
      at += chunk;
    },
  });
}

describe("readUpload", () => {
  it("hands back the cleaned image, its type by its bytes", async () => {
    const file = new Blob([PHONE_JPEG], { type: "text/html" });
    const result = await readUpload(formRequest({ note: "hi", file }), OPTIONS);
    expect(result).toEqual({ kind: "ok", ...cleanImage(PHONE_JPEG) });
    expect(result).toMatchObject({ type: "jpeg", width: 16, height: 8 });
  });

  it("reads a body that arrives byte by byte without a length", async () => {
    const request = rawRequest(streamOf(part(PALETTE_PNG), 1));
    expect(await readUpload(request, OPTIONS)).toMatchObject({ kind: "ok", bytes: PALETTE_PNG });
  });

  it("says missing for no such field, a text in its place, an empty file and no body", async () => {
    const forms: Record<string, string | Blob>[] = [
      { other: new Blob([PHONE_PNG]) },
      { file: "a text" },
      { file: new Blob([]) },
    ];
    for (const form of forms) {
      expect(await readUpload(formRequest(form), OPTIONS)).toEqual({ kind: "missing" });
    }
    const headers = new Headers({ "content-type": MULTIPART });
    expect(await readUpload({ headers, body: null }, OPTIONS)).toEqual({ kind: "missing" });
  });

  it("refuses what is no image and what is an image of another type", async () => {
    for (const bytes of [asciiBytes("<svg/>"), PHONE_PNG.slice(0, 400), LOSSLESS_WEBP]) {
      const file = new Blob([bytes], { type: "image/jpeg" });
      expect(await readUpload(formRequest({ file }), OPTIONS)).toEqual({ kind: "not_an_image" });
    }
  });

  it("refuses a file one byte too large and takes one of exactly the size", async () => {
    const file = new Blob([PALETTE_PNG]);
    const exact = { ...OPTIONS, maxBytes: PALETTE_PNG.length };
    expect(await readUpload(formRequest({ file }), exact)).toMatchObject({ kind: "ok" });
    const less = { ...exact, maxBytes: exact.maxBytes - 1 };
    expect(await readUpload(formRequest({ file }), less)).toEqual({ kind: "too_large" });
  });

  it("refuses by the announced length without reading", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      { pull: () => void pulled++ },
      { highWaterMark: 0 },
    );
    const request = rawRequest(body, { "content-length": "10000000" });
    expect(await readUpload(request, OPTIONS)).toEqual({ kind: "too_large" });
    expect(pulled).toBe(0);
  });

  it("stops reading an endless body soon after the limit, whatever length it announced", async () => {
    let sent = 0;
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(new Uint8Array(10_000));
          sent += 10_000;
        },
        cancel() {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const request = rawRequest(body, { "content-length": "10" });
    expect(await readUpload(request, OPTIONS)).toEqual({ kind: "too_large" });
    expect(sent).toBeLessThan(OPTIONS.maxBytes + 64 * 1024 + 20_000);
    expect(cancelled).toBe(true);
  });

  it("says not_multipart for other bodies, a missing boundary, rubbish and a broken stream", async () => {
    const json = new Request("http://upload.test/", { method: "POST", body: "{}" });
    expect(await readUpload(json, OPTIONS)).toEqual({ kind: "not_multipart" });
    for (const type of ["multipart/form-data", "multipart/form-data; charset=x", MULTIPART]) {
      const request = rawRequest(streamOf(asciiBytes("rubbish"), 3), { "content-type": type });
      expect(await readUpload(request, OPTIONS)).toEqual({ kind: "not_multipart" });
    }
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("gone")),
    });
    expect(await readUpload(rawRequest(broken), OPTIONS)).toEqual({ kind: "not_multipart" });
    const cut = rawRequest(streamOf(part(PALETTE_PNG).slice(0, -20), 50));
    expect(await readUpload(cut, OPTIONS)).toEqual({ kind: "not_multipart" });
  });
});
