import type { Ctx } from "../../shared/context.ts";
import { alertRefusedFlood, purgeCallbacks } from "./admin/callbacks.ts";
import { alertStaleLists } from "./admin/lists.ts";
import { reconcileOwed } from "./admin/reports.ts";
import { alertLowStock } from "./admin/stock.ts";
import { watchSupplier } from "./admin/supplier.ts";
import { reviveOrders, watchForLatePurchases } from "./orders/index.ts";
import { purgeDeliveries } from "./resellers/deliveries.ts";
import { tellOpenEvents } from "./resellers/notify.ts";

/** What resellers and admins need every minute; each fails alone. */
export const minuteChores = (ctx: Ctx): Promise<void>[] => [
  tellOpenEvents(ctx),
  reviveOrders(ctx),
  watchSupplier(ctx),
  watchForLatePurchases(ctx),
];

/** The same every hour. */
export const hourlyChores = (ctx: Ctx): Promise<void>[] => [
  reconcileOwed(ctx),
  alertLowStock(ctx),
  alertStaleLists(ctx),
  purgeDeliveries(ctx),
  purgeCallbacks(ctx),
  alertRefusedFlood(ctx),
];
