import type { TwinAnswer, TwinRequest } from "../server.ts";
import type { Market } from "./market.ts";

/** How a platform words what goes wrong before a call is looked at. */
export interface FaultForms {
  limited(waitMs: number, status: number | null): TwinAnswer;
  inside(code: string | null): TwinAnswer;
  expired(): TwinAnswer;
  revoked(): TwinAnswer;
}

/** What a dial's `match` may name of a call: its shop, its address, its body. */
export function textOf(request: TwinRequest, shopId: string): string {
  return `${shopId}\n${request.path}?${request.query}\n${request.raw}`;
}

/**
 * A call of a known shop with a good token: counted, held to the shop's rate, and spoilt as the dials say, before or
 * after it has acted.
 */
export async function withMarketFaults(
  market: Market,
  request: TwinRequest,
  shopId: string,
  kind: string,
  forms: FaultForms,
  next: () => Promise<TwinAnswer>,
): Promise<TwinAnswer> {
  const text = textOf(request, shopId);
  const count = market.count(shopId, request.path);
  count.all += 1;
  const { own } = market;
  if (own.take("expireToken", text, request.path)) return forms.expired();
  if (own.take("revokeToken", text, request.path)) return forms.revoked();
  const storm = own.take("storm", text, request.path);
  if (storm) {
    count.limited += 1;
    return forms.limited(1000, typeof storm.value === "number" ? storm.value : null);
  }
  const usual = market.options.callsPerSecond ?? market.platform.rates[kind] ?? 10;
  const perSecond = own.number("callsPerSecond", text, usual);
  const wait = market.rates.take(`${shopId} ${kind}`, perSecond, market.clock());
  if (wait > 0) {
    count.limited += 1;
    return forms.limited(wait, null);
  }
  const inside = own.take("errorInside", text, request.path);
  if (!inside) return await next();
  if (inside.acts) await next();
  return forms.inside(typeof inside.value === "boolean" ? null : String(inside.value));
}

/** The reason for which every second item of this batch fails, or null. */
export function halfReason(market: Market, request: TwinRequest, shopId: string): string | null {
  return market.own.text("halfBatch", textOf(request, shopId), "system busy, please try later");
}
