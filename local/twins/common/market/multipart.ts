export interface Part {
  name: string;
  filename: string | null;
  bytes: Buffer;
}

/** The parts of a `multipart/form-data` body, or null when it is none or is broken. */
export function readMultipart(contentType: string | undefined, body: Buffer): Part[] | null {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(contentType ?? "")?.[1];
  if (!boundary) return null;
  const mark = Buffer.from(`--${boundary}`);
  const parts: Part[] = [];
  let at = body.indexOf(mark);
  while (at >= 0) {
    const start = at + mark.length;
    if (body.toString("latin1", start, start + 2) === "--") return parts;
    const next = body.indexOf(mark, start);
    const part = next < 0 ? null : readPart(body.subarray(start + 2, next - 2));
    if (!part) return null;
    parts.push(part);
    at = next;
  }
  return null;
}

function readPart(part: Buffer): Part | null {
  const end = part.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const head = part.toString("utf8", 0, end);
  const name = /name="([^"]*)"/i.exec(head)?.[1];
  if (name === undefined) return null;
  const filename = /filename="([^"]*)"/i.exec(head)?.[1] ?? null;
  return { name, filename, bytes: part.subarray(end + 4) };
}
