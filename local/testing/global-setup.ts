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
  });
  project.provide(
    "settings",
    localSettings(
      {
        databaseUrl: urls.databaseUrl,
        httpUrl: database.httpUrl,
        midtransUrl: twins.midtrans.url,
        kiriminajaUrl: twins.kiriminAja.url,
        resendUrl: twins.resend.url,
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
  });
  return async () => {
    await twins.stop();
    await database.stop();
  };
}
