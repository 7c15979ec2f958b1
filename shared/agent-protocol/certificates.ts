import { z } from "zod";
import { domainName, emailAddress, siteId } from "./fields.ts";
import { withoutTail } from "./spec.ts";

export const certificateFacts = z.object({
  /** The first name, by which the agent stores it. */
  domain: domainName,
  names: z.array(domainName),
  issuer: z.string().max(300),
  serial: z.string().max(80),
  notBefore: z.iso.datetime(),
  /** The last moment of its validity. */
  notAfter: z.iso.datetime(),
  /** From the authority's test system: no browser trusts it. */
  staging: z.boolean(),
});
export type CertificateFacts = z.output<typeof certificateFacts>;

const renewal = z.object({
  /** Those that are in use now; what was renewed is always among them. */
  certificates: z.array(certificateFacts),
  renewed: z.array(domainName),
  failed: z.array(z.object({ domain: domainName, message: z.string().max(300) })),
});

/** What was renewed is news, the rest is known: that goes first. */
function shorterRenewal({ certificates, renewed, failed }: z.output<typeof renewal>) {
  const [news, rest] = [true, false].map((isNew) =>
    certificates.filter(({ domain }) => renewed.includes(domain) === isNew),
  );
  if (!news || !rest || rest.length === 0) return null;
  return { certificates: [...news, ...withoutTail(rest)], renewed, failed };
}

/** Commands about certificates; subject `certificates`, so the authority is asked by one at a time. */
export const certificatesCommands = {
  /**
   * A certificate for a site of this server, in use when this is done. One that has 30 days or more left for the same
   * names and system is kept (`issued: false`). `unavailable` with `retryable: false` when the budget of attempts
   * for the domain is used up. On a failure the site keeps what it had.
   */
  "ssl.issue": {
    input: z.strictObject({
      siteId,
      domain: domainName,
      aliases: z.array(domainName).max(20).default([]),
      email: emailAddress,
      /** The authority's test system, which has wider limits. */
      staging: z.boolean(),
    }),
    result: z.object({ certificate: certificateFacts, issued: z.boolean() }),
    deadlineMs: 30 * 60_000,
  },
  /** Renews what has less than `daysLeft` days; each by itself, so one failure stops no other. */
  "ssl.renew": {
    input: z.strictObject({ daysLeft: z.number().int().min(1).max(90).default(30) }),
    result: renewal,
    shorten: shorterRenewal,
    deadlineMs: 60 * 60_000,
  },
  "ssl.inspect": {
    ask: true,
    input: z.strictObject({ domain: domainName.optional() }),
    result: z.object({ certificates: z.array(certificateFacts) }),
    deadlineMs: 10_000,
  },
} as const;
