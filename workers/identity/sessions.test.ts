import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { sessionGate } from "../../shared/auth/sessions.ts";
import type { Role } from "../../shared/context.ts";
import { testContext } from "../testing/api.ts";
import { roundTrips } from "../testing/round-trips.ts";
import { banUser, purgeSignInAttempts, unbanUser } from "./sessions.ts";
import {
  claimsOf,
  execute,
  giveRoles,
  newUser,
  post,
  query,
  send,
  signedInUser,
  signInAs,
  tokenOf,
} from "./test-people.ts";

const LOGOUT = "/api/auth/logout";
const profile = (token: string) => send("GET", "/api/profile", { token });

/** Runs the check that `access` puts before a request's work; `laterMs` is how long after now it is asked. */
async function check(
  user: { id: number; token: string },
  {
    role = null,
    fresh = false,
    laterMs = 0,
  }: { role?: Role | null; fresh?: boolean; laterMs?: number } = {},
) {
  const actor = { userId: user.id, sessionId: claimsOf(user.token).sid, roles: [] };
  const gate = sessionGate(actor, { role, fresh }, new Date(Date.now() + laterMs));
  if (!gate) return "trusted";
  return await testContext()
    .db.run(gate.statement)
    .then(
      () => "alive",
      (error: { code?: string }) => error.code,
    );
}

describe("POST /api/auth/logout", () => {
  it("ends the sign-in, drops the cookie and leaves other sign-ins alone", async () => {
    const user = await signedInUser();
    const other = tokenOf(await signInAs(user));
    expect((await profile(user.token)).status).toBe(200);

    const answer = await post(LOGOUT, {}, { token: user.token });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      success: true,
      data: { success: true },
      error: null,
      meta: { timestamp: expect.any(String) },
    });
    expect(answer.headers.get("set-cookie")).toMatch(/^lumbung_session=; Max-Age=0; Path=\//);

    expect(await profile(user.token)).toMatchObject({
      status: 403,
      body: { success: false, message: "Token tidak valid" },
    });
    expect(await post(LOGOUT, {}, { token: user.token })).toMatchObject({
      status: 401,
      body: { success: false, data: null, error: "Unauthorized", status: 401 },
    });
    expect((await profile(other)).status).toBe(200);
  });

  it("takes one database round trip and needs no body", async () => {
    const { token } = await signedInUser();
    expect(await roundTrips(() => send("POST", LOGOUT, { token }))).toBe(1);
  });

  it.each([undefined, "bukan-token", "null"])("answers 401 for the token %s", async (token) => {
    const answer = await send("POST", LOGOUT, token ? { token } : {});
    expect(answer).toMatchObject({
      status: 401,
      body: { success: false, data: null, status: 401 },
    });
    expect(answer.headers.get("location")).toBeNull();
  });
});

describe("a session", () => {
  it("is read from the cookie where the page itself asks, and not for another site", async () => {
    const { token } = await signedInUser();
    const cookie = `lumbung_session=${token}`;
    const ask = (headers: Record<string, string>) =>
      send("GET", "/api/profile", { headers: { cookie, ...headers } });
    expect((await ask({ "sec-fetch-site": "same-origin" })).status).toBe(200);
    expect((await ask({ "sec-fetch-site": "cross-site" })).status).toBe(401);
    expect((await ask({ origin: "https://lain.example" })).status).toBe(401);
  });

  it.each([
    ["ended", sql`update identity_sessions set revoked_at = now()`],
    ["expired", sql`update identity_sessions set expires_at = now()`],
  ])("that is %s opens nothing", async (_, change) => {
    const user = await signedInUser();
    await execute(sql`${change} where user_id = ${user.id}`);
    expect(await check(user)).toBe("bad_token");
    expect((await profile(user.token)).status).toBe(403);
  });

  it("of a deleted user opens nothing", async () => {
    const user = await signedInUser();
    await execute(sql`update identity_users set deleted_at = now() where id = ${user.id}`);
    expect(await check(user)).toBe("bad_token");
  });

  it("opens nothing for another user's number", async () => {
    const user = await signedInUser();
    const other = await newUser();
    expect(await check({ ...user, id: other.id })).toBe("bad_token");
  });

  it("loses a role at once when the user loses it", async () => {
    const user = await signedInUser({ role: "seller" });
    expect(await check(user, { role: "seller", fresh: true })).toBe("alive");
    await giveRoles(user.id, ["buyer"]);
    expect(await check(user, { role: "seller", fresh: true })).toBe("forbidden");
    expect(await check(user, { role: null, fresh: true })).toBe("alive");
  });
});

describe("a ban", () => {
  it("stops money at once and reads within 30 seconds, and outlives being lifted", async () => {
    const user = await signedInUser();
    await profile(user.token);
    await banUser(testContext(), user.id, async () => undefined);
    expect(await check(user, { fresh: true })).toBe("bad_token");
    expect(await check(user, { laterMs: 30_001 })).toBe("bad_token");
    expect((await signInAs(user)).status).toBe(403);

    await unbanUser(testContext(), user.id);
    expect(await check(user, { fresh: true })).toBe("bad_token");
    expect((await signInAs(user)).status).toBe(200);
  });
});

describe("the purge", () => {
  it("deletes what is long over and nothing that still counts", async () => {
    const old = await signedInUser();
    const live = await signedInUser();
    const key = crypto.randomUUID();
    await execute(
      sql`update identity_sessions set expires_at = now() - interval '2 days' where user_id = ${old.id}`,
    );
    await execute(
      sql`insert into identity_attempts (key, failures, window_started_at)
          values (${`${key}-old`}, 1, now() - interval '2 hours'), (${`${key}-new`}, 5, now())`,
    );
    await purgeSignInAttempts(testContext());
    const sessions = await query(
      sql`select user_id::int from identity_sessions where user_id in (${old.id}, ${live.id})`,
      z.object({ user_id: z.number() }),
    );
    const attempts = await query(
      sql`select key from identity_attempts where key like ${`${key}%`}`,
      z.object({ key: z.string() }),
    );
    expect(sessions).toEqual([{ user_id: live.id }]);
    expect(attempts).toEqual([{ key: `${key}-new` }]);
  });
});
