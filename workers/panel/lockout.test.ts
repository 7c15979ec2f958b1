import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, randomAddress, type TestAnswer, testContext } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import {
  createOperator,
  eventually,
  loginAs,
  type TestOperator,
  trailOf,
} from "./testing/operators.ts";

const refused = (status: number, words: string) => ({
  status,
  body: failureBody("panel", status, words),
});
const wrong = { password: "salah-sekali" };
const locked = refused(429, "too many login attempts");
const invalid = refused(401, "invalid credentials");

async function fail(operator: TestOperator, times: number, from?: () => string) {
  const answers: TestAnswer[] = [];
  for (let i = 0; i < times; i++) answers.push(await loginAs(operator, wrong, from?.()));
  return answers;
}

describe("the panel's lock-out", () => {
  it("refuses the right password too after five failures from one address, for five minutes", async () => {
    const operator = await createOperator();
    for (const answer of await fail(operator, 5)) expect(answer).toMatchObject(invalid);
    const answer = await loginAs(operator);
    expect(answer).toMatchObject(locked);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(290);
    expect(Number(answer.headers.get("retry-after"))).toBeLessThanOrEqual(300);
  });

  it("takes a name and its e-mail for one target, and a forged header for nothing", async () => {
    const operator = await createOperator();
    await fail(operator, 5);
    expect(await loginAs(operator, { username: operator.email })).toMatchObject(locked);
    const forged = await api("/v1/auth/login", {
      method: "POST",
      json: { username: operator.username, password: operator.password },
      address: operator.address,
      headers: { "x-forwarded-for": "203.0.113.7", "x-real-ip": "203.0.113.7" },
    });
    expect(forged).toMatchObject(locked);
  });

  it("forgets an address's failures after a success", async () => {
    const operator = await createOperator();
    await fail(operator, 4);
    expect((await loginAs(operator)).status).toBe(200);
    for (const answer of await fail(operator, 4)) expect(answer).toMatchObject(invalid);
    expect((await loginAs(operator)).status).toBe(200);
  });

  it("compares no more than 20 guesses at one account from any number of addresses", async () => {
    const operator = await createOperator();
    const answers = await Promise.all(
      Array.from({ length: 26 }, () => loginAs(operator, wrong, randomAddress())),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(20);
    expect(await loginAs(operator, {}, randomAddress())).toMatchObject(locked);
  });

  it("keeps its counters in rows that end by themselves, without names or addresses", async () => {
    const operator = await createOperator();
    await fail(operator, 1);
    const keys = await testContext().db.run(
      rows(
        sql`select key from identity_attempts where key like ${`%/${operator.userId}%`}`,
        z.object({ key: z.string() }),
      ),
    );
    expect(keys.length).toBeGreaterThan(0);
    for (const { key } of keys) {
      expect(key).not.toContain(operator.username);
      expect(key).not.toContain(operator.address);
    }
  });
});

describe("the audit trail of sign-ins", () => {
  it("tells of a success, of every failure, and of a lock-out once", async () => {
    const [reader, operator] = [await createOperator(), await createOperator()];
    await loginAs(operator);
    await fail(operator, 7);
    const typed = () => trailOf(reader, { target_type: "user", target_id: operator.username });
    const entries = await eventually(typed, "auth.login.refused");
    const actions = entries.map(({ action }) => action);
    expect(actions.filter((action) => action === "auth.login.failed")).toHaveLength(5);
    expect(actions.filter((action) => action === "auth.login.refused")).toHaveLength(1);
    for (const entry of entries) {
      expect(entry).toMatchObject({ actor_user: "", target_id: operator.username });
      expect(JSON.stringify(entry)).not.toContain(wrong.password);
    }
    const [success] = await trailOf(reader, {
      action: "auth.login.success",
      target_id: `usr_${operator.userId}`,
    });
    expect(success).toMatchObject({ actor_user: `usr_${operator.userId}`, target_type: "user" });
    expect(JSON.parse(success?.metadata ?? "")).toEqual({
      username: operator.username,
      ip: operator.address,
    });
  });
});
