import { beforeAll, describe, expect, it } from "vitest";
import { SESSION_COOKIE } from "../../shared/http/api.ts";
import { api } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createOperator, type TestOperator } from "./testing/operators.ts";

const JSON_UTF8 = "application/json; charset=utf-8";
const MIB = 1024 * 1024;

let operator: TestOperator;
beforeAll(async () => {
  operator = await createOperator();
});

const refused = (status: number, words: string) => ({
  status,
  body: failureBody("panel", status, words),
});

const login = (body: string, headers: Record<string, string> = {}) =>
  api("/v1/auth/login", { method: "POST", body, headers });

/** A JSON body of exactly so many bytes. */
const sized = (bytes: number) => {
  const [head, tail] = ['{"username":"', '"}'];
  return `${head}${"x".repeat(bytes - head.length - tail.length)}${tail}`;
};

describe("a body under /v1", () => {
  it.each(["application/x-www-form-urlencoded", "text/plain;charset=UTF-8", ""])(
    "is JSON whatever curl calls it (%s)",
    async (type) => {
      const { username, password } = operator;
      const headers: Record<string, string> = type ? { "content-type": type } : {};
      const answer = await login(JSON.stringify({ username, password }), headers);
      expect(answer).toMatchObject({ status: 200, body: { user: { username } } });
      expect(await login("username=a&password=b", headers)).toMatchObject(
        refused(400, "invalid json body"),
      );
    },
  );

  it("of another type than JSON is nobody's by cookie: a page of another site cannot send one as him", async () => {
    const headers = { "content-type": "text/plain", cookie: `${SESSION_COOKIE}=${operator.token}` };
    const answer = await api("/v1/sites", { method: "POST", body: "{}", headers });
    expect(answer).toMatchObject(refused(415, "content type must be application/json"));
  });

  it("may weigh 1 MiB, and more is no JSON body", async () => {
    const json = { "content-type": "application/json" };
    expect(await login(sized(MIB), json)).toMatchObject(refused(400, "invalid credentials"));
    expect(await login(sized(MIB + 1), json)).toMatchObject(refused(400, "invalid json body"));
  });

  it("with text that cannot be kept is refused in English", async () => {
    const json = { username: "a\u0000b", password: "rahasia-sekali" };
    const answer = await api("/v1/auth/login", { method: "POST", json });
    expect(answer).toMatchObject(refused(400, "invalid text"));
  });
});

describe("an id in a path that can be nobody's", () => {
  it.each(["sites", "jobs", "servers"])("is as unknown as any other: /v1/%s", async (kind) => {
    for (const id of ["x".repeat(5_000), "%00", "a%00b"]) {
      const answer = await api(`/v1/${kind}/${id}`, { token: operator.token });
      expect(answer).toMatchObject(refused(404, `${kind.slice(0, -1)} not found`));
    }
  });
});

describe("an answer under /v1 and /healthz", () => {
  it.each(["/healthz", "/v1/auth/me", "/v1/typo"])("says its charset: %s", async (path) => {
    expect((await api(path)).headers.get("content-type")).toBe(JSON_UTF8);
    const { headers } = await api(path, { token: operator.token });
    expect(headers.get("content-type")).toBe(JSON_UTF8);
  });
});
