import type { TestProject } from "vitest/node";
const real = (path: string) => import(path).catch(() => null); // TEMPORARY until local/ is whole
const { startDatabase } = (await real("../database.ts")) ?? (await import("/work/notes/tmp-database.ts" as string));
import { localSettings, secretsFrom, TWIN_KEYS } from "../settings.ts";
const off = { url: "http://127.0.0.1:9" };
const startTwins = (await real("../twins/index.ts"))?.startTwins ?? (async () => ({ midtrans: off, kiriminaja: off, resend: off, stop: async () => {} }));

declare module "vitest" {
  interface ProvidedContext {
    /** What the Worker under test gets as variables. */
    settings: Record<string, string>;
    /** Where tests reach the stand-ins: dials, counts, mails. */
    standIns: StandIns;
  }
}

export interface StandIns {
  databaseUrl: string;
  databaseHttpUrl: string;
  adminUrl: string;
  midtrans: string;
  kiriminaja: string;
  resend: string;
}

/** One Postgres and one set of twins for the whole run; the database is a fresh clone of the migrated template. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const database = await startDatabase({ durable: false });
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const urls = await database.createDatabaseFromTemplate(name);
  const twins = await startTwins({ keys: TWIN_KEYS });
  project.provide(
    "settings",
    localSettings(
      {
        databaseUrl: urls.databaseUrl,
        httpUrl: database.httpUrl,
        midtransUrl: twins.midtrans.url,
        kiriminajaUrl: twins.kiriminaja.url,
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
    kiriminaja: twins.kiriminaja.url,
    resend: twins.resend.url,
  });
  return async () => {
    await twins.stop();
    await database.stop();
  };
}
