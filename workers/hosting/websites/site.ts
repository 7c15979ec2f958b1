import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { unseal } from "../../../shared/crypto/index.ts";
import type { SiteRef } from "../drivers/index.ts";

const date = z.coerce.date();

const serverShape = z
  .object({
    id: z.uuid(),
    driver: z.enum(["aapanel", "agent"]),
    base_url: z.string(),
    sealed_key: z.string().nullable(),
    web_address: z.string(),
    ftp_host: z.string(),
    sites_path: z.string(),
    php_version: z.string().nullable(),
    has_databases: z.boolean(),
  })
  .transform((row) => ({
    id: row.id,
    driver: row.driver,
    baseUrl: row.base_url,
    sealedKey: row.sealed_key,
    webAddress: row.web_address,
    ftpHost: row.ftp_host,
    sitesPath: row.sites_path,
    phpVersion: row.php_version,
    hasDatabases: row.has_databases,
  }));

/** A website with its server, as `hosting_site_json` gives it. Holds sealed secrets. */
export const siteShape = z
  .object({
    id: z.uuid(),
    user_id: z.number(),
    subscription_id: z.uuid(),
    domain: z.string(),
    status: z.enum(["PENDING", "ACTIVE", "SUSPENDED", "DELETED"]),
    wanted: z.enum(["active", "suspended", "deleted"]),
    create_job_id: z.uuid().nullable(),
    create_sent_at: date.nullable(),
    failure: z.string().nullable(),
    host_site_id: z.string().nullable(),
    root: z.string().nullable(),
    document_root: z.string(),
    ftp_username: z.string(),
    sealed_ftp_password: z.string(),
    database_name: z.string().nullable(),
    sealed_database_password: z.string().nullable(),
    certificate_until: date.nullable(),
    created_at: date,
    updated_at: date,
    server: serverShape,
  })
  .transform((row) => ({
    id: row.id,
    userId: row.user_id,
    subscriptionId: row.subscription_id,
    domain: row.domain,
    status: row.status,
    wanted: row.wanted,
    createJobId: row.create_job_id,
    createSentAt: row.create_sent_at,
    failure: row.failure,
    hostSiteId: row.host_site_id,
    root: row.root,
    documentRoot: row.document_root,
    ftpUsername: row.ftp_username,
    sealedFtpPassword: row.sealed_ftp_password,
    databaseName: row.database_name,
    sealedDatabasePassword: row.sealed_database_password,
    certificateUntil: row.certificate_until,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    server: row.server,
  }));

export type Site = z.output<typeof siteShape>;

/** Whose sealed texts a website's passwords are. */
export const siteOwner = (websiteId: string, what: "ftp" | "database") =>
  `hosting-website/${websiteId}/${what}`;

export interface SiteSecrets {
  ftpPassword: string;
  databasePassword: string | null;
}

/** A site's passwords in the clear. That they cannot be opened is ours to mend: no way round it. */
export async function openSecrets(ctx: Ctx, site: Site): Promise<SiteSecrets> {
  const open = async (what: "ftp" | "database", sealed: string) => {
    const text = await unseal(ctx.config, siteOwner(site.id, what), sealed);
    if (text === null) throw new Error(`the ${what} password of a website cannot be opened`);
    return text;
  };
  const { sealedDatabasePassword } = site;
  return {
    ftpPassword: await open("ftp", site.sealedFtpPassword),
    databasePassword:
      sealedDatabasePassword === null ? null : await open("database", sealedDatabasePassword),
  };
}

/** Where a site lies on its server, or null while it is nowhere. */
export function siteRef({ hostSiteId, domain, root }: Site): SiteRef | null {
  return hostSiteId !== null && root !== null ? { hostSiteId, domain, root } : null;
}

/** By this a site on a server is known as this website's, whatever became of the answer to its creation. */
export const noteOf = (websiteId: string) => `lumbung ${websiteId}`;

/** The contract's website, without its password. A site that is to be deleted is shown as if it were. */
export function websiteView(site: Site) {
  return {
    id: site.id,
    userId: String(site.userId),
    subscriptionId: site.subscriptionId,
    domain: site.domain,
    aaPanelUserId: null,
    aaPanelSiteId: site.hostSiteId,
    ftpHost: site.server.ftpHost,
    ftpUsername: site.ftpUsername,
    databaseName: site.databaseName,
    status: site.wanted === "deleted" ? ("DELETED" as const) : site.status,
    httpsUntil: site.certificateUntil?.toISOString() ?? null,
    createdAt: site.createdAt.toISOString(),
    updatedAt: site.updatedAt.toISOString(),
  };
}

export type WebsiteView = ReturnType<typeof websiteView>;
