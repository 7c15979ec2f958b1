import type { Config } from "../../../shared/config/config.ts";
import { AppError } from "../../../shared/http/errors.ts";

const WRONG = "Domain tidak valid";
const NOT_FOR_SALE = "Domain tidak dapat digunakan";

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Letters only, or an international one: what begins with a digit would be read as an address somewhere. */
const LAST_LABEL = /^(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/;

/** Names that nobody can own (RFC 6761, 6762, 7686, 8375, 9476). */
const RESERVED_ENDS = new Set([
  ...["localhost", "local", "localdomain", "internal", "intranet", "private", "lan", "home"],
  ...["corp", "invalid", "test", "example", "onion", "arpa", "alt"],
]);
/** Below these names others are sold or given away: by themselves they are nobody's website. */
const SUFFIXES = new Set([
  ...["biz", "desa", "my", "ponpes", "sch", "web"].map((label) => `${label}.id`),
  ...["github.io", "gitlab.io", "pages.dev", "workers.dev", "web.app", "firebaseapp.com"],
  ...["netlify.app", "vercel.app", "herokuapp.com", "onrender.com", "blogspot.com"],
  ...["wordpress.com", "wixsite.com", "eu.org", "co.com", "uk.com", "us.com", "sa.com"],
]);
/**
 * What the registries of countries name their own second levels (com.sg, co.uk, or.jp); nearly all of them are in use so,
 * and the few that are not are no loss. The whole Public Suffix List has thousands of names more.
 */
const SECOND_LEVELS =
  /^(?:ac|co|com|ed|edu|gen|go|gob|gouv|gov|govt|id|info|ltd|me|mil|muni|ne|net|nom|or|org|plc|pro|sch|web)\.[a-z]{2}$/;

/**
 * A customer's domain as DNS knows it: lower case, punycode (UTS 46, as browsers do). Refuses what is not a plain host
 * name, addresses, reserved names and our own. It ends up in paths and calls of servers: nothing odd gets through.
 */
export function parseDomain(config: Config, text: string): string {
  const trimmed = text.trim();
  // A URL's own syntax would be taken for something else than a name.
  if (trimmed.length > 253 || /[\s/\\:@?#%[\]<>^|*_"'`{}()]/.test(trimmed)) throw refusal(WRONG);
  const domain = URL.parse(`http://${trimmed}`)?.hostname ?? "";
  const labels = domain.split(".");
  const isName =
    domain.length <= 253 &&
    labels.length >= 2 &&
    labels.every((label) => LABEL.test(label) && isPlainLabel(label)) &&
    LAST_LABEL.test(labels.at(-1) ?? "");
  if (!isName) throw refusal(WRONG);
  const isSuffix = SUFFIXES.has(domain) || SECOND_LEVELS.test(domain);
  if (isSuffix || RESERVED_ENDS.has(labels.at(-1) ?? "")) throw refusal(NOT_FOR_SALE);
  if (ownNames(config).some((own) => domain === own || domain.endsWith(`.${own}`))) {
    throw refusal(NOT_FOR_SALE);
  }
  return domain;
}

/** Hyphens in the third and fourth place mark an encoding, of which one is in use (RFC 5891, 4.2.3.1). */
const isPlainLabel = (label: string) => label.slice(2, 4) !== "--" || label.startsWith("xn--");

function ownNames({ APP_URL, STORE_DOMAIN, AAPANEL_URL, RELAY_URL }: Config): string[] {
  const urls = [APP_URL, AAPANEL_URL, RELAY_URL].filter((url) => url !== undefined);
  return [STORE_DOMAIN, ...urls.map((url) => new URL(url).hostname)];
}

const refusal = (words: string) => new AppError("invalid_input", words);
