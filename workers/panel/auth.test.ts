import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, randomAddress, testContext } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createUser, unique } from "../testing/factories.ts";
import { createOperator, eventually, execute, loginAs, trailOf } from "./testing/operators.ts";

const refused = (status: number, words: string) => ({
  status,
  body: failureBody("panel", status, words),
});
const wrong = { password: "salah-sekali" };
const invalid = refused(401, "invalid credentials");

describe("POST /v1/auth/login", () => {
  it("opens a session of 24 hours for a user name in any case, and for the e-mail", async () => {
    const operator = await createOperator();
    for (const username of [
      operator.username,
      ` ${operator.username.toUpperCase()} `,
      operator.email,
    ]) {
      const { status, body } = await loginAs(operator, { username });
      expect(status).toBe(200);
      expect(body).toEqual({
        token: expect.any(String),
        expires_at: expect.stringMatching(/Z$/),
        user: { id: `usr_${operator.userId}`, username: operator.username, role: "admin" },
      });
      const hours = (Date.parse(body.expires_at) - Date.now()) / 3_600_000;
      expect(hours).toBeGreaterThan(23.9);
      expect(hours).toBeLessThanOrEqual(24);
      const me = await api("/v1/auth/me", { token: body.token });
      expect(me).toMatchObject({ status: 200, body: body.user });
    }
  });

  it("gives a wrong password, an unknown name, a customer and an admin the same words", async () => {
    const operator = await createOperator();
    const customer = await createOperator(["buyer"]);
    const admin = await createOperator(["admin"]);
    expect(await loginAs(operator, wrong)).toMatchObject(invalid);
    expect(await loginAs(operator, { username: unique("nobody") })).toMatchObject(invalid);
    expect(await loginAs(customer, { username: customer.email })).toMatchObject(invalid);
    expect(await loginAs(admin, { username: admin.email })).toMatchObject(invalid);
    expect(await loginAs(operator, { username: "" })).toMatchObject(invalid);
  });

  it("refuses a banned operator like an unknown one", async () => {
    const operator = await createOperator();
    await execute(sql`update identity_users set banned_at = now() where id = ${operator.userId}`);
    expect(await loginAs(operator)).toMatchObject(invalid);
  });

  it.each([
    ["an unknown field", { username: "a", password: "b", remember: true }],
    ["a number for a name", { username: 7, password: "b" }],
    ["a list", []],
    ["null", null],
  ])("refuses %s as no JSON of its own", async (_, json) => {
    const answer = await api("/v1/auth/login", { method: "POST", json });
    expect(answer).toMatchObject(refused(400, "invalid json body"));
  });

  it("refuses what is no JSON at all", async () => {
    for (const body of ["{", "", '{"username":"a"} x']) {
      const headers = { "content-type": "application/json" };
      const answer = await api("/v1/auth/login", { method: "POST", body, headers });
      expect(answer, body).toMatchObject(refused(400, "invalid json body"));
    }
  });
});

describe("POST /v1/auth/logout", () => {
  it("ends the sign-in, and tells of it", async () => {
    const [reader, operator] = [await createOperator(), await createOperator()];
    const { body } = await loginAs(operator);
    const answer = await api("/v1/auth/logout", { method: "POST", token: body.token });
    expect(answer).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await api("/v1/audit/logs", { token: body.token })).toMatchObject(
      refused(401, "unauthorized"),
    );
    expect(
      await trailOf(reader, { action: "auth.logout", actor_user: `usr_${operator.userId}` }),
    ).toHaveLength(1);
  });

  it("takes no call without a token", async () => {
    expect(await api("/v1/auth/logout", { method: "POST" })).toMatchObject(
      refused(401, "unauthorized"),
    );
  });
});

describe("GET /v1/auth/me", () => {
  it("names a customer as a user without rights, and nobody without a token", async () => {
    const customer = await createUser(["buyer"]);
    expect(await api("/v1/auth/me", { token: customer.token })).toMatchObject({
      status: 200,
      body: { id: `usr_${customer.userId}`, username: customer.email, role: "user" },
    });
    expect(await api("/v1/auth/me")).toMatchObject(refused(401, "unauthorized"));
    const token = "bukan-token";
    expect(await api("/v1/auth/me", { token })).toMatchObject(refused(401, "unauthorized"));
  });
});

const change = (token: string, json: unknown) =>
  api("/v1/auth/change-password", { method: "POST", token, json });

describe("POST /v1/auth/change-password", () => {
  it("changes the password, ends every other sign-in and keeps this one", async () => {
    const operator = await createOperator();
    const [one, other] = [await loginAs(operator), await loginAs(operator)];
    const json = { current_password: operator.password, new_password: "sandi-baru-1234" };
    expect(await change(one.body.token, json)).toMatchObject({
      status: 200,
      body: { status: "ok" },
    });
    expect((await api("/v1/audit/logs", { token: one.body.token })).status).toBe(200);
    expect((await api("/v1/audit/logs", { token: other.body.token })).status).toBe(401);
    expect((await api("/v1/audit/logs", { token: operator.token })).status).toBe(401);
    expect(await loginAs(operator)).toMatchObject(invalid);
    expect((await loginAs(operator, { password: "sandi-baru-1234" })).status).toBe(200);
  });

  it.each([
    [401, "invalid current password", { current_password: "salah" }],
    [400, "password must be at least 8 characters", { new_password: "tujuh77" }],
    [400, "password must be at most 72 bytes", { new_password: "é".repeat(37) }],
    [400, "invalid json body", { confirm: "x" }],
  ])("answers %i %s", async (status, words, changes) => {
    const operator = await createOperator();
    const json = {
      current_password: operator.password,
      new_password: "sandi-baru-1234",
      ...changes,
    };
    expect(await change(operator.token, json)).toMatchObject(refused(status, words));
    expect((await loginAs(operator)).status).toBe(200);
  });

  it("takes 8 bytes and 72 bytes", async () => {
    const operator = await createOperator();
    const long = "é".repeat(36);
    const first = { current_password: operator.password, new_password: "delapan8" };
    expect((await change(operator.token, first)).status).toBe(200);
    const second = { current_password: "delapan8", new_password: long };
    expect((await change(operator.token, second)).status).toBe(200);
    expect((await loginAs(operator, { password: long })).status).toBe(200);
  });

  it("refuses the password that it is already, and tells of the refusal without it", async () => {
    const [reader, operator] = [await createOperator(), await createOperator()];
    const same = { current_password: operator.password, new_password: operator.password };
    expect(await change(operator.token, same)).toMatchObject(
      refused(400, "new password must differ from the current password"),
    );
    const read = () => trailOf(reader, { actor_user: `usr_${operator.userId}` });
    const entries = await eventually(read, "auth.change_password.refused");
    expect(JSON.stringify(entries)).not.toContain(operator.password);
  });

  it("lets a stolen token guess the present password five times", async () => {
    const operator = await createOperator();
    const address = randomAddress();
    const guess = () =>
      api("/v1/auth/change-password", {
        ...{ method: "POST", token: operator.token, address },
        json: { current_password: "tebakan", new_password: "sandi-baru-1234" },
      });
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await guess()).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it("takes one of two changes that come at once", async () => {
    const operator = await createOperator();
    const answers = await Promise.all(
      ["sandi-satu-1", "sandi-dua-22"].map((new_password) =>
        change(operator.token, { current_password: operator.password, new_password }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).not.toEqual([200, 200]);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
  });
});

describe("who makes the first operator", () => {
  it("gives a known account the role and keeps its password, and makes an unknown one", async () => {
    const customer = await createOperator(["buyer"]);
    const username = unique("op");
    const make = (email: string) =>
      testContext().db.run(
        rows(
          sql`select panel_operator_make(jsonb_build_object('email', ${email}::text, 'username', ${username}::text,
            'name', 'Operator', 'password_hash', 'x')) as made`,
          z.object({ made: z.object({ user_id: z.number(), made: z.boolean() }) }),
        ),
      );
    expect(await make(customer.email)).toEqual([
      { made: { user_id: customer.userId, made: false } },
    ]);
    expect((await loginAs({ ...customer, username })).status).toBe(200);
    await expect(make(`${unique()}@test.example`)).rejects.toThrow();
  });
});
