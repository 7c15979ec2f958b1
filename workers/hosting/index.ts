/** Hosting's public verbs and types: what the entry composes and what other domains may use. */
export { deployJob, followDeploys, removeReleaseJob } from "./deploys.ts";
export { hostingMails } from "./mails.ts";
export { listPaymentChannels, type PaymentChannel } from "./payment-channels.ts";
export { followRenewals, runRenewals } from "./renewals.ts";
export { hostingSettlement } from "./settlement.ts";
export { sweepUploads } from "./uploads.ts";
export { websiteJobs } from "./websites.ts";
