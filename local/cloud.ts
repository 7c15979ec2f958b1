import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LocalDatabase, startDatabase } from "./database.ts";
import { mailPreviews } from "./dev/mail-previews.ts";
import type { Ports } from "./dev/ports.ts";
import type { WorkerOptions } from "./dev/worker.ts";
import { localSettings, secretsFrom, TWIN_KEYS } from "./settings.ts";
import { addressesOf, startTwins, type TwinAddresses, type Twins } from "./twins/index.ts";

/** Where the platform listens: what a person, a demo or a test needs to know of it. */
export interface Addresses extends TwinAddresses {
  app: string;
  storeDomain: string;
}

export interface CloudOptions {
  /** 0: any free port. The Worker's is only named here. */
  ports: Ports;
  /** Secrets, the Worker's files and, with `durable`, the data. */
  stateDir: string;
  /** Keep the data between starts. */
  durable: boolean;
  latencyMs?: number;
  /** How many times 100 requests a minute one address may make. */
  rateLimitFactor: number;
  /** Gives up between two steps. */
  signal?: AbortSignal;
}

export interface Cloud {
  addresses: Addresses;
  database: LocalDatabase;
  twins: Twins;
  /** What a Worker needs to run among these. */
  worker: WorkerOptions;
  stop(): Promise<void>;
}

/** What stands in for the cloud on one machine: the database behind its endpoint, and the providers' twins. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { ports, stateDir, signal } = options;
  mkdirSync(stateDir, { recursive: true });
  const database = await startDatabase({
    durable: options.durable,
    ...(options.durable ? { stateDir } : {}),
    postgresPort: ports.postgres,
    endpointPort: ports.endpoint,
    latencyMs: options.latencyMs ?? 0,
  });
  try {
    signal?.throwIfAborted();
    const app = `http://localhost:${ports.worker}`;
    const twins = await startProviders(app, options);
    const addresses: Addresses = { app, storeDomain: "localhost", ...addressesOf(twins) };
    const settings = settingsFor(options, database, twins);
    const stop = async () => {
      await twins.stop();
      await database.stop();
    };
    return { addresses, database, twins, worker: { port: ports.worker, settings, stateDir }, stop };
  } catch (error) {
    await database.stop();
    throw error;
  }
}

function startProviders(app: string, options: CloudOptions): Promise<Twins> {
  const { ports } = options;
  const disk = options.durable ? { folder: join(options.stateDir, "aapanel") } : {};
  return startTwins({
    midtrans: {
      port: ports.midtrans,
      serverKey: TWIN_KEYS.midtrans,
      notifyUrl: `${app}/api/webhooks/midtrans`,
    },
    kiriminAja: {
      port: ports.kiriminaja,
      apiKey: TWIN_KEYS.kiriminaja,
      callbackUrl: `${app}/api/webhooks/kiriminaja`,
    },
    resend: { port: ports.resend, apiKey: TWIN_KEYS.resend, previews: () => mailPreviews(app) },
    ipaymu: { port: ports.ipaymu, ...TWIN_KEYS.ipaymu },
    vipReseller: {
      port: ports.vipReseller,
      ...TWIN_KEYS.vipReseller,
      callbackUrl: `${app}/api/webhooks/vip-reseller`,
    },
    aapanel: { port: ports.aapanel, ...TWIN_KEYS.aapanel, ...disk },
    shopee: {
      port: ports.shopee,
      ...TWIN_KEYS.shopee,
      pushUrl: `${app}/api/webhooks/shopee`,
    },
    lazada: {
      port: ports.lazada,
      ...TWIN_KEYS.lazada,
      pushUrl: `${app}/api/webhooks/lazada`,
    },
    tiktokShop: {
      port: ports.tiktokShop,
      ...TWIN_KEYS.tiktokShop,
      pushUrl: `${app}/api/webhooks/tiktok-shop`,
      redirectUrl: `${app}/seller/marketplace/tokopedia/callback`,
    },
    replicate: { port: ports.replicate, ...TWIN_KEYS.replicate },
    instagram: { port: ports.instagram, ...TWIN_KEYS.instagram },
    anthropic: { port: ports.anthropic, ...TWIN_KEYS.anthropic },
  });
}

/** The secrets are kept beside the data, so that sign-ins outlive a restart. */
function settingsFor(
  { ports, stateDir, rateLimitFactor }: CloudOptions,
  database: LocalDatabase,
  twins: Twins,
): Record<string, string> {
  const file = join(stateDir, "secrets.json");
  const secrets = secretsFrom(file);
  writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  return localSettings(
    {
      port: ports.worker,
      databaseUrl: database.databaseUrl,
      httpUrl: database.httpUrl,
      ...addressesOf(twins),
      rateLimitFactor,
    },
    secrets,
  );
}
