import { z } from "zod";
import { fromBase64, hmacSha256Base64, timingSafeEqual } from "../../crypto/index.ts";

/** What became of a mail. `id` is equal on every repeat of the same news. */
export interface MailEvent {
  id: string;
  /** `email.delivered`, `email.bounced`, `email.complained` and others that may be added. */
  type: string;
  emailId: string | null;
  occurredAt: Date | null;
  bounceType: string | null;
}

const TOLERANCE_MS = 5 * 60_000;

const Payload = z.object({
  type: z.string().min(1).max(100),
  created_at: z.string().nullish().catch(null),
  data: z
    .object({
      email_id: z.string().nullish().catch(null),
      bounce: z.object({ type: z.string().nullish() }).nullish().catch(null),
    })
    .nullish()
    .catch(null),
});

/**
 * Checks a webhook's signature and age, then reads it; null when any of it is wrong (providers/resend.md §2). The
 * header may hold several signatures while a secret is being replaced: one right one is enough.
 */
export async function verifyMailEvent(
  rawBody: string,
  headers: Pick<Headers, "get">,
  secret: string,
  now: Date,
): Promise<MailEvent | null> {
  const id = headers.get("svix-id");
  const timestamp = headers.get("svix-timestamp");
  const signatures = headers.get("svix-signature");
  const key = fromBase64(secret.replace(/^whsec_/, ""));
  if (!id || !signatures || !timestamp || !/^\d{1,12}$/.test(timestamp)) return null;
  if (!key || key.byteLength === 0) return null;
  if (Math.abs(now.getTime() - Number(timestamp) * 1000) > TOLERANCE_MS) return null;

  const expected = await hmacSha256Base64(key, `${id}.${timestamp}.${rawBody}`);
  let matches = false;
  for (const entry of signatures.split(" ").slice(0, 10)) {
    const [version, signature = ""] = entry.split(",", 2);
    if (version !== "v1") continue;
    matches = (await timingSafeEqual(expected, signature)) || matches;
  }
  return matches ? readEvent(id, rawBody) : null;
}

function readEvent(id: string, rawBody: string): MailEvent | null {
  let body: unknown;
  try {
    body = JSON.parse(rawBody);
  } catch {
    return null;
  }
  const parsed = Payload.safeParse(body);
  if (!parsed.success) return null;
  const { type, created_at, data } = parsed.data;
  const at = new Date(created_at ?? Number.NaN);
  return {
    id,
    type,
    emailId: data?.email_id ?? null,
    occurredAt: Number.isNaN(at.getTime()) ? null : at,
    bounceType: data?.bounce?.type ?? null,
  };
}
