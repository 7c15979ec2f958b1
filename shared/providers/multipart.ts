import { utf8 } from "../crypto/index.ts";

export interface Upload {
  fields: Record<string, string>;
  file: { field: string; name: string; type: string; bytes: Uint8Array };
}

const BOUNDARY = "----lumbung-";

/**
 * A form with a file (RFC 7578) as the bytes that are sent. Names are ours and need no escaping; the boundary is long
 * and random, so that no file holds it.
 */
export function multipart(
  { fields, file }: Upload,
  boundary = BOUNDARY + crypto.randomUUID().replaceAll("-", ""),
): { type: string; bytes: Uint8Array<ArrayBuffer> } {
  const head = Object.entries(fields).map(
    ([name, value]) =>
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const opening = `--${boundary}\r\ncontent-disposition: form-data; name="${file.field}"; filename="${file.name}"\r\ncontent-type: ${file.type}\r\n\r\n`;
  const before = utf8(head.join("") + opening);
  const after = utf8(`\r\n--${boundary}--\r\n`);
  const bytes = new Uint8Array(before.length + file.bytes.length + after.length);
  bytes.set(before, 0);
  bytes.set(file.bytes, before.length);
  bytes.set(after, before.length + file.bytes.length);
  return { type: `multipart/form-data; boundary=${boundary}`, bytes };
}
