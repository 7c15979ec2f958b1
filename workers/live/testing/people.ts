import { type SQL, sql } from "drizzle-orm";
import { expect } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, type TestAnswer, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";

/** Runs one statement for a test's own rows, as nobody in particular. */
export async function query<S extends z.ZodType>(text: SQL, row: S): Promise<z.output<S>[]> {
  return await testContext().db.run(rows(text, row));
}

export async function execute(text: SQL): Promise<void> {
  await query(text, z.unknown());
}

export const get = (path: string, user?: TestUser) => api(path, user ? { token: user.token } : {});

export const post = (path: string, user: TestUser | null, json: unknown = {}, key?: string) =>
  api(path, {
    method: "POST",
    json,
    ...(user ? { token: user.token } : {}),
    ...(key ? { headers: { "idempotency-key": key } } : {}),
  });

/** A refusal in the app's envelope, exactly. */
export const refused = (status: number, message: unknown, more: object = {}) => ({
  status,
  body: { success: false, message, ...more },
});

export const told = ({ status, body }: TestAnswer) => ({ status, body });

/** Goes live over the API. */
export async function goLive(host: TestUser, roomId = unique("room-")): Promise<number> {
  const { body } = await post("/api/live-session/start", host, { hostId: host.userId, roomId });
  expect(body).toMatchObject({ success: true, sessionId: expect.any(Number) });
  return body.sessionId;
}

/** A session of the past, as the rows would stand now. */
export async function pastSession(
  host: TestUser,
  past: { start: Date; seconds?: number; income?: number; viewers?: number },
): Promise<number> {
  const { start, seconds = 60, income = 0, viewers = 0 } = past;
  const end = new Date(start.getTime() + seconds * 1000);
  const [made] = await query(
    sql`insert into live_sessions (host_id, room_id, start_time, proven_at, proven_ms, end_time, end_reason,
        duration_seconds, total_income, total_viewers)
      values (${host.userId}, 'r', ${start}, ${end}, ${seconds * 1000}, ${end}, 'request', ${seconds}, ${income}, ${viewers})
      returning id::float8 as id`,
    z.object({ id: z.number() }),
  );
  if (!made) throw new Error("no session was made");
  return made.id;
}

/** What a host earned on a day of Jakarta, as gifts roll it up. */
export const earned = (host: TestUser, day: string, income: number, category = "luxury") =>
  execute(
    sql`insert into live_host_days (host_id, day, category, gifts, coins, income)
      values (${host.userId}, ${day}, ${category}, 1, ${income * 2}, ${income})`,
  );

/** Coins in a user's wallet, out of the account that issues them. */
export async function giveCoins(user: TestUser, amount: number): Promise<void> {
  const reference = `test/${unique()}`;
  await execute(
    sql`select ledger_transfer(${reference}, 'gateway', 'coins', 'wallet', ${String(user.userId)}, ${amount}::bigint, 'Uji', 'COIN')`,
  );
}

export async function coinsOf(user: TestUser): Promise<number> {
  const [row] = await query(
    sql`select coalesce(sum(balance), 0)::float8 as balance from ledger_accounts
      where kind = 'wallet' and owner_id = ${String(user.userId)} and currency = 'COIN'`,
    z.object({ balance: z.number() }),
  );
  return row?.balance ?? 0;
}

export interface TestAgency {
  id: number;
  owner: TestUser;
}

/** An agency that was applied for over the API and approved by an admin. */
export async function createAgency(owner?: TestUser): Promise<TestAgency> {
  const user = owner ?? (await createUser());
  const { body } = await post("/api/agency/apply", user, agencyForm());
  const admin = await createUser(["admin"]);
  const approved = await post(`/api/agency/${body.data.id}/approve`, admin);
  expect(approved.status).toBe(200);
  return { id: body.data.id, owner: user };
}

export const KTP = "3572011504900003";

export const agencyForm = (changes: Record<string, unknown> = {}) => ({
  family_name: unique("Keluarga "),
  region: "Jawa Timur",
  phone: "081234567890",
  id_number: KTP,
  ...changes,
});

export const hostForm = (agencyId: number, changes: Record<string, unknown> = {}) => ({
  agencyId,
  name: "Rani Uji",
  gender: "perempuan",
  idNumber: KTP,
  ...changes,
});

/** A host whose application the agency approved; the number of his application. */
export async function joinAgency(host: TestUser, agency: TestAgency): Promise<number> {
  const applied = await post("/api/hosts/apply", host, hostForm(agency.id));
  const { id } = applied.body.data;
  const approved = await post(`/api/agency/host-application/${id}/approve`, agency.owner);
  expect(approved.status).toBe(200);
  return id;
}

export async function createHost(agency: TestAgency): Promise<TestUser> {
  const host = await createUser();
  await joinAgency(host, agency);
  return host;
}

/** Lets a membership, or a session, have begun earlier. */
export const joinedAt = (applicationId: number, at: Date) =>
  execute(sql`update live_host_applications set approved_at = ${at} where id = ${applicationId}`);
