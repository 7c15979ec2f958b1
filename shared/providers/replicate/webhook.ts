import { fromBase64, hmacSha256Base64, timingSafeEqual } from "../../crypto/index.ts";
import { Prediction } from "./prediction.ts";

const TOLERANCE_MS = 5 * 60_000;
const MOST_SIGNATURES = 10;

/**
 * Checks a webhook's signature and age, then reads the prediction; null when any of it is wrong (providers/replicate.md
 * §3). Several signatures may be listed while a secret is being replaced: one right one is enough.
 */
export async function parseWebhook(
  secret: string,
  { headers, rawBody, now }: { headers: Pick<Headers, "get">; rawBody: string; now: Date },
): Promise<Prediction | null> {
  const id = headers.get("webhook-id");
  const timestamp = headers.get("webhook-timestamp");
  const signatures = headers.get("webhook-signature");
  const key = fromBase64(secret.replace(/^whsec_/, ""));
  if (!id || !signatures || !timestamp || !/^\d{1,12}$/.test(timestamp)) return null;
  if (!key || key.byteLength === 0) return null;
  if (Math.abs(now.getTime() - Number(timestamp) * 1000) > TOLERANCE_MS) return null;

  const expected = await hmacSha256Base64(key, `${id}.${timestamp}.${rawBody}`);
  let matches = false;
  for (const entry of signatures.split(" ").slice(0, MOST_SIGNATURES)) {
    const [version, signature = ""] = entry.split(",", 2);
    if (version !== "v1") continue;
    matches = (await timingSafeEqual(expected, signature)) || matches;
  }
  return matches ? read(rawBody) : null;
}

function read(rawBody: string): Prediction | null {
  try {
    return Prediction.safeParse(JSON.parse(rawBody)).data ?? null;
  } catch {
    return null;
  }
}
