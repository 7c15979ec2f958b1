import { fork } from "node:child_process";
import { once } from "node:events";
import { startDatabase } from "../local/database.ts";
import { TWIN_KEYS } from "../local/settings.ts";
import { addressesOf, startTwins, type TwinAddresses } from "../local/twins/index.ts";

export interface Addresses extends TwinAddresses {
  /** Through the Neon endpoint, as the Worker goes. */
  databaseUrl: string;
  /** The endpoint itself: queries, counts and latency. */
  httpUrl: string;
  /** Straight to Postgres, as the Express peer goes. */
  adminUrl: string;
}

export interface StandIns extends Addresses {
  stop(): Promise<void>;
}

/**
 * Postgres, the Neon endpoint and the providers' twins in a process of their own, so that their work does not delay
 * the clock that measures. They end with this process, however it ends.
 */
export async function startStandIns(): Promise<StandIns> {
  const child = fork(import.meta.filename, ["serve"], { stdio: "inherit" });
  const exited = once(child, "exit");
  const [addresses] = await Promise.race([
    once(child, "message"),
    exited.then(() => Promise.reject(new Error("the stand-ins did not start"))),
  ]);
  return {
    ...(addresses as Addresses),
    stop: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

async function serve(): Promise<void> {
  const stopped = once(process, "disconnect");
  const ignore = () => undefined;
  process.on("SIGINT", ignore).on("SIGTERM", ignore);
  const database = await startDatabase();
  const twins = await startTwins({
    midtrans: { serverKey: TWIN_KEYS.midtrans },
    kiriminAja: { apiKey: TWIN_KEYS.kiriminaja },
    resend: { apiKey: TWIN_KEYS.resend },
    ipaymu: TWIN_KEYS.ipaymu,
    vipReseller: TWIN_KEYS.vipReseller,
    aapanel: TWIN_KEYS.aapanel,
    shopee: TWIN_KEYS.shopee,
    lazada: TWIN_KEYS.lazada,
    tiktokShop: TWIN_KEYS.tiktokShop,
    replicate: TWIN_KEYS.replicate,
    instagram: TWIN_KEYS.instagram,
    anthropic: TWIN_KEYS.anthropic,
  });
  const addresses: Addresses = {
    databaseUrl: database.databaseUrl,
    httpUrl: database.httpUrl,
    adminUrl: database.adminUrl,
    ...addressesOf(twins),
  };
  process.send?.(addresses);
  await stopped;
  await twins.stop();
  await database.stop();
}

if (process.argv[2] === "serve" && process.send) await serve();
