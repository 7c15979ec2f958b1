export { reconcileJob } from "./admin/reconcile.ts";
export { hourlyChores, minuteChores } from "./chores.ts";
export { topupMails } from "./mails.ts";
export {
  callbackApplier,
  expireOrders,
  followOrders,
  noteForeignPurchases,
  orderJob,
  refusedCallbackApplier,
} from "./orders/index.ts";
export { repriceJob } from "./reprice.ts";
export { deliverWebhook } from "./resellers/deliver.ts";
export { startHourlySync, syncJob } from "./sync.ts";
