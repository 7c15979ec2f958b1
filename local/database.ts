import pg from "pg";
import { migrate } from "../migrations/run.ts";
import { madeOnce } from "./made-once.ts";
import type { NeonEndpoint } from "./neon/endpoint.ts";
import { startNeonEndpoint } from "./neon/endpoint.ts";
import { LOCAL_LOGIN, type Postgres, startPostgres } from "./postgres.ts";

const MAIN = "lumbung";
const TEMPLATE = "lumbung_template";

export type DatabaseOptions = {
  /** Keep the data between starts, in `dataDir` or in `stateDir` (the checkout's own). Default: throw away. */
  durable?: boolean;
  stateDir?: string;
  dataDir?: string;
  postgresPort?: number;
  /** Port of the Neon endpoint. Default: any free one. */
  endpointPort?: number;
  latencyMs?: number;
  /** Default: the project's own migrations. */
  migrationsFolder?: string;
  /** Told of every migration that is applied to the main database. */
  log?: (line: string) => void;
};

/** The two ways to one database: through the Neon endpoint, and straight to Postgres. */
export type DatabaseUrls = { databaseUrl: string; adminUrl: string };

export type LocalDatabase = DatabaseUrls & {
  httpUrl: string;
  /** For `neonConfig.wsProxy`; see neon/endpoint.ts for the settings that go with it. */
  wsProxy: string;
  endpoint: NeonEndpoint;
  postgres: Postgres;
  /** A fresh, migrated database of that name; about a tenth of a second each. */
  createDatabaseFromTemplate(name: string): Promise<DatabaseUrls>;
  dropDatabase(name: string): Promise<void>;
  stop(): Promise<void>;
};

/** What `npm run dev`, tests and benchmarks share: Postgres, migrated, behind a Neon endpoint. */
export async function startDatabase(options: DatabaseOptions = {}): Promise<LocalDatabase> {
  const copyOf = await migratedData(options);
  const postgres = await startPostgres({
    durable: options.durable ?? false,
    ...(copyOf ? { copyOf } : {}),
    ...(options.dataDir ? { dataDir: options.dataDir } : {}),
    ...(options.stateDir ? { stateDir: options.stateDir } : {}),
    ...(options.postgresPort ? { port: options.postgresPort } : {}),
  });
  try {
    const templates = new Templates(postgres, options.migrationsFolder, copyOf !== undefined);
    await prepareMain(postgres, templates, options);
    const endpoint = await startNeonEndpoint({
      postgresPort: postgres.port,
      ...(options.endpointPort ? { port: options.endpointPort } : {}),
      ...(options.latencyMs ? { latencyMs: options.latencyMs } : {}),
    });
    return describe(postgres, endpoint, templates);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

/** In a test run: data with the migrated template, so that it is migrated once and not by every file. */
async function migratedData(options: DatabaseOptions): Promise<string | undefined> {
  const runFolder = process.env.LUMBUNG_RUN_FOLDER;
  if (!runFolder || options.durable || options.dataDir || options.migrationsFolder) return;
  return await madeOnce("postgres", runFolder, async (dataDir) => {
    const postgres = await startPostgres({ dataDir });
    try {
      await makeTemplate(postgres);
    } finally {
      await postgres.stop();
    }
  });
}

function describe(postgres: Postgres, endpoint: NeonEndpoint, templates: Templates): LocalDatabase {
  const urlsOf = (name: string): DatabaseUrls => ({
    databaseUrl: endpointUrl(endpoint.port, name),
    adminUrl: postgres.url(name),
  });
  return {
    ...urlsOf(MAIN),
    httpUrl: endpoint.url,
    wsProxy: `127.0.0.1:${endpoint.port}/v2`,
    endpoint,
    postgres,
    createDatabaseFromTemplate: async (name) => {
      await templates.clone(name);
      return urlsOf(name);
    },
    dropDatabase: async (name) => {
      await asAdmin(postgres, (c) =>
        c.query(`drop database if exists ${c.escapeIdentifier(name)} with (force)`),
      );
    },
    stop: async () => {
      await endpoint.stop();
      await postgres.stop();
    },
  };
}

/** Kept data is migrated where it lies; throw-away data is a clone like any other. */
async function prepareMain(
  postgres: Postgres,
  templates: Templates,
  options: DatabaseOptions,
): Promise<void> {
  if (!options.durable && !options.dataDir) return templates.clone(MAIN);
  await asAdmin(postgres, async (client) => {
    const found = await client.query("select 1 from pg_database where datname = $1", [MAIN]);
    if (found.rowCount === 0) await client.query(`create database ${MAIN}`);
  });
  // No Worker of before runs here that would still call what is dropped.
  const how = migrateOptions(options.migrationsFolder, options.log);
  await migrate(postgres.url(MAIN), { ...how, prune: true });
}

/** Makes databases by copying one that was migrated once, which is far quicker than migrating each. */
class Templates {
  readonly #postgres: Postgres;
  readonly #migrationsFolder: string | undefined;
  #made: Promise<void> | undefined;
  #lastClone: Promise<void> = Promise.resolve();

  constructor(postgres: Postgres, migrationsFolder: string | undefined, isMade: boolean) {
    this.#postgres = postgres;
    this.#migrationsFolder = migrationsFolder;
    if (isMade) this.#made = Promise.resolve();
  }

  /** One at a time: Postgres refuses to copy a database that another copy is reading. */
  clone(name: string): Promise<void> {
    this.#made ??= makeTemplate(this.#postgres, this.#migrationsFolder);
    const made = this.#made;
    const turn = this.#lastClone.then(async () => {
      await made;
      await asAdmin(this.#postgres, (client) =>
        client.query(`create database ${client.escapeIdentifier(name)} template ${TEMPLATE}`),
      );
    });
    this.#lastClone = turn.catch(() => undefined);
    return turn;
  }
}

async function makeTemplate(postgres: Postgres, migrationsFolder?: string): Promise<void> {
  await asAdmin(postgres, async (client) => {
    await client.query(`drop database if exists ${TEMPLATE} with (force)`);
    await client.query(`create database ${TEMPLATE}`);
  });
  await migrate(postgres.url(TEMPLATE), migrateOptions(migrationsFolder));
}

function migrateOptions(folder?: string, log?: (line: string) => void) {
  return { ...(folder ? { folder } : {}), ...(log ? { log } : {}) };
}

async function asAdmin<T>(
  postgres: Postgres,
  work: (client: pg.Client) => Promise<T>,
): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url("postgres") });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function endpointUrl(port: number, name: string): string {
  const { user, password } = LOCAL_LOGIN;
  return `postgresql://${user}:${password}@127.0.0.1:${port}/${encodeURIComponent(name)}`;
}
