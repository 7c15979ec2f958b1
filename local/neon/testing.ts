import { neonConfig } from "@neondatabase/serverless";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { LOCAL_LOGIN, type Postgres, startPostgres } from "../postgres.ts";
import { type NeonEndpoint, startNeonEndpoint } from "./endpoint.ts";

/** A server and an endpoint for the tests of one file, with the driver set up as local use needs it. */
export type Rig = { postgres: Postgres; endpoint: NeonEndpoint; databaseUrl: string };

export function useRig(): () => Rig {
  let rig: Rig | undefined;
  beforeAll(async () => {
    const postgres = await startPostgres();
    const endpoint = await startNeonEndpoint({ postgresPort: postgres.port });
    const login = `${LOCAL_LOGIN.user}:${LOCAL_LOGIN.password}`;
    const databaseUrl = `postgresql://${login}@127.0.0.1:${endpoint.port}/postgres`;
    rig = { postgres, endpoint, databaseUrl };
    neonConfig.fetchEndpoint = () => `${endpoint.url}/sql`;
    neonConfig.wsProxy = (host, port) => `${host}:${port}/v2`;
    neonConfig.useSecureWebSocket = false;
  });
  afterAll(async () => {
    await rig?.endpoint.stop();
    await rig?.postgres.stop();
  });
  return () => {
    if (rig === undefined) throw new Error("the rig is not up yet");
    return rig;
  };
}

/** Straight to Postgres, past the endpoint. */
export async function direct<T>({ postgres }: Rig, work: (client: pg.Client) => Promise<T>) {
  const client = new pg.Client({ connectionString: postgres.url("postgres") });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A table name of the test's own. */
export const uniqueName = () => `t_${crypto.randomUUID().replaceAll("-", "")}`;
