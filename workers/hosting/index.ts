/** Hosting's public verbs and types: what the entry composes and what other domains may use. */
export { listPaymentChannels, type PaymentChannel } from "./payment-channels.ts";
