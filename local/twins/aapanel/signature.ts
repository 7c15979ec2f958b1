import { createHash, timingSafeEqual } from "node:crypto";

function md5(text: string): string {
  return createHash("md5").update(text, "utf8").digest("hex");
}

/** `request_token` of aapanel.md: md5 of the time's text and of md5(api_sk), both lower-case hex. */
export function requestToken(apiKey: string, requestTime: string): string {
  return md5(requestTime + md5(apiKey));
}

export function isToken(given: string, apiKey: string, requestTime: string): boolean {
  const wanted = Buffer.from(requestToken(apiKey, requestTime));
  const said = Buffer.from(given);
  return said.length === wanted.length && timingSafeEqual(said, wanted);
}
