import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { execute } from "./testing/operators.ts";
import { createServer } from "./testing/servers.ts";

describe("GET /healthz", () => {
  it("answers anybody", async () => {
    expect(await api("/healthz")).toMatchObject({
      status: 200,
      body: { status: "ok", service: "nusantarad", timestamp: expect.stringMatching(/Z$/) },
    });
    expect(await api("/healthz", { method: "POST" })).toMatchObject({
      status: 405,
      body: failureBody("panel", 405, "method not allowed"),
    });
  });
});

describe("GET /v1/system/compatibility", () => {
  it.each([
    ["Ubuntu", "22.04", true],
    ["ubuntu", "20.04", false],
    ["ubuntu", "24.10", true],
    ["debian", "12", true],
    ["debian", "11", false],
    ["alpine", "3.20", false],
    ["__proto__", "1", false],
  ])("tells of %s %s that it is supported: %s", async (osId, osVersion, supported) => {
    const server = await createServer();
    const facts = JSON.stringify({ goos: "linux", osId, osVersion });
    await execute(sql`update panel_servers set facts = ${facts}::jsonb where id = ${server.id}`);
    expect(await api(`/v1/system/compatibility?server=${server.id}`)).toMatchObject({
      status: 200,
      body: {
        target_os: "ubuntu 22.04+",
        single_server_only: true,
        native_on_server: true,
        compatibility_info: {
          goos: "linux",
          id: osId.toLowerCase(),
          version_id: osVersion,
          supported,
        },
      },
    });
  });

  it("is empty and unsupported where no agent has told of itself, and 404 for an unknown server", async () => {
    const server = await createServer();
    const headers = { "x-server": server.id };
    const { body } = await api("/v1/system/compatibility", { headers });
    expect(body.compatibility_info).toEqual({ goos: "", id: "", version_id: "", supported: false });
    expect(await api("/v1/system/compatibility?server=srv_none")).toMatchObject({
      status: 404,
      body: failureBody("panel", 404, "server not found"),
    });
  });

  it("answers for the default server, or in the same shape for none", async () => {
    const { status, body } = await api("/v1/system/compatibility");
    expect(status).toBe(200);
    expect(Object.keys(body.compatibility_info)).toEqual(["goos", "id", "version_id", "supported"]);
  });
});
