import { BASE } from "./style/base.ts";
import { ORDERS } from "./style/orders.ts";
import { SHOP } from "./style/shop.ts";

/** The one style sheet, inlined in every page: no second request, and a hash in the content policy vouches for it. */
export const STYLE = BASE + SHOP + ORDERS;
