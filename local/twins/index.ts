import { type AapanelTwin, startAapanelTwin } from "./aapanel/twin.ts";
import { type AnthropicTwin, startAnthropicTwin } from "./anthropic/twin.ts";
import { type InstagramTwin, startInstagramTwin } from "./instagram/twin.ts";
import { type IpaymuTwin, startIpaymuTwin } from "./ipaymu/twin.ts";
import { type KiriminAjaTwin, startKiriminAjaTwin } from "./kiriminaja/twin.ts";
import { type LazadaTwin, startLazadaTwin } from "./lazada/twin.ts";
import { type MidtransTwin, startMidtransTwin } from "./midtrans/twin.ts";
import { type ReplicateTwin, startReplicateTwin } from "./replicate/twin.ts";
import { type ResendTwin, startResendTwin } from "./resend/twin.ts";
import { type ShopeeTwin, startShopeeTwin } from "./shopee/twin.ts";
import { startTiktokShopTwin, type TiktokShopTwin } from "./tiktok-shop/twin.ts";
import { startVipResellerTwin, type VipResellerTwin } from "./vip-reseller/twin.ts";

export type { AapanelTwin } from "./aapanel/twin.ts";
export { startAapanelTwin } from "./aapanel/twin.ts";
export type { AnthropicTwin } from "./anthropic/twin.ts";
export { startAnthropicTwin } from "./anthropic/twin.ts";
export type { InstagramTwin } from "./instagram/twin.ts";
export { startInstagramTwin } from "./instagram/twin.ts";
export type { IpaymuTwin } from "./ipaymu/twin.ts";
export { startIpaymuTwin } from "./ipaymu/twin.ts";
export type { KiriminAjaTwin } from "./kiriminaja/twin.ts";
export { startKiriminAjaTwin } from "./kiriminaja/twin.ts";
export type { LazadaTwin } from "./lazada/twin.ts";
export { startLazadaTwin } from "./lazada/twin.ts";
export type { MidtransTwin } from "./midtrans/twin.ts";
export { startMidtransTwin } from "./midtrans/twin.ts";
export type { ReplicateTwin } from "./replicate/twin.ts";
export { startReplicateTwin } from "./replicate/twin.ts";
export type { ResendTwin } from "./resend/twin.ts";
export { startResendTwin } from "./resend/twin.ts";
export type { ShopeeTwin } from "./shopee/twin.ts";
export { startShopeeTwin } from "./shopee/twin.ts";
export type { TiktokShopTwin } from "./tiktok-shop/twin.ts";
export { startTiktokShopTwin } from "./tiktok-shop/twin.ts";
export type { VipResellerTwin } from "./vip-reseller/twin.ts";
export { startVipResellerTwin } from "./vip-reseller/twin.ts";

export interface Twins {
  midtrans: MidtransTwin;
  kiriminAja: KiriminAjaTwin;
  resend: ResendTwin;
  ipaymu: IpaymuTwin;
  vipReseller: VipResellerTwin;
  aapanel: AapanelTwin;
  shopee: ShopeeTwin;
  lazada: LazadaTwin;
  tiktokShop: TiktokShopTwin;
  replicate: ReplicateTwin;
  instagram: InstagramTwin;
  anthropic: AnthropicTwin;
  stop(): Promise<void>;
}

export interface TwinsOptions {
  midtrans: Parameters<typeof startMidtransTwin>[0];
  kiriminAja: Parameters<typeof startKiriminAjaTwin>[0];
  resend: Parameters<typeof startResendTwin>[0];
  ipaymu: Parameters<typeof startIpaymuTwin>[0];
  vipReseller: Parameters<typeof startVipResellerTwin>[0];
  aapanel: Parameters<typeof startAapanelTwin>[0];
  shopee: Parameters<typeof startShopeeTwin>[0];
  lazada: Parameters<typeof startLazadaTwin>[0];
  tiktokShop: Parameters<typeof startTiktokShopTwin>[0];
  replicate: Parameters<typeof startReplicateTwin>[0];
  instagram: Parameters<typeof startInstagramTwin>[0];
  anthropic: Parameters<typeof startAnthropicTwin>[0];
}

/** Where each twin listens. */
export type TwinAddresses = ReturnType<typeof addressesOf>;

export function addressesOf(twins: Twins) {
  return {
    midtrans: twins.midtrans.url,
    kiriminaja: twins.kiriminAja.url,
    resend: twins.resend.url,
    ipaymu: twins.ipaymu.url,
    vipReseller: twins.vipReseller.url,
    aapanel: twins.aapanel.url,
    shopee: twins.shopee.url,
    lazada: twins.lazada.url,
    tiktokShop: twins.tiktokShop.url,
    replicate: twins.replicate.url,
    instagram: twins.instagram.url,
    anthropic: twins.anthropic.url,
  };
}

interface Stoppable {
  stop(): Promise<void>;
}

/** Starts the twins, or none: when one cannot start (its port is taken), the others are stopped again. */
export async function startTwins(options: TwinsOptions): Promise<Twins> {
  const started: Stoppable[] = [];
  const stop = async () => {
    await Promise.all(started.splice(0).map((twin) => twin.stop()));
  };
  const keep = <T extends Stoppable>(twin: T): T => {
    started.push(twin);
    return twin;
  };
  try {
    const midtrans = keep(await startMidtransTwin(options.midtrans));
    const kiriminAja = keep(await startKiriminAjaTwin(options.kiriminAja));
    const resend = keep(await startResendTwin(options.resend));
    const ipaymu = keep(await startIpaymuTwin(options.ipaymu));
    const vipReseller = keep(await startVipResellerTwin(options.vipReseller));
    const aapanel = keep(await startAapanelTwin(options.aapanel));
    const shopee = keep(await startShopeeTwin(options.shopee));
    const lazada = keep(await startLazadaTwin(options.lazada));
    const tiktokShop = keep(await startTiktokShopTwin(options.tiktokShop));
    const replicate = keep(await startReplicateTwin(options.replicate));
    const instagram = keep(await startInstagramTwin(options.instagram));
    const anthropic = keep(await startAnthropicTwin(options.anthropic));
    const money = { midtrans, ipaymu, kiriminAja, vipReseller };
    const market = { shopee, lazada, tiktokShop, replicate, instagram, anthropic };
    return { ...money, ...market, resend, aapanel, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
