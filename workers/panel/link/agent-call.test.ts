import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { callHeaders, enrolledServer, type TestServer } from "../testing/agents.ts";
import { type AgentCallEnv, agentCall } from "./agent-call.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

describe("a signed call", () => {
  const app = new Hono<AgentCallEnv>();
  app.use(async (c, next) => {
    c.set("ctx", testContext());
    await next();
  });
  app.onError((error, c) =>
    c.text("", error instanceof AppError && error.status === 401 ? 401 : 500),
  );
  app.post("/hash", agentCall({ body: "hash" }), async (c) =>
    c.json({ server: c.var.agentServerId, text: await c.req.text() }),
  );
  app.put("/stream", agentCall({ body: "stream" }), (c) => c.text(c.var.agentServerId));

  const send = (path: string, init: RequestInit) =>
    app.request(`http://localhost:8787${path}`, init, env);

  async function post(server: TestServer, signed: string, sent: string, path = "/hash?n=1") {
    const call = { method: "POST", path: "/hash?n=1", body: await sha256Hex(signed) };
    return await send(path, {
      method: "POST",
      body: sent,
      headers: await callHeaders(server, call),
    });
  }

  it("tells whose it is, when method, path, query and body are those that were signed", async () => {
    const server = await enrolledServer(operator);
    const text = unique("isi-");
    expect(await (await post(server, text, text)).json()).toEqual({ server: server.id, text });
    expect((await post(server, text, `${text}x`)).status).toBe(401);
    expect((await post(server, text, text, "/hash?n=2")).status).toBe(401);
  });

  it("streams its body only where that is expected, and counts once", async () => {
    const server = await enrolledServer(operator);
    const call = { method: "PUT", path: "/stream", body: "stream" };
    const headers = await callHeaders(server, call);
    const put = () => send("/stream", { method: "PUT", body: "apa saja", headers });
    expect(await (await put()).text()).toBe(server.id);
    expect((await put()).status).toBe(401);
    const asStream = await callHeaders(server, { method: "POST", path: "/hash", body: "stream" });
    const init = { method: "POST", body: "x", headers: asStream };
    expect((await send("/hash", init)).status).toBe(401);
  });
});
