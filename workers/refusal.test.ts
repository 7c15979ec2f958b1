import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import worker from "./index.ts";

const SECRETS = [
  "DATABASE_URL",
  "JWT_KEYS",
  "SIGNING_KEY",
  "MIDTRANS_SERVER_KEY",
  "KIRIMINAJA_API_KEY",
  "RESEND_API_KEY",
] as const;

/** The Worker with some variables changed, an empty text taking one away. */
async function ask(changes: Record<string, string>, url = "http://localhost:8787/") {
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const request: Request<unknown, IncomingRequestCfProperties> = new Request(url);
  const response = await worker.fetch(request, { ...env, ...changes }, createExecutionContext());
  const lines = log.mock.calls.map(([line]): unknown => JSON.parse(String(line)));
  return { status: response.status, body: await response.text(), lines };
}

afterEach(() => vi.restoreAllMocks());

describe("a Worker without its secrets", () => {
  it.each(SECRETS)("serves nothing without %s, and its log names it", async (name) => {
    for (const url of [
      "http://localhost:8787/",
      "http://localhost:8787/api/buyer/products",
      "http://wafero.localhost:8787/",
    ]) {
      const { status, body, lines } = await ask({ [name]: "" }, url);
      expect([status, body]).toEqual([503, "Service Unavailable"]);
      expect(lines).toMatchObject([{ level: "error", variables: name }]);
      vi.restoreAllMocks();
    }
  });

  it("logs the names of all that is missing and the value of none", async () => {
    const { status, lines } = await ask({ JWT_KEYS: "lama:rahasia-pendek", SIGNING_KEY: "" });
    expect(status).toBe(503);
    expect(lines).toMatchObject([{ variables: "JWT_KEYS SIGNING_KEY" }]);
    const secrets = [...SECRETS.map((name) => String(Reflect.get(env, name))), "rahasia-pendek"];
    for (const secret of secrets) expect(JSON.stringify(lines)).not.toContain(secret);
  });

  it("serves with them", async () => {
    expect(await ask({})).toMatchObject({ status: 200, lines: [] });
  });
});
