/** Sites of this server: what the daemon composes and other areas use. */
export { dropCertificate, handlers, restartSite, useCertificate } from "./handlers.ts";
export { endLastDays } from "./last-days.ts";
export { type CertificateFiles, findSite, listRecords, type SiteRecord } from "./record.ts";
export { startSites, stopSites } from "./supervisor.ts";
export { visit } from "./visit.ts";
