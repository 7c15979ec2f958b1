import type { Config } from "../../../shared/config/config.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

let policy: Promise<string> | undefined;

/** What a page may load and run: its own inline style and script (by hash), our pictures, nothing else. */
async function contentPolicy(): Promise<string> {
  const [style, script] = await Promise.all([hashOf(STYLE), hashOf(SCRIPT)]);
  return [
    "default-src 'none'",
    `style-src '${style}'`,
    `script-src '${script}'`,
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}

/** Security headers of every page. `picture` is one more address that this page shows an image of. */
export async function pageHeaders(
  config: Config,
  picture?: string | null,
): Promise<Record<string, string>> {
  policy ??= contentPolicy();
  const images = ["'self'", new URL(config.APP_URL).origin];
  if (picture) images.push(new URL(picture).origin);
  return {
    "content-security-policy": `${await policy}; img-src ${images.join(" ")}`,
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    // Not "no-referrer": a browser would then send its own forms without an origin.
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    ...(config.APP_URL.startsWith("https:")
      ? { "strict-transport-security": "max-age=31536000" }
      : {}),
  };
}
