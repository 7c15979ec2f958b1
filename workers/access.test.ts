import { env } from "cloudflare:workers";
import { type SQL, sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { AccessRule } from "../shared/auth/sessions.ts";
import { signToken } from "../shared/auth/tokens.ts";
import { loadConfig } from "../shared/config/config.ts";
import type { Role } from "../shared/context.ts";
import { rows } from "../shared/db/statement.ts";
import { PHONE_JPEG } from "../shared/files/image-samples.ts";
import { accessRuleOf } from "../shared/http/api.ts";
import { createApiApp } from "./api.ts";
import { api, fetchWorker, type TestAnswer, type TestCall, testContext } from "./testing/api.ts";
import { envelopeOf, failureBody } from "./testing/envelopes.ts";
import { createUser, createUsers, type TestUser } from "./testing/factories.ts";
import {
  createWorld,
  jsonSchemaOf,
  operations,
  pathOf,
  sampleOf,
  type TestOperation,
  type World,
} from "./testing/samples.ts";
import { WHO } from "./testing/who.ts";

const expected = Object.fromEntries(
  Object.entries(WHO).flatMap(([who, list]) =>
    list.split(",").map((entry) => {
      const name = entry.trim();
      return [name.replace("!", ""), `${who}${name.endsWith("!") ? ", fresh" : ""}`];
    }),
  ),
);

const rulesByName = new Map<string, AccessRule | undefined>();
for (const { method, path, handler } of createApiApp().routes) {
  if (method === "ALL") continue;
  const name = `${method} ${path.replace(/:([^/]+)/g, "{$1}").replace("*", "{key}")}`;
  rulesByName.set(name, rulesByName.get(name) ?? accessRuleOf(handler));
}

describe("every mounted route", () => {
  it("has the access rule that this table gives it, and stands in it", () => {
    const mounted = [...rulesByName].map(([name, rule]) => {
      const who = rule ? `${rule.role ?? "user"}${rule.fresh ? ", fresh" : ""}` : "open";
      return [name, who];
    });
    expect(Object.fromEntries(mounted)).toEqual(expected);
  });
});

function wordsOf(path: string, family: string): [string, string, string] {
  if (path.startsWith("/api/agency/")) {
    return ["No token provided", "Invalid token", "Not authorized as agency"];
  }
  if (family === "panel") return ["unauthorized", "unauthorized", "forbidden"];
  if (family === "app") return ["Token tidak ditemukan", "Token tidak valid", "Akses ditolak"];
  const role = family === "topup" ? "Insufficient privileges" : "Forbidden";
  return ["Unauthorized", "Unauthorized", role];
}

/** The refusal of a missing, an invalid and a roleless token, as each contract words it. */
function refusal(operation: TestOperation, kind: "missing" | "invalid" | "role") {
  const family = envelopeOf(operation.path);
  const [missing, invalid, role] = wordsOf(operation.path, family);
  if (kind === "missing") return { status: 401, body: failureBody(family, 401, missing) };
  if (kind === "role") return { status: 403, body: failureBody(family, 403, role) };
  const status = family === "app" ? 403 : 401;
  return { status, body: failureBody(family, status, invalid) };
}

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** The operation with input that it would accept. */
async function call(operation: TestOperation, token?: string): Promise<TestAnswer> {
  const { method, parameters } = operation;
  const sent: TestCall = { method, ...(token ? { token } : {}) };
  const schema = jsonSchemaOf(operation);
  if (schema) sent.json = sampleOf(schema, world);
  if (operation.requestBody?.content["multipart/form-data"]) sent.body = pictureForm();
  const query = new URLSearchParams();
  for (const { name, in: place } of parameters) {
    const example = world.examples[name];
    if (place === "query" && example) query.set(name, String(example));
  }
  return await api(`${pathOf(operation, world)}?${query}`, sent);
}

function pictureForm(): FormData {
  const form = new FormData();
  const file = new File([PHONE_JPEG], "a.jpg", { type: "image/jpeg" });
  for (const field of ["file", "avatar"]) form.set(field, file);
  return form;
}

const execute = (change: SQL) => testContext().db.run(rows(change, z.unknown()));
const everyRole: Role[] = ["buyer", "seller", "admin", "operator"];

/** What ends sign-ins, done to users whose sessions no isolate has seen yet. */
const ENDS: [string, (sessions: SQL, users: SQL) => SQL][] = [
  [
    "a session that was ended",
    (sessions) => sql`update identity_sessions set revoked_at = now() where id = any (${sessions})`,
  ],
  [
    "a session past its time",
    (sessions) => sql`update identity_sessions set expires_at = now() where id = any (${sessions})`,
  ],
  [
    "a session that is gone",
    (sessions) => sql`delete from identity_sessions where id = any (${sessions})`,
  ],
  [
    "a banned user",
    (_, users) => sql`update identity_users set banned_at = now() where id = any (${users})`,
  ],
  [
    "a deleted user",
    (_, users) => sql`update identity_users set deleted_at = now() where id = any (${users})`,
  ],
];

/** Users by what happened to them, made many at a time; each is used once. */
const prepared = new Map<string, TestUser[]>();

async function oneOf(what: string, happen: (users: TestUser[]) => SQL): Promise<TestUser> {
  const left = prepared.get(what) ?? [];
  const user = left.pop();
  if (user) return user;
  const users = await createUsers(guarded.length, everyRole);
  await execute(happen(users));
  prepared.set(what, users);
  return await oneOf(what, happen);
}

const idsOf = (users: TestUser[]) => sql`${`{${users.map(({ userId }) => userId)}}`}::bigint[]`;
const sessionsOf = (users: TestUser[]) =>
  sql`${`{${users.map(({ sessionId }) => sessionId)}}`}::uuid[]`;

const guarded = operations
  .map((operation) => ({
    operation,
    rule: rulesByName.get(`${operation.method} ${operation.path}`),
  }))
  .flatMap(({ operation, rule }) => (rule ? [{ operation, rule }] : []))
  .map((one): [string, { operation: TestOperation; rule: AccessRule }] => [
    `${one.operation.method} ${one.operation.path}`,
    one,
  ]);

describe.each(guarded)("%s", (_, { operation }) => {
  it("refuses a missing, a made-up, a foreign and an expired token", async () => {
    expect(await call(operation)).toMatchObject(refusal(operation, "missing"));
    const user = { ...world.user, phone: null };
    const config = loadConfig(env);
    const [[kid = ""] = []] = config.JWT_KEYS;
    const foreign = {
      ...config,
      JWT_KEYS: [[kid, "0123456789abcdefghijklmnopqrstuv"] as [string, string]],
    };
    const longAgo = new Date(Date.now() - 8 * 86_400_000);
    for (const token of [
      "bukan-token",
      await signToken(foreign, user, new Date()),
      await signToken(config, user, longAgo),
    ]) {
      expect(await call(operation, token)).toMatchObject(refusal(operation, "invalid"));
    }
  });

  it("refuses whoever's sign-in has ended, also at the first sight of it", async () => {
    const told = ENDS.map(async ([what, end]) => {
      const user = await oneOf(what, (users) => end(sessionsOf(users), idsOf(users)));
      return { what, answer: await call(operation, user.token) };
    });
    const refused = refusal(operation, "invalid");
    for (const { what, answer } of await Promise.all(told)) {
      expect(answer, what).toMatchObject(refused);
    }
  });
});

const withRole = guarded.filter(([, { rule }]) => rule.role !== null);

describe("a user of another role", () => {
  it.each(withRole)(
    "is refused at %s, also when the role was lost since",
    async (_, { operation, rule }) => {
      const others = everyRole.filter((role) => role !== rule.role);
      const other = await createUser(others);
      expect(await call(operation, other.token)).toMatchObject(refusal(operation, "role"));
      const lost = await oneOf(
        `lost ${rule.role}`,
        (users) =>
          sql`update identity_users set roles = ${`{${others}}`}::text[] where id = any (${idsOf(users)})`,
      );
      expect(await call(operation, lost.token)).toMatchObject(refusal(operation, "role"));
    },
  );
});

const fresh = guarded.filter(([, { rule }]) => rule.fresh);

describe("a write of money", () => {
  it.each(fresh)(
    "%s refuses a sign-in that ended a moment after it was trusted",
    async (_, { operation }) => {
      const user = await createUser(everyRole);
      for (const path of ["/api/profile", "/api/buyer/cart", "/api/seller/orders"]) {
        await api(path, { token: user.token });
      }
      await execute(
        sql`update identity_sessions set revoked_at = now() where id = ${user.sessionId}`,
      );
      expect(await call(operation, user.token)).toMatchObject(refusal(operation, "invalid"));
    },
  );
});

describe("a sign-in kept in a cookie", () => {
  const CART = "/api/buyer/cart";
  const OWN = "http://localhost:8787";

  it.each<[number, string, Record<string, string>]>([
    [200, "its own page", { "sec-fetch-site": "same-origin", origin: OWN }],
    [200, "the user himself", { "sec-fetch-site": "none" }],
    [401, "another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    [401, "another site, by an old browser", { origin: "https://evil.example" }],
    [
      401,
      "another store of the same domain",
      { "sec-fetch-site": "same-site", origin: "http://lain.localhost:8787" },
    ],
    [401, "a page in a sandbox", { origin: "null" }],
    [401, "the same host on another port", { origin: "http://localhost:9999" }],
  ])("answers %i to %s", async (status, _, headers) => {
    const { token } = await createUser();
    const cookie = `lumbung_session=${token}`;
    const read = await api(CART, { headers: { ...headers, cookie } });
    expect(read.status).toBe(status);
    const json = { product_id: crypto.randomUUID(), quantity: 0 };
    const write = await api(CART, { method: "POST", json, headers: { ...headers, cookie } });
    expect(write.status === 401).toBe(status === 401);
  });

  it("does not stand in for a bearer token that is wrong", async () => {
    const { token } = await createUser();
    const headers = { cookie: `lumbung_session=${token}`, authorization: "Bearer salah" };
    expect((await fetchWorker(CART, { headers })).status).toBe(401);
  });

  it("cannot be used by a form of another site, which cannot send JSON", async () => {
    const { token } = await createUser();
    const headers = { cookie: `lumbung_session=${token}`, "content-type": "text/plain" };
    const answer = await api(CART, { method: "POST", body: "{}", headers });
    expect(answer.status).toBe(415);
  });
});
