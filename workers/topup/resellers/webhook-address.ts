import { wrongField } from "../../../shared/http/errors.ts";

/** Where we ourselves stand, and whether addresses of this machine may be called (a laptop's own receiver). */
export interface AddressRules {
  ownHosts: readonly string[];
  allowPrivate: boolean;
}

const SECURE_PORTS = ["", "443", "8443"];

/** Names that never mean a host of the public internet (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`). */
const PRIVATE_NAMES =
  /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|test|invalid|onion|arpa)$/;

/** First octets and masks that no public IPv4 host has (IANA's special-purpose registry). */
const SPECIAL_V4: [string, number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/**
 * The address of a webhook in one spelling, or a refusal: what is not https, what carries a password, and whatever
 * could make our request reach a network that its owner cannot reach himself. A name is only a name here: the platform
 * resolves it outside any private network, and redirects are not followed.
 */
export function webhookAddress(text: string, rules: AddressRules): string {
  const url = URL.parse(text);
  if (!url) throw refused("Must be a complete address");
  if (url.username || url.password) throw refused("Must not have a user name or password");
  url.hash = "";
  const secure = url.protocol === "https:" && SECURE_PORTS.includes(url.port);
  if (rules.allowPrivate && (secure || url.protocol === "http:" || url.protocol === "https:")) {
    return url.href;
  }
  if (url.protocol !== "https:") throw refused("Must be https");
  if (!secure) throw refused("The port must be 443 or 8443");
  const host = url.hostname.replace(/\.$/, "").toLowerCase();
  if (!isPublic(host)) throw refused("Must be a public address");
  if (rules.ownHosts.some((own) => host === own || host.endsWith(`.${own}`))) {
    throw refused("Must not be an address of this service");
  }
  return url.href;
}

const refused = (words: string) => wrongField("url", words);

function isPublic(host: string): boolean {
  // A literal IPv6 host: few receivers have one, and its special ranges (mapped, NAT64, 6to4, ULA) are many.
  if (host.startsWith("[")) return isPublicV6(host.slice(1, -1));
  // `URL` has already turned every spelling of an IPv4 address (octal, hex, one number) into four decimals.
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host))
    return !SPECIAL_V4.some(([base, bits]) => within(host, base, bits));
  const labels = host.split(".");
  // A resolver may take `localhost..` for `localhost`; no host of the internet has an empty label.
  return labels.length > 1 && !labels.includes("") && !PRIVATE_NAMES.test(host);
}

function within(address: string, base: string, bits: number): boolean {
  const shift = 32 - bits;
  return Math.floor(numberOf(address) / 2 ** shift) === Math.floor(numberOf(base) / 2 ** shift);
}

const numberOf = (address: string) =>
  address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);

/** Only global unicast (2000::/3), without 6to4, Teredo, documentation and other special blocks in it. */
function isPublicV6(address: string): boolean {
  const [first = "", second = ""] = address.split(":");
  const high = Number.parseInt(first || "0", 16);
  const low = Number.parseInt(second || "0", 16);
  if (high < 0x2000 || high > 0x3fff) return false;
  if (high === 0x2002 || (high === 0x3fff && low < 0x1000)) return false;
  return !(high === 0x2001 && (low < 0x200 || low === 0xdb8));
}
