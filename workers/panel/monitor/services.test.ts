import { describe, expect, it } from "vitest";
import type { MonitorReport } from "../../../shared/agent-protocol/monitor.ts";
import { testContext } from "../../testing/api.ts";
import { createServer, incidentMailsOf, reportOf, type TestServer } from "../testing/servers.ts";
import { recordReport } from "./report.ts";

const report = (server: TestServer, changes: Partial<MonitorReport> = {}) =>
  recordReport(testContext(), server.id, reportOf(changes));

describe("an alert of a service", () => {
  it("goes out once when a service fails and once when it is well again", async () => {
    const server = await createServer();
    const services = (status: "failed" | "active" | "activating" | "inactive") => ({
      services: [
        { name: "nginx", status },
        { name: "redis-server", status: "inactive" as const },
      ],
    });
    await report(server, services("active"));
    for (const status of ["failed", "failed", "activating", "failed"] as const)
      await report(server, services(status));
    expect(await incidentMailsOf(server)).toEqual(["service nginx open"]);
    await report(server, services("active"));
    await report(server, services("active"));
    await report(server, services("inactive"));
    await report(server, services("inactive"));
    expect(await incidentMailsOf(server)).toEqual([
      "service nginx open",
      "service nginx closed",
      "service nginx open",
    ]);
  });

  it("goes out when a service falls over and over again, or does not come up", async () => {
    const server = await createServer();
    const told = (status: "active" | "activating" | "inactive") =>
      report(server, { services: [{ name: "nginx", status }] });
    for (const status of ["active", "activating"] as const) await told(status);
    expect(await incidentMailsOf(server)).toEqual([]);
    for (const _ of [1, 2]) await told("activating");
    expect(await incidentMailsOf(server)).toEqual(["service nginx open"]);
    for (const status of ["active", "activating", "inactive"] as const) await told(status);
    expect(await incidentMailsOf(server)).toEqual([
      ...["service nginx open", "service nginx closed", "service nginx open"],
    ]);
  });

  it("goes out also when it could not be asked between its running and its end, and says nothing of one that never ran", async () => {
    const server = await createServer();
    const told = (status: MonitorReport["services"][number]["status"]) =>
      report(server, {
        services: [
          { name: "nginx", status },
          { name: "redis", status: status === "active" ? "inactive" : status },
        ],
      });
    for (const status of ["active", "unknown", "unknown", "inactive"] as const) await told(status);
    expect(await incidentMailsOf(server)).toEqual(["service nginx open"]);
    for (const status of ["unknown", "active"] as const) await told(status);
    expect(await incidentMailsOf(server)).toEqual(["service nginx open", "service nginx closed"]);
  });

  it("goes out also when it fell and came back while it could not be asked", async () => {
    const server = await createServer();
    const told = (service: Omit<MonitorReport["services"][number], "name">) =>
      report(server, { services: [{ name: "nginx", ...service }] });
    await told({ status: "active", restarts: 2 });
    for (const _ of [1, 2]) await told({ status: "unknown" });
    await told({ status: "active", restarts: 3 });
    expect(await incidentMailsOf(server)).toEqual(["service nginx open"]);
  });
});
