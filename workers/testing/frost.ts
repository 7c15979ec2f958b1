import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { testContext } from "./api.ts";

/** Longer than any test waits for it. */
const HELD_SECONDS = 60;

/**
 * Holds what `lock` locks until it is thawed, in the middle of a transaction: to whoever needs it Postgres takes the
 * statement and says nothing. What waits then goes on, also if nobody waits for it any more.
 */
export async function freeze(lock: SQL): Promise<{ thaw: () => Promise<void> }> {
  const [key = 0] = crypto.getRandomValues(new Int32Array(1));
  const holder = testContext().db.batch([
    rows(lock, z.unknown()),
    rows(sql`select pg_advisory_xact_lock(${key}, 7)`, z.unknown()),
    rows(sql`select pg_sleep(${HELD_SECONDS})`, z.unknown()),
  ]);
  const held = holder.catch(() => undefined);
  const mine = `l.locktype = 'advisory' and l.granted and l.objid = 7 and l.classid::bigint = ${key}::bigint & 4294967295`;
  const wait = `do $$ begin
    for turn in 1 .. 2000 loop
      if exists (select from pg_locks l where ${mine}) then return; end if;
      perform pg_sleep(0.002);
    end loop;
    raise exception 'nothing was frozen';
  end $$`;
  await testContext().db.run(rows(sql.raw(wait), z.unknown()));
  return {
    thaw: async () => {
      const end = sql.raw(`select pg_cancel_backend(l.pid) from pg_locks l where ${mine}`);
      await testContext().db.run(rows(end, z.unknown()));
      await held;
    },
  };
}
