/** The verbs of orders, for the routes of customers, resellers and admins. */
export { type HandInput, listReviews, settleByHand } from "./by-hand.ts";
export { callbackApplier, callbackApplierByHand, receiveCallback } from "./callbacks.ts";
export { expireOrders, followOrders } from "./follow.ts";
export { noteForeignPurchases, watchForLatePurchases } from "./foreign.ts";
export { isFinal, type Order, orderShape, WIRE_STATES, type WireState } from "./order.ts";
export { listOwnOrders, type OwnOrders } from "./own.ts";
export {
  type Buying,
  type GameInput,
  type PrepaidInput,
  placeGame,
  placeNumbered,
  placePrepaid,
  placeSocial,
  type SocialInput,
  ungrouped,
} from "./place.ts";
export { type Processed, processOrder } from "./process.ts";
export { TELLS_SERIAL } from "./purchase.ts";
export { getOrder, listOrders, type OrderFilter, type OrderKey, serialOf } from "./read.ts";
export { orderJob, reconcileOrder, reviveOrders } from "./recover.ts";
export {
  openRefused,
  purgeRefused,
  REFUSED_PROVIDER,
  refusedCallbackApplier,
} from "./refused-archive.ts";
