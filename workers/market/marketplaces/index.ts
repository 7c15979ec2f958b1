import { PLATFORMS } from "../../../shared/providers/marketplace.ts";
import { pushApplier } from "./orders/pushes.ts";

export { marketplaceHourlyChores, marketplaceMinuteChores } from "./chores.ts";
export { dailyLookJob } from "./listings/daily-look.ts";
export { listingsJob } from "./listings/job.ts";
export { marketplaceMails } from "./mails.ts";
export { ordersJob } from "./orders/poll.ts";
export { pushSoon } from "./pushes.ts";
export { syncProducts } from "./sync.ts";

/** How the pushes of all platforms take effect. */
export const pushAppliers = PLATFORMS.map(pushApplier);
