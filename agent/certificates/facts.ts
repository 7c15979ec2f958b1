import type { CertificateFacts } from "../../shared/agent-protocol/certificates.ts";
import { domainName } from "../../shared/agent-protocol/fields.ts";
import type { Stored } from "./store.ts";

const DAY_MS = 86_400_000;

export function factsOf({ leaf, about }: Stored): CertificateFacts {
  const names = namesIn(leaf.subjectAltName ?? "");
  return {
    domain: about.names[0] ?? names[0] ?? "",
    names,
    issuer: (/(?:^|\n)CN=(.*)/.exec(leaf.issuer)?.[1] ?? leaf.issuer).slice(0, 300),
    serial: leaf.serialNumber.toLowerCase(),
    notBefore: new Date(leaf.validFrom).toISOString(),
    notAfter: new Date(leaf.validTo).toISOString(),
    staging: about.staging,
  };
}

const namesIn = (altNames: string): string[] =>
  altNames
    .split(", ")
    .map((entry) => entry.replace(/^DNS:/, ""))
    .filter((name) => domainName.safeParse(name).success);

/**
 * Whether it is time for the next one: with a third of its life left, or `daysLeft` days, whichever is later. So one of 90
 * days is renewed after 60, and one of 6 days after 4.
 */
export function isDue({ leaf }: Stored, daysLeft: number, now: Date): boolean {
  const from = Date.parse(leaf.validFrom);
  const to = Date.parse(leaf.validTo);
  return to - now.getTime() < Math.min(daysLeft * DAY_MS, (to - from) / 3);
}

export const hasEnded = ({ leaf }: Stored, now: Date) => Date.parse(leaf.validTo) <= now.getTime();

export const isSameNames = (one: readonly string[], other: readonly string[]) =>
  [...one].sort().join() === [...other].sort().join();
