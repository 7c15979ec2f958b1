import type { Ctx } from "../context.ts";
import { ipaymuPayments } from "./ipaymu.ts";
import { ipaymuHistory } from "./ipaymu-history.ts";
import { midtransPayments } from "./midtrans.ts";
import type { PaymentProvider } from "./provider.ts";

const PROVIDERS: readonly ((ctx: Ctx) => PaymentProvider)[] = [
  (ctx) => midtransPayments(ctx.providers.midtrans),
  (ctx) =>
    ipaymuPayments(ctx.providers.ipaymu, {
      appUrl: ctx.config.APP_URL,
      now: ctx.now,
      history: ipaymuHistory(ctx),
    }),
];

/** The provider of that name, or null while none is registered. */
export function findPaymentProvider(ctx: Ctx, name: string): PaymentProvider | null {
  for (const make of PROVIDERS) {
    const provider = make(ctx);
    if (provider.name === name) return provider;
  }
  return null;
}

/** The provider of an intent, which was there when the intent was opened. */
export function paymentProvider(ctx: Ctx, name: string): PaymentProvider {
  const provider = findPaymentProvider(ctx, name);
  if (!provider) throw new Error(`no payment provider ${name}`);
  return provider;
}
