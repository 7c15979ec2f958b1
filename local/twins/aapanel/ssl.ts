import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { parseJson } from "../common/fields.ts";
import { done, Raised, refused } from "./answers.ts";
import { type Call, need, needInt, optional } from "./call.ts";
import type { Panel } from "./engine.ts";
import type { Certificate, Site } from "./state.ts";

const ninetyDays = 90 * 86_400_000;
const unknownSite = "The specified site does not exist";

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function readDomains(text: string): string[] {
  const list = parseJson(text);
  if (!Array.isArray(list) || list.length === 0 || !list.every((one) => typeof one === "string")) {
    throw new Raised("domains is no JSON array of texts");
  }
  return list;
}

/** Why Let's Encrypt would not issue now: text, or title and details. */
function problemOf(panel: Panel, call: Call, site: Site, domains: string[]): unknown {
  if (panel.own.take("noDns", call.text)) {
    return ["Verification failed", "The domain name does not resolve to this server"];
  }
  if (!site.running) return "The site is stopped, it cannot be verified by file";
  const byFile = need(call, "auth_type") === "http";
  if (byFile && domains.some((domain) => domain.startsWith("*."))) {
    return "A wildcard domain name cannot be verified by file";
  }
  if (site.forceHttps) return "Turn off forced HTTPS before applying";
  const foreign = domains.find((domain) => !site.domains.some((one) => one.name === domain));
  return foreign ? `${foreign} is not bound to this site` : null;
}

/** The certificate comes back and is kept; it is not installed. The texts look like PEM and sign nothing. */
export async function applyCertificate(panel: Panel, call: Call): Promise<unknown> {
  const domains = readDomains(need(call, "domains"));
  const site = panel.state.sites.get(needInt(call, "id"));
  need(call, "auth_to");
  if (!site) return refused(unknownSite);
  const problem = problemOf(panel, call, site, domains);
  if (problem) return { status: false, msg: problem, index: null };
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const cert = pem("CERTIFICATE", randomBytes(600));
  const root = pem("CERTIFICATE", Buffer.alloc(600, 1));
  const notAfter = panel.clock() + ninetyDays;
  const hash = createHash("md5").update(cert).digest("hex");
  const issued = { key, chain: cert + root, domains, type: 1, notAfter, hash, siteId: site.id };
  panel.state.issued.set(key.trim(), issued);
  return {
    status: true,
    msg: "Successfully applied!",
    cert,
    root,
    private_key: key,
    cert_timeout: Math.floor(notAfter / 1000),
    domains,
    save_path: `/www/server/panel/vhost/letsencrypt/${site.name}`,
  };
}

/** Key and chain must belong together: issued here, or a real pair. */
function readPair(panel: Panel, key: string, chain: string): Certificate | string {
  const issued = panel.state.issued.get(key.trim());
  if (issued) return issued.chain.trim() === chain.trim() ? issued : "Key and certificate differ";
  try {
    const certificate = new X509Certificate(chain);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return "Key and certificate differ";
    const names = certificate.subjectAltName?.split(", ").map((one) => one.replace("DNS:", ""));
    const notAfter = Date.parse(certificate.validTo);
    return { key, chain, domains: names ?? [], type: 0, notAfter };
  } catch {
    return "Certificate error, please paste the correct certificate in PEM format";
  }
}

function named(panel: Panel, call: Call): Site | undefined {
  return panel.siteNamed(need(call, "siteName"));
}

export async function setSsl(panel: Panel, call: Call): Promise<unknown> {
  const site = named(panel, call);
  const pair = readPair(panel, need(call, "key"), need(call, "csr"));
  if (!site) return refused(unknownSite);
  if (typeof pair === "string") return refused(pair);
  site.certificate = pair;
  return done("SSL turned on!");
}

/** `status` is data here: TLS on or off. */
export async function getSsl(panel: Panel, call: Call): Promise<unknown> {
  const site = named(panel, call);
  if (!site) return refused(unknownSite);
  const { certificate } = site;
  const notAfter = certificate ? new Date(certificate.notAfter).toISOString().slice(0, 10) : "";
  return {
    status: certificate !== null,
    type: certificate?.type ?? -1,
    domain: site.domains.map(({ name }) => ({ name })),
    key: certificate?.key ?? false,
    csr: certificate?.chain ?? false,
    cert_data: certificate ? { issuer: "R11", notAfter, dns: certificate.domains } : [],
    httpTohttps: site.forceHttps,
    email: "",
    index: null,
    auth_type: "http",
    tls_versions: { "TLSv1.2": true, "TLSv1.3": true },
    push: {},
  };
}

export function setForceHttps(on: boolean) {
  return async (panel: Panel, call: Call): Promise<unknown> => {
    const site = named(panel, call);
    if (!site) return refused(unknownSite);
    if (on && !site.certificate) return refused("SSL is not turned on");
    site.forceHttps = on;
    return done("Setup successfully!");
  };
}

export async function closeSsl(panel: Panel, call: Call): Promise<unknown> {
  const site = named(panel, call);
  optional(call, "updateOf", "1");
  if (!site) return refused(unknownSite);
  site.certificate = null;
  site.forceHttps = false;
  return done("SSL turned off!");
}

export async function listOrders(panel: Panel): Promise<unknown> {
  return [...panel.state.issued.values()].map(({ hash, domains }) => ({ index: hash, domains }));
}

/** `index` is the certificate's hash; only in its last 30 days. */
export async function renew(panel: Panel, call: Call): Promise<unknown> {
  const index = need(call, "index");
  const found = [...panel.state.issued.values()].find(({ hash }) => hash === index);
  if (!found) return refused("The specified certificate does not exist");
  if (found.notAfter - panel.clock() > 30 * 86_400_000) {
    return refused("The certificate is valid for more than 30 days");
  }
  found.notAfter = panel.clock() + ninetyDays;
  return done("Successfully renewed!");
}
