/** The closed list: origin (`https://host[:port]`) to the pinned certificate's SHA-256, or null. */
export type Targets = ReadonlyMap<string, string | null>;

/** An address, or null when it is none. `URL.parse` would do, but Node 20 has none. */
export function urlOf(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

function readPin(text: string, entry: string): string {
  const pin = text.replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(pin)) {
    throw new Error(`${entry}: after the = comes the SHA-256 of a certificate, 64 hex digits`);
  }
  return pin;
}

/**
 * Entries by comma or space: `host[:port]`, with `=<SHA-256>` behind it for a host that is believed with this
 * certificate alone, or `http://host[:port]` in full for one without TLS.
 */
export function parseTargets(text: string): Targets {
  const targets = new Map<string, string | null>();
  for (const entry of text.split(/[\s,]+/).filter((one) => one !== "")) {
    const [address = "", pin, ...rest] = entry.split("=");
    const full = address.includes("://") ? address : `https://${address}`;
    const url = urlOf(full);
    const known = url !== null && ["https:", "http:"].includes(url.protocol) && !full.includes("*");
    // `https://host:443` and capitals would never be matched, so they are refused here.
    if (!known || url.origin !== full || rest.length > 0) {
      throw new Error(`${entry} is not host, host:port or http://host:port in plain form`);
    }
    if (pin !== undefined && url.protocol === "http:") {
      throw new Error(`${entry}: a host without TLS has no certificate`);
    }
    targets.set(url.origin, pin === undefined ? null : readPin(pin, entry));
  }
  if (targets.size === 0) throw new Error("RELAY_TARGETS names no host");
  return targets;
}
