/** The market's public verbs and types: what the entry composes and what other domains may use. */
export { finishStoreDeletions } from "./admin/stores.ts";
export { instagramJob, renewInstagramTokens } from "./instagram/index.ts";
export { marketMails } from "./mails.ts";
export {
  dailyLookJob,
  listingsJob,
  marketplaceHourlyChores,
  marketplaceMails,
  marketplaceMinuteChores,
  ordersJob,
  pushAppliers,
} from "./marketplaces/index.ts";
export { orderSettlement } from "./orders/settlement.ts";
export { payoutNewsJob } from "./payouts/payout-news.ts";
export { photoApplier, photoJob } from "./photos/index.ts";
export { callBackPickup } from "./shipping/call-back-pickup.ts";
export { courierApplier, followQuietParcels, giveUpQuietParcels } from "./shipping/courier-news.ts";
export { orderNewsJob } from "./shipping/order-news.ts";
export { requestPickup } from "./shipping/request-pickup.ts";
export { purgeShownQuotes } from "./shipping/shown-quotes.ts";
