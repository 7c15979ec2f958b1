import { type KiriminAjaTwin, startKiriminAjaTwin } from "./kiriminaja/twin.ts";
import { type MidtransTwin, startMidtransTwin } from "./midtrans/twin.ts";
import { type ResendTwin, startResendTwin } from "./resend/twin.ts";

export type { KiriminAjaTwin } from "./kiriminaja/twin.ts";
export { startKiriminAjaTwin } from "./kiriminaja/twin.ts";
export type { MidtransTwin } from "./midtrans/twin.ts";
export { startMidtransTwin } from "./midtrans/twin.ts";
export type { ResendTwin } from "./resend/twin.ts";
export { startResendTwin } from "./resend/twin.ts";

export interface Twins {
  midtrans: MidtransTwin;
  kiriminAja: KiriminAjaTwin;
  resend: ResendTwin;
  stop(): Promise<void>;
}

export interface TwinsOptions {
  midtrans: Parameters<typeof startMidtransTwin>[0];
  kiriminAja: Parameters<typeof startKiriminAjaTwin>[0];
  resend: Parameters<typeof startResendTwin>[0];
}

interface Stoppable {
  stop(): Promise<void>;
}

/** Starts all twins, or none: when one cannot start (its port is taken), the others are stopped again. */
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
    return { midtrans, kiriminAja, resend, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
