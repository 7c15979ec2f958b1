import { type IpaymuTwin, startIpaymuTwin } from "./ipaymu/twin.ts";
import { type KiriminAjaTwin, startKiriminAjaTwin } from "./kiriminaja/twin.ts";
import { type MidtransTwin, startMidtransTwin } from "./midtrans/twin.ts";
import { type ResendTwin, startResendTwin } from "./resend/twin.ts";
import { startVipResellerTwin, type VipResellerTwin } from "./vip-reseller/twin.ts";

export type { IpaymuTwin } from "./ipaymu/twin.ts";
export { startIpaymuTwin } from "./ipaymu/twin.ts";
export type { KiriminAjaTwin } from "./kiriminaja/twin.ts";
export { startKiriminAjaTwin } from "./kiriminaja/twin.ts";
export type { MidtransTwin } from "./midtrans/twin.ts";
export { startMidtransTwin } from "./midtrans/twin.ts";
export type { ResendTwin } from "./resend/twin.ts";
export { startResendTwin } from "./resend/twin.ts";
export type { VipResellerTwin } from "./vip-reseller/twin.ts";
export { startVipResellerTwin } from "./vip-reseller/twin.ts";

export interface Twins {
  midtrans: MidtransTwin;
  kiriminAja: KiriminAjaTwin;
  resend: ResendTwin;
  ipaymu: IpaymuTwin;
  vipReseller: VipResellerTwin;
  stop(): Promise<void>;
}

export interface TwinsOptions {
  midtrans: Parameters<typeof startMidtransTwin>[0];
  kiriminAja: Parameters<typeof startKiriminAjaTwin>[0];
  resend: Parameters<typeof startResendTwin>[0];
  ipaymu: Parameters<typeof startIpaymuTwin>[0];
  vipReseller: Parameters<typeof startVipResellerTwin>[0];
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
    return { midtrans, kiriminAja, resend, ipaymu, vipReseller, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
