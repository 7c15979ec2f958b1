import { createHmac, timingSafeEqual } from "node:crypto";

/** lazada.md section 3: names sorted by ASCII, empty values left out, the path in front, upper-case hex. */
export function requestSign(
  secret: string,
  path: string,
  parameters: ReadonlyMap<string, string>,
): string {
  const names = [...parameters.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  let text = path;
  for (const name of names) {
    const value = parameters.get(name) ?? "";
    if (name !== "sign" && value !== "") text += name + value;
  }
  return createHmac("sha256", secret).update(text).digest("hex").toUpperCase();
}

/** lazada.md section 6: app key and body, lower-case hex. */
export function pushSign(secret: string, appKey: string, body: string): string {
  return createHmac("sha256", secret)
    .update(appKey + body)
    .digest("hex");
}

export function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
