import pg from "pg";

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });

let latencyMs = 0;

export function setLatency(ms: number): void {
  latencyMs = ms;
}

/** Each query is one round trip; the delay stands for the distance to the database. */
export async function query(
  text: string,
  values: unknown[] = [],
  client: pg.Pool | pg.PoolClient = pool,
) {
  if (latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, latencyMs));
  return (await client.query(text, values)).rows;
}
