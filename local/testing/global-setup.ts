import type { TestProject } from "vitest/node";
import { startDatabase } from "../database.ts";
import { localSettings, secretsFrom, TWIN_KEYS } from "../settings.ts";
import { startTwins } from "../twins/index.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** What the Worker under test gets as variables. */
    settings: Record<string, string>;
    /** Where tests reach the stand-ins: dials, counts, mails. */
    standIns: StandIns;
  }
}

export type StandIns = {
  databaseUrl: string;
  databaseHttpUrl: string;
  adminUrl: string;
  midtrans: string;
  kiriminaja: string;
  resend: string;
  ipaymu: string;
  vipReseller: string;
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
  });
  await keepCallbacks(twins.ipaymu.url);
  project.provide(
    "settings",
    localSettings(
      {
        databaseUrl: urls.databaseUrl,
        httpUrl: database.httpUrl,
        midtransUrl: twins.midtrans.url,
        kiriminajaUrl: twins.kiriminAja.url,
        resendUrl: twins.resend.url,
        ipaymuUrl: twins.ipaymu.url,
        vipResellerUrl: twins.vipReseller.url,
      },
      secretsFrom(),
    ),
  );
  project.provide("standIns", {
    databaseUrl: urls.databaseUrl,
    databaseHttpUrl: database.httpUrl,
    adminUrl: urls.adminUrl,
    midtrans: twins.midtrans.url,
    kiriminaja: twins.kiriminAja.url,
    resend: twins.resend.url,
    ipaymu: twins.ipaymu.url,
    vipReseller: twins.vipReseller.url,
  });
  return async () => {
    await twins.stop();
    await database.stop();
  };
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
