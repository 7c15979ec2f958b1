import { type SQL, sql } from "drizzle-orm";
import type { Span } from "./periods.ts";

/** {host_id, coins, income} of a span up to now: its whole days, and the hours before them. To be summed by host. */
export const hostTotals = ({ since, firstDay, midnight }: Span): SQL => sql`(
  select host_id, coins, income from live_host_days where day >= ${firstDay}
  union all
  select host_id, coins, income from live_host_hours where hour >= ${since} and hour < ${midnight})`;
