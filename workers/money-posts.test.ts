import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../shared/db/statement.ts";
import { createApiApp } from "./api.ts";
import { api, testContext } from "./testing/api.ts";
import { unique } from "./testing/factories.ts";
import { KEYED, UNKEYED } from "./testing/money-posts.ts";
import {
  createWorld,
  jsonSchemaOf,
  operations,
  pathOf,
  sampleOf,
  type TestOperation,
  type World,
} from "./testing/samples.ts";

const listed = (table: string) => table.split(",").map((path) => path.trim());
const keyed = new Set(listed(KEYED));

const mounted = new Set(
  createApiApp()
    .routes.filter(({ method }) => method === "POST")
    .map(({ path }) => path.replace(/:([^/]+)/g, "{$1}")),
);

describe("every mounted POST", () => {
  it("stands in the table of those that move money or in that of those that do not", () => {
    expect([...listed(KEYED), ...listed(UNKEYED)].toSorted()).toEqual([...mounted].toSorted());
  });

  it("takes an Idempotency-Key where it moves money, and says so in the document", () => {
    const takesKey = operations
      .filter(({ method, parameters }) => {
        const has = parameters.some((one) => one.in === "header" && one.name === "idempotency-key");
        return method === "POST" && has;
      })
      .map(({ path }) => path);
    expect(takesKey.toSorted()).toEqual([...keyed].toSorted());
  });
});

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** Those whose keys are claimed elsewhere than in Postgres (a room's object), or behind a secret of their own. */
const ELSEWHERE = ["/api/gifts/send", "/api/v2"];

const inPostgres = operations
  .filter(({ method, path }) => method === "POST" && keyed.has(path) && !ELSEWHERE.includes(path))
  .map((operation): [string, TestOperation] => [operation.path, operation]);

/** A key that this user has used for something else. */
async function usedKey(): Promise<string> {
  const key = unique("key-");
  await testContext().db.run(
    rows(sql`select http_claim(${world.user.userId}, ${key}, 'elsewhere', 'h', '1')`, z.unknown()),
  );
  return key;
}

describe("a key that was used for something else", () => {
  it.each(inPostgres)(
    "is refused by %s with 422, before anything is done",
    async (_, operation) => {
      const schema = jsonSchemaOf(operation);
      const answer = await api(pathOf(operation, world), {
        method: "POST",
        token: world.user.token,
        headers: { "idempotency-key": await usedKey() },
        ...(schema ? { json: sampleOf(schema, world) } : {}),
      });
      expect([answer.status, JSON.stringify(answer.body)]).toEqual([
        422,
        expect.stringMatching(/Idempotency-Key (sudah dipakai|was used) /),
      ]);
    },
  );
});
