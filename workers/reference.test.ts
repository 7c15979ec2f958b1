import { describe, expect, it } from "vitest";
import { createApiApp } from "./api.ts";
import { api } from "./testing/api.ts";
import { operations } from "./testing/samples.ts";

type Json = Record<string, unknown>;
const read = async (): Promise<Json & { paths: Record<string, Json>; components: Json }> =>
  (await api("/openapi.json")).body;

/** Every object inside a JSON value, with the way to it. */
function* objectsIn(value: unknown, way = "#"): Generator<[string, Json]> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield [way, value as Json];
  for (const [key, inner] of Object.entries(value)) yield* objectsIn(inner, `${way}/${key}`);
}

/** What only an agent's program calls, signed: docs/agent-protocol.md tells of it. */
const AGENT_ONLY = /^\/v1\/agent(\/backups\/.*)?$/;

describe("/openapi.json", () => {
  it("is OpenAPI 3.1 with a title and a version", async () => {
    expect(await read()).toMatchObject({
      openapi: "3.1.0",
      info: { title: "Lumbung", version: expect.any(String) },
    });
  });

  it("lists every mounted route and nothing else", () => {
    const mounted = createApiApp()
      .routes.filter(({ method, path }) => method !== "ALL" && !AGENT_ONLY.test(path))
      .map(
        ({ method, path }) =>
          `${method} ${path.replace(/:([^/]+)/g, "{$1}").replace("*", "{key}")}`,
      );
    const listed = operations.map(({ method, path }) => `${method} ${path}`);
    expect(listed.sort()).toEqual([...new Set(mounted)].sort());
  });

  it("describes each operation: a summary, a tag, its answers, every parameter of its path", async () => {
    const { paths } = await read();
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const name = `${method} ${path}`;
        expect(operation, name).toMatchObject({
          summary: expect.stringMatching(/./),
          tags: [expect.any(String)],
        });
        const known = operations.find((one) => `${one.method.toLowerCase()} ${one.path}` === name);
        const inPath = known?.parameters.filter((one) => one.in === "path").map((one) => one.name);
        expect(inPath?.sort(), name).toEqual(
          [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort(),
        );
        expect(Object.keys(known?.responses ?? {}), name).toContainEqual(
          expect.stringMatching(/^[23]\d\d$/),
        );
      }
    }
  });

  it("describes the body of everything that takes one, notices and pictures too", async () => {
    const bodiless =
      /logout|received|cancel|rotate|redeliver|\/(confirm|approve|reject|leave|check|replay|pay|disconnect|publish|credentials|certificate|enrolment|suspend|resume|retry|renew|update)$|backup\/run$|reconciliations|undo/;
    for (const { method, path, requestBody } of operations) {
      if (method !== "POST" && method !== "PUT") continue;
      if (!bodiless.test(path)) expect(requestBody, `${method} ${path}`).toBeDefined();
    }
  });

  it("says who may call: no token, any user's, or a role's", async () => {
    const { paths, components } = await read();
    expect(components).toMatchObject({
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
    });
    expect(paths["/api/buyer/products"]?.get).not.toHaveProperty("security");
    expect(paths["/api/profile"]?.get).toMatchObject({ security: [{ bearer: [] }] });
    expect(paths["/api/seller/products/{id}"]?.put).toMatchObject({
      security: [{ bearer: ["seller"] }],
    });
  });

  it("refers only to shapes that are in it, and keeps to the JSON Schema of 3.1", async () => {
    const document = await read();
    const { schemas } = document.components as { schemas: Json };
    for (const [way, object] of objectsIn(document)) {
      if (typeof object.$ref === "string") {
        expect(schemas, way).toHaveProperty(object.$ref.replace("#/components/schemas/", ""));
      }
      const isSchema = "type" in object && !way.includes("/properties/");
      if (isSchema) expect(object, way).not.toHaveProperty("nullable");
      if ("exclusiveMinimum" in object)
        expect(object.exclusiveMinimum, way).not.toBeTypeOf("boolean");
    }
  });

  it("names no host but the reader's own", async () => {
    const text = JSON.stringify(await read());
    expect(text.match(/https?:\/\/[^\s"\\]+/g) ?? []).toEqual([]);
    expect(await read()).not.toHaveProperty("servers");
  });
});

describe("/docs", () => {
  it("shows every operation and shape on one page that loads nothing from elsewhere", async () => {
    const { status, headers, body } = await api("/docs");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toMatch(/^text\/html/);
    for (const { path } of operations) expect(body).toContain(path);
    expect(body).toContain("CheckoutInput");
    expect(body).not.toMatch(/<script|<link|<img|src=|https?:\/\//);
    expect(body).toContain('<html lang="en">');
  });
});
