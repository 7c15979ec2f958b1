import { fromBase64, hmacSha256Base64, toBase64, utf8 } from "../../../shared/crypto/index.ts";

/** How a secret is shown to its owner (https://www.standardwebhooks.com, "Signature scheme"): 24 to 64 bytes. */
const PREFIX = "whsec_";
const SECRET_BYTES = 32;

export const newSecret = () =>
  `${PREFIX}${toBase64(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)))}`;

/** The three headers of Standard Webhooks. With two secrets the receiver may check against either. */
export async function signedHeaders(
  message: { id: string; at: Date; body: string },
  secrets: readonly string[],
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(message.at.getTime() / 1000));
  const content = utf8(`${message.id}.${timestamp}.${message.body}`);
  const signatures = await Promise.all(
    secrets.map(async (secret) => `v1,${await hmacSha256Base64(keyOf(secret), content)}`),
  );
  return {
    "webhook-id": message.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}

function keyOf(secret: string) {
  const key = fromBase64(secret.slice(PREFIX.length));
  if (!secret.startsWith(PREFIX) || !key) throw new Error("a webhook secret is damaged");
  return key;
}
