import pg from "pg";
import { type AgentKey, makeKey } from "../../agent/link/key.ts";

export interface SeededServer {
  id: string;
  key: AgentKey;
  pem: string;
}

/** Servers whose agents have enrolled, written straight to Postgres. */
export async function seedServers(adminUrl: string, count: number): Promise<SeededServer[]> {
  const made = Array.from({ length: count }, (_, n) => {
    return { id: `srv_1_${n.toString(16).padStart(12, "0")}`, ...makeKey() };
  });
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(
      `insert into panel_servers (id, name, is_default, public_key, enrolled_at)
        select id, 'Bench ' || n, n = 1, key, now()
        from unnest($1::text[], $2::text[]) with ordinality u(id, key, n)`,
      [made.map(({ id }) => id), made.map(({ key }) => key.publicKey)],
    );
  } finally {
    await client.end();
  }
  return made;
}

/** Of how many servers a report has been written down. */
export async function countReports(adminUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const { rows } = await client.query("select count(*)::int as n from panel_reports");
  await client.end();
  return rows[0].n;
}
