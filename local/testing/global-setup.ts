import type { TestProject } from "vitest/node";
import { startDatabase } from "../database.ts";
import { localSettings, secretsFrom, TWIN_KEYS } from "../settings.ts";
import { addressesOf, startTwins, type TwinAddresses } from "../twins/index.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** What the Worker under test gets as variables. */
    settings: Record<string, string>;
    /** Where tests reach the stand-ins: dials, counts, mails. */
    standIns: StandIns;
    /** Which episodes orders/matching.property.test.ts plays, `<first seed>:<how many>`; null: the usual ones. */
    episodes: string | null;
  }
}

export type StandIns = TwinAddresses & {
  databaseUrl: string;
  databaseHttpUrl: string;
  adminUrl: string;
};

/** One Postgres and one set of twins for the whole run; the database is a fresh clone of the migrated template. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const database = await startDatabase({ durable: false });
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const urls = await database.createDatabaseFromTemplate(name);
  const twins = await startTwins({
    midtrans: { serverKey: TWIN_KEYS.midtrans },
    kiriminAja: { apiKey: TWIN_KEYS.kiriminaja },
    resend: { apiKey: TWIN_KEYS.resend },
    ipaymu: TWIN_KEYS.ipaymu,
    vipReseller: TWIN_KEYS.vipReseller,
    aapanel: TWIN_KEYS.aapanel,
    shopee: { ...TWIN_KEYS.shopee, ...keptPushes("shopee") },
    lazada: { ...TWIN_KEYS.lazada, ...keptPushes("lazada") },
    tiktokShop: { ...TWIN_KEYS.tiktokShop, ...keptPushes("tiktok-shop") },
    replicate: { ...TWIN_KEYS.replicate, fetchInput: false, keepWebhooks: true },
    instagram: { ...TWIN_KEYS.instagram, fetchImages: false },
    anthropic: TWIN_KEYS.anthropic,
  });
  await keepCallbacks(twins.ipaymu.url);
  project.provide("settings", {
    PASSWORD_COST: "4",
    // Every test of hosting puts its sites on one panel.
    AAPANEL_CAPACITY: "5000",
    // A busy machine must not be taken for a slow panel.
    HOSTING_CREATE_WAIT_MS: "10000",
    ...localSettings(
      {
        databaseUrl: urls.databaseUrl,
        httpUrl: database.httpUrl,
        ...addressesOf(twins),
      },
      secretsFrom(),
    ),
  });
  project.provide("episodes", process.env.LUMBUNG_EPISODES ?? null);
  project.provide("standIns", {
    databaseUrl: urls.databaseUrl,
    databaseHttpUrl: database.httpUrl,
    adminUrl: urls.adminUrl,
    ...addressesOf(twins),
  });
  return async () => {
    await twins.stop();
    await database.stop();
  };
}

/** Signed for the Worker's own address and handed over by tests; no test waits for a marketplace's patience. */
function keptPushes(name: string) {
  const pushUrl = `http://localhost:8787/api/webhooks/${name}`;
  return { pushUrl, keepPushes: true, callsPerSecond: 1000 };
}

/**
 * iPaymu is told with each payment where to call, and nobody listens there during tests (or a platform that somebody
 * tries out): the twin keeps its callbacks, and a test hands over those that it wants.
 */
async function keepCallbacks(ipaymuUrl: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ lose: true });
  const { ok } = await fetch(`${ipaymuUrl}/_dials`, { method: "PUT", headers, body });
  if (!ok) throw new Error("the iPaymu twin would not keep its callbacks");
}
