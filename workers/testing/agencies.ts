import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { testContext } from "./api.ts";
import type { TestUser } from "./factories.ts";

const Made = z.object({ own: z.number(), joined: z.number(), session: z.number() });

/**
 * Makes a user the owner of one agency, for years a host of another one that `other` owns, and live now; answers with
 * the numbers of both agencies and of his session.
 */
export async function settleInAgencies(
  user: TestUser,
  other: TestUser,
): Promise<z.output<typeof Made>> {
  const number = sql`floor(100000 + random() * 9900000)::bigint`;
  const [made] = await testContext().db.run(
    rows(
      sql`with agencies as (
          insert into live_agencies (id, user_id, family_name, region, phone, sealed_id_number, status, approved_at)
          values (${number}, ${user.userId}, 'Keluarga Uji', 'Blitar', '081234567890', 'x', 'approved', now()),
            (${number}, ${other.userId}, 'Keluarga Lain', 'Kediri', '081234567891', 'x', 'approved', now())
          returning id, user_id
        ), membership as (
          insert into live_host_applications (host_id, agency_id, name, gender, status, approved_at)
          select ${user.userId}, id, 'Uji', 'perempuan', 'approved', timestamptz '2019-01-01' from agencies
          where user_id = ${other.userId}
        ), session as (
          insert into live_sessions (host_id, room_id) values (${user.userId}, 'uji') returning id
        )
        select (select id from agencies where user_id = ${user.userId})::float8 as own,
          (select id from agencies where user_id = ${other.userId})::float8 as joined,
          (select id from session)::float8 as session`,
      Made,
    ),
  );
  if (!made) throw new Error("no agency was made");
  return made;
}
