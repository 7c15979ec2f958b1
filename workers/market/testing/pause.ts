import { sql } from "drizzle-orm";
import { expect, vi } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { run } from "./catalogue.ts";

/** What one must meet to end up in a circle: a transaction that holds all its locks until somebody waits for one. */
export interface Pause {
  reached(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Pauses whatever fires `on` (a trigger's time, table and condition), with the locks it has by then. `atCommit`: when
 * it has done everything but that.
 */
export async function pause(on: string, { atCommit = false } = {}): Promise<Pause> {
  const key = Math.floor(Math.random() * 2 ** 31);
  const name = `market_test_pause_${key}`;
  await run(
    sql`create function ${sql.raw(name)}() returns trigger language plpgsql as ${sql.raw(`$$ begin
    perform pg_advisory_xact_lock(${key});
    for turn in 1 .. 600 loop
      exit when exists (select from pg_stat_activity a
        where a.wait_event_type = 'Lock' and pg_backend_pid() = any (pg_blocking_pids(a.pid)));
      perform pg_stat_clear_snapshot(), pg_sleep(0.005);
    end loop;
    return new;
  end $$`)}`,
  );
  const kind = atCommit ? "constraint trigger" : "trigger";
  await run(
    sql`create ${sql.raw(kind)} ${sql.raw(`a_${name} ${on}`)} execute function ${sql.raw(name)}()`,
  );
  const held = rows(
    sql`select 1 as one from pg_locks where locktype = 'advisory' and objid = ${key} and granted`,
    z.unknown(),
  );
  return {
    reached: async () =>
      await vi.waitFor(async () => expect(await testContext().db.run(held)).toHaveLength(1), {
        interval: 5,
        timeout: 5000,
      }),
    [Symbol.asyncDispose]: () => run(sql`drop function ${sql.raw(name)}() cascade`),
  };
}
