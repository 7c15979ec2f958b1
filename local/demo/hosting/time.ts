import pg from "pg";
import { portsFrom } from "../../dev/ports.ts";
import { LOCAL_LOGIN } from "../../postgres.ts";
import type { Tell } from "../narrator.ts";

/** Straight into the local Postgres. */
export type Sql = (text: string, values: unknown[]) => Promise<unknown>;

/** Of a platform that `npm run dev` runs. */
export async function localSql(tell: Tell): Promise<{ sql: Sql; close(): Promise<void> }> {
  const { postgres } = portsFrom(Number(new URL(tell.app).port));
  const client = new pg.Client({
    ...LOCAL_LOGIN,
    host: "127.0.0.1",
    port: postgres,
    database: "lumbung",
  });
  await client.connect();
  return { sql: (text, values) => client.query(text, values), close: () => client.end() };
}

const DATED: [table: string, owner: string, dates: string[]][] = [
  ["hosting_subscriptions", "id", ["start_date", "end_date", "suspended_at"]],
  ["hosting_renewal_steps", "subscription_id", ["period_end", "announced_at", "done_at"]],
  ["hosting_orders", "renews_subscription_id", ["renews_period", "created_at"]],
];

/** The clock of the machine stays; everything that is dated of this subscription becomes so much older. */
export async function passDays(sql: Sql, subscriptionId: string, days: number): Promise<void> {
  for (const [table, owner, dates] of DATED) {
    const moved = dates.map((date) => `${date} = ${date} - $2 * interval '1 day'`);
    await sql(`update ${table} set ${moved.join(", ")} where ${owner} = $1`, [
      subscriptionId,
      days,
    ]);
  }
}

const NIGHTLY = "0 23 * * *";

/** The nightly run, as the clock would start it. */
export async function runNightly({ app }: Pick<Tell, "app">): Promise<void> {
  const url = `${app}/cdn-cgi/local/scheduled?cron=${encodeURIComponent(NIGHTLY)}`;
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`the nightly run answered ${response.status}: ${text}`);
}
