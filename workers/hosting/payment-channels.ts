import type { Ctx } from "../../shared/context.ts";
import { AppError } from "../../shared/http/errors.ts";
import type { Ipaymu, IpaymuChannel } from "../../shared/providers/ipaymu.ts";
import { ProviderError } from "../../shared/providers/provider-error.ts";

/** A way to pay as the order page shows it. */
export interface PaymentChannel {
  id: string;
  name: string;
  channel: string;
  description: string;
  enabled: boolean;
  logo: string;
  category: "bank" | "retail" | "qris" | "ewallet";
  fee: IpaymuChannel["fee"];
}

const CATEGORY_OF: Record<string, PaymentChannel["category"]> = {
  cstore: "retail",
  qris: "qris",
  ewallet: "ewallet",
  "ewallet-asia": "ewallet",
  paylater: "ewallet",
};

const FRESH_MS = 600_000;
const ASK_AGAIN_MS = 60_000;

/** The list changes rarely and anybody may ask for it, so an isolate asks the provider every ten minutes at most. */
const known = new WeakMap<Ipaymu, { channels: PaymentChannel[]; at: number }>();

/** The ways to pay at the provider. While it is away the last list stands; without one: `provider_unavailable`. */
export async function listPaymentChannels(ctx: Ctx): Promise<PaymentChannel[]> {
  const { ipaymu } = ctx.providers;
  const last = known.get(ipaymu);
  const now = ctx.now().getTime();
  if (last && now - last.at < FRESH_MS) return last.channels;
  try {
    const channels = (await ipaymu.listChannels()).map(channelOf);
    known.set(ipaymu, { channels, at: now });
    return channels;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const { kind, code } = error;
    ctx.log.warn("payment channels not loaded", { provider: error.provider, kind, code });
    if (last) {
      known.set(ipaymu, { ...last, at: now - FRESH_MS + ASK_AGAIN_MS });
      return last.channels;
    }
    const words = "Metode pembayaran belum dapat dimuat. Silakan coba lagi.";
    throw new AppError("provider_unavailable", words, { cause: error });
  }
}

function channelOf({ group, code, isOpen, ...shown }: IpaymuChannel): PaymentChannel {
  return {
    ...shown,
    id: code,
    channel: code,
    enabled: isOpen,
    category: CATEGORY_OF[group] ?? "bank",
  };
}
