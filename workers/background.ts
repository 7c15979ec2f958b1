import { loadConfig } from "../shared/config/config.ts";
import { type Ctx, createContext } from "../shared/context.ts";
import { purgeExpired } from "../shared/http/idempotency.ts";
import { consumeDeadLetters, consumeNotices, replayParked } from "../shared/inbox/inbox.ts";
import { consumeJobs, type JobHandler, resendDueJobs } from "../shared/jobs/jobs.ts";
import { describeError } from "../shared/log.ts";
import { mailJob } from "../shared/mail/mail.ts";
import {
  depositSettlement,
  ipaymuNoticeApplier,
  noticeApplier,
  paymentMails,
  reconcileCharges,
  refundJob,
} from "../shared/payments/index.ts";
import { providersOf } from "../shared/providers/index.ts";
import {
  deployJob,
  followDeploys,
  followRenewals,
  hostingMails,
  hostingSettlement,
  removeReleaseJob,
  runRenewals,
  sweepUploads,
  websiteJobs,
} from "./hosting/index.ts";
import { identityMails, purgeSignInAttempts } from "./identity/index.ts";
import {
  coinsSettlement,
  endLapsedSessions,
  purgeGiftHours,
  purgeVisitors,
  sendToUser,
  turnGiftWeeks,
} from "./live/index.ts";
import {
  callBackPickup,
  courierApplier,
  dailyLookJob,
  finishStoreDeletions,
  followQuietParcels,
  giveUpQuietParcels,
  instagramJob,
  listingsJob,
  marketMails,
  marketplaceHourlyChores,
  marketplaceMails,
  marketplaceMinuteChores,
  orderNewsJob,
  orderSettlement,
  ordersJob,
  payoutNewsJob,
  photoApplier,
  photoJob,
  purgeShownQuotes,
  pushAppliers,
  renewInstagramTokens,
  requestPickup,
} from "./market/index.ts";
import { panelHourlyChores, panelJobs, panelMails, panelMinuteChores } from "./panel/index.ts";
import {
  callbackApplier,
  deliverWebhook,
  expireOrders,
  followOrders,
  hourlyChores,
  minuteChores,
  noteForeignPurchases,
  orderJob,
  reconcileJob,
  refusedCallbackApplier,
  repriceJob,
  startHourlySync,
  syncJob,
  topupMails,
} from "./topup/index.ts";

/** What a settled, or no longer payable, payment means to the domain that asked for it. */
const settlements = [orderSettlement, depositSettlement, coinsSettlement, hostingSettlement];
const appliers = [
  noticeApplier(settlements),
  ipaymuNoticeApplier(settlements),
  courierApplier,
  callbackApplier,
  refusedCallbackApplier,
  ...pushAppliers,
  photoApplier,
];
const jobHandlers: JobHandler[] = [
  requestPickup,
  callBackPickup,
  orderNewsJob(sendToUser),
  payoutNewsJob(sendToUser),
  listingsJob(),
  dailyLookJob,
  ordersJob,
  photoJob(),
  instagramJob(),
  orderJob,
  syncJob,
  deliverWebhook(),
  reconcileJob,
  repriceJob,
  refundJob,
  ...websiteJobs,
  deployJob(),
  removeReleaseJob,
  ...panelJobs,
  mailJob([
    ...identityMails,
    ...marketMails,
    ...marketplaceMails,
    ...paymentMails,
    ...topupMails,
    ...hostingMails,
    ...panelMails,
  ]),
];

const EVERY_MINUTE = "* * * * *";
/** 06.00 in Jakarta. */
const NIGHTLY = "0 23 * * *";

function contextOf(env: Env, execution: ExecutionContext): Ctx {
  return createContext(env, {
    config: loadConfig(env),
    providers: providersOf,
    requestId: crypto.randomUUID(),
    isBackground: true,
    waitUntil: (work) => execution.waitUntil(work),
  });
}

/** What runs behind requests: messages of the queues, and the clock. */
export const background = {
  async queue(batch, env, execution) {
    const ctx = contextOf(env, execution);
    switch (batch.queue) {
      case "webhooks":
      case "topup-callbacks":
        return await consumeNotices(ctx, batch, appliers, jobHandlers);
      case "provisioning":
      case "marketplace-sync":
      case "mail":
      case "topup":
      case "topup-deliveries":
        return await consumeJobs(ctx, batch, jobHandlers);
      default:
        if (batch.queue.endsWith("-dead")) return await consumeDeadLetters(ctx, batch);
        throw new Error(`no consumer for queue ${batch.queue}`);
    }
  },

  async scheduled(controller, env, execution) {
    await ring(contextOf(env, execution), controller.cron);
  },
} satisfies Pick<ExportedHandler<Env>, "queue" | "scheduled">;

/** What the clock brings, by its cron's expression; each chore fails alone. */
export async function ring(ctx: Ctx, cron: string): Promise<void> {
  if (cron === NIGHTLY) return void (await runRenewals(ctx));
  const chores =
    cron === EVERY_MINUTE
      ? [
          resendDueJobs(ctx),
          reconcileCharges(ctx, settlements),
          replayParked(ctx, appliers),
          followOrders(ctx),
          expireOrders(ctx),
          endLapsedSessions(ctx),
          turnGiftWeeks(ctx),
          followDeploys(ctx),
          ...minuteChores(ctx),
          followQuietParcels(ctx),
          ...marketplaceMinuteChores(ctx),
          ...panelMinuteChores(ctx),
        ]
      : [
          giveUpQuietParcels(ctx),
          purgeExpired(ctx),
          purgeSignInAttempts(ctx),
          startHourlySync(ctx),
          noteForeignPurchases(ctx),
          ...hourlyChores(ctx),
          ...marketplaceHourlyChores(ctx),
          ...panelHourlyChores(ctx),
          renewInstagramTokens(ctx),
          purgeGiftHours(ctx),
          purgeVisitors(ctx),
          purgeShownQuotes(ctx),
          finishStoreDeletions(ctx),
          sweepUploads(ctx),
          followRenewals(ctx),
        ];
  for (const result of await Promise.allSettled(chores)) {
    if (result.status === "rejected") ctx.log.error("chore failed", describeError(result.reason));
  }
}
