import { hash } from "bcryptjs";
import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Role } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, randomAddress, settleBackground, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";

export interface TestOperator extends TestUser {
  username: string;
  password: string;
  address: string;
}

/** Somebody with a password and, as an operator, a short name. */
export async function createOperator(roles: Role[] = ["operator"]): Promise<TestOperator> {
  const user = await createUser(roles);
  const password = `rahasia-${unique()}`;
  const username = unique("op");
  const passwordHash = await hash(password, 4);
  await testContext().db.run(
    rows(
      sql`with u as (update identity_users set password_hash = ${passwordHash} where id = ${user.userId})
        insert into panel_operators (user_id, username) select ${user.userId}, ${username}
        where ${roles.includes("operator")}`,
      z.unknown(),
    ),
  );
  return { ...user, username, password, address: randomAddress() };
}

/** One attempt to sign in at the panel, from the operator's own address unless another is given. */
export const loginAs = (
  { username, password, address }: TestOperator,
  changes: { username?: string; password?: string } = {},
  from = address,
) =>
  api("/v1/auth/login", {
    method: "POST",
    json: { username, password, ...changes },
    address: from,
  });

export interface Trail {
  id: number;
  actor_user: string;
  action: string;
  target_type: string;
  target_id: string;
  metadata: string;
}

/** The audit entries of one target, newest first, as an operator reads them over HTTP. */
export async function trailOf(operator: TestUser, query: Record<string, string>): Promise<Trail[]> {
  await settleBackground();
  const answer = await api(`/v1/audit/logs?${new URLSearchParams(query)}`, {
    token: operator.token,
  });
  return answer.body.items;
}

/** Executes a statement whose answer nobody needs. */
export const execute = (text: ReturnType<typeof sql>) =>
  testContext().db.run(rows(text, z.unknown()));

/** The entries that `read` finds once one of this action is there: a refusal is written behind its answer. */
export async function eventually<T extends { action: string }>(
  read: () => Promise<T[]>,
  action: string,
): Promise<T[]> {
  for (let i = 0; i < 50; i++) {
    const entries = await read();
    if (entries.some((entry) => entry.action === action)) return entries;
    await scheduler.wait(20);
  }
  throw new Error(`no entry ${action}`);
}
