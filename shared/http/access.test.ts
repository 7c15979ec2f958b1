import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createApiApp } from "../../workers/api.ts";
import { testContext } from "../../workers/testing/api.ts";
import { createUser, type TestUser } from "../../workers/testing/factories.ts";
import { rows } from "../db/statement.ts";
import { access } from "./api.ts";

const app = createApiApp();
let worked = 0;
app.get("/api/probe/idle", access(null), (c) => c.json({ secret: true }));
app.get("/api/probe/busy", access(null, { fresh: true }), async (c) => {
  await c.var.ctx.db.run(rows(sql`select 1 as one`, z.unknown()));
  worked += 1;
  return c.json({});
});

async function ask(path: string, { token }: TestUser) {
  const headers = { authorization: `Bearer ${token}` };
  const request = new Request(`http://localhost:8787${path}`, { headers });
  const response = await app.fetch(request, env, createExecutionContext());
  return { status: response.status, text: await response.text() };
}

const end = ({ sessionId }: TestUser) =>
  testContext().db.run(
    rows(sql`update identity_sessions set revoked_at = now() where id = ${sessionId}`, z.unknown()),
  );

describe("a route that needs a user", () => {
  it("does none of its work once the sign-in has ended", async () => {
    const user = await createUser();
    expect((await ask("/api/probe/busy", user)).status).toBe(200);
    await end(user);
    const before = worked;
    expect((await ask("/api/probe/busy", user)).status).toBe(403);
    expect(worked).toBe(before);
  });

  it("answers nothing past an ended sign-in even when it asks the database nothing", async () => {
    const [alive, ended] = [await createUser(), await createUser()];
    await end(ended);
    expect(await ask("/api/probe/idle", alive)).toMatchObject({ status: 200 });
    const { status, text } = await ask("/api/probe/idle", ended);
    expect(status).toBe(403);
    expect(text).not.toContain("secret");
  });
});
