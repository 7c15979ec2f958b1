import { issueCertificateJob } from "./websites/certificate.ts";
import { createSiteJob } from "./websites/make.ts";
import { deleteSiteJob, resumeSiteJob, suspendSiteJob } from "./websites/orders.ts";

export {
  type CreatedWebsite,
  type CreateWebsiteInput,
  createWebsite,
} from "./websites/create.ts";
export {
  type Credentials,
  getWebsite,
  getWebsiteJob,
  listWebsites,
  orderCertificate,
  showCredentials,
  type WebsiteJob,
} from "./websites/read.ts";
export {
  type AddServerInput,
  addServer,
  listServers,
  type ServerView,
} from "./websites/servers.ts";
export { type Site, siteRef, type WebsiteView, websiteView } from "./websites/site.ts";
export { lostTurn, type Turn, type TurnInput, withTurn } from "./websites/turn.ts";

/** What runs on queue `provisioning` about sites. */
export const websiteJobs = [
  createSiteJob,
  suspendSiteJob,
  resumeSiteJob,
  deleteSiteJob,
  issueCertificateJob,
];
