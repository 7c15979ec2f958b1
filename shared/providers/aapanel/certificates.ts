import { z } from "zod";
import { Done, type Line } from "./line.ts";

const APPLY_PATIENCE = 9;

export interface IssuedCertificate {
  privateKey: string;
  /** The certificate and its chain. */
  chain: string;
}

const Applied = z.looseObject({
  status: z.literal(true),
  cert: z.string().min(1),
  root: z.string().nullish(),
  private_key: z.string().min(1),
});

/**
 * Has Let's Encrypt issue a certificate by an HTTP challenge (providers/aapanel.md, "SSL"). Takes tens of seconds, and
 * its issuer counts failures: ask seldom. It is not yet served after this: see `installCertificate`.
 */
export async function applyCertificate(
  line: Line,
  siteId: string,
  domains: string[],
): Promise<IssuedCertificate> {
  const applied = await line.call({
    group: "acme",
    action: "apply_cert_api",
    fields: {
      domains: JSON.stringify(domains),
      id: siteId,
      auth_type: "http",
      auth_to: siteId,
      auto_wildcard: "0",
    },
    schema: Applied,
    idempotent: false,
    patience: APPLY_PATIENCE,
  });
  const chain = [applied.cert.trim(), applied.root?.trim() ?? ""].filter(Boolean).join("\n");
  return { privateKey: applied.private_key, chain };
}

export const installCertificate = (
  line: Line,
  siteName: string,
  { privateKey, chain }: IssuedCertificate,
) =>
  line.call({
    group: "site",
    action: "SetSSL",
    fields: { siteName, key: privateKey, csr: chain, type: "1" },
    schema: Done,
    idempotent: true,
  });

export interface PanelCertificate {
  issuer: string;
  notAfter: Date | null;
}

const Tls = z.looseObject({
  status: z.boolean(),
  cert_data: z
    .looseObject({ issuer: z.string().catch(""), notAfter: z.string().catch("") })
    .nullish()
    .catch(null),
});

/** The certificate that a site serves, or null. */
export async function findCertificate(
  line: Line,
  siteName: string,
): Promise<PanelCertificate | null> {
  const { status, cert_data: data } = await line.call({
    group: "site",
    action: "GetSSL",
    fields: { siteName },
    schema: Tls,
    idempotent: true,
    statusIsData: true,
  });
  if (!status) return null;
  const notAfter = new Date(data?.notAfter ?? "");
  const isDate = !Number.isNaN(notAfter.getTime());
  return { issuer: data?.issuer ?? "", notAfter: isDate ? notAfter : null };
}
