import { type SQL, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { MonitorReport } from "../../../shared/agent-protocol/monitor.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { createOperator, execute } from "../testing/operators.ts";
import { createServer, incidentMailsOf, reportOf, type TestServer } from "../testing/servers.ts";
import { purgeHistory, recordReport, watchServers } from "./report.ts";

const report = (server: TestServer, changes: Partial<MonitorReport> = {}) =>
  recordReport(testContext(), server.id, reportOf(changes));

const unprovenBackup = (server: TestServer) => {
  const name = `nusantara_site_toko.test_20261121_${server.id.slice(-6)}.json`;
  return sql`insert into panel_backups (server_id, name, kind, subject, state, origin, is_unproven, created_at)
    values (${server.id}, ${name}, 'site', 'toko.test', 'making', 'manual', true, now())`;
};

const silence = async ({ id }: TestServer, seconds: number) => {
  const at = sql`now() - make_interval(secs => ${seconds})`;
  await execute(sql`with r as (update panel_reports set received_at = ${at} where server_id = ${id})
    update panel_servers set enrolled_at = now() - interval '1 day', seen_at = ${at} where id = ${id}`);
};

const get = async (path: string, server: TestServer) => {
  const { token } = await createOperator();
  return await api(path, { token, headers: { "x-server": server.id } });
};

describe("GET /v1/monitor/host", () => {
  it("answers the contract's facts and the figures of the last report", async () => {
    const server = await createServer();
    const facts = { hostname: "web1", goos: "linux", goarch: "x64", cpuThreads: 4 };
    await execute(
      sql`update panel_servers set facts = ${JSON.stringify(facts)}::jsonb where id = ${server.id}`,
    );
    await report(server);
    const { status, body } = await get("/v1/monitor/host", server);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ status: "ok", hostname: "web1", goos: "linux", goarch: "x64", cpu_threads: 4 },
      timestamp: expect.stringMatching(/Z$/),
      ...{ server: server.id, cpu_percent: 12.5, load: [0.5, 0.4, 0.3] },
      memory: { total_bytes: 8 * 1024 ** 3, available_bytes: 6 * 1024 ** 3 },
      disks: [{ mount: "/", used_percent: 40 }],
      network: { received_bytes_per_second: 1000, sent_bytes_per_second: 2000 },
    });
  });

  it("is stale where the agent never reported, or is silent for two minutes", async () => {
    const server = await createServer();
    const never = await get("/v1/monitor/host", server);
    expect(never.body).toMatchObject({
      status: "stale",
      measured_at: null,
      memory: null,
      disks: [],
    });
    await report(server);
    await execute(
      sql`update panel_reports set received_at = now() - interval '121 seconds' where server_id = ${server.id}`,
    );
    expect((await get("/v1/monitor/host", server)).body.status).toBe("stale");
  });
});

describe("GET /v1/monitor/services", () => {
  it("answers each service with the word of systemctl, and the contract's four as unknown before the first report", async () => {
    const server = await createServer();
    const before = await get("/v1/monitor/services", server);
    expect(before.body.items).toEqual(
      ["nginx", "php8.1-fpm", "mariadb", "redis-server"].map((name) => ({
        ...{ name, status: "unknown" },
        checked_at: expect.stringMatching(/Z$/),
      })),
    );
    await report(server, { services: [{ name: "nginx", status: "activating" }] });
    const after = await get("/v1/monitor/services", server);
    expect(after.body.items).toMatchObject([{ name: "nginx", status: "activating" }]);
    await execute(
      sql`update panel_reports set received_at = now() - interval '5 minutes' where server_id = ${server.id}`,
    );
    expect((await get("/v1/monitor/services", server)).body.items).toMatchObject([
      { status: "unknown" },
    ]);
  });
});

describe("the history", () => {
  it("keeps the mean of a minute's reports, a row a minute, newest first", async () => {
    const server = await createServer();
    const host = reportOf().host;
    await execute(sql`insert into panel_minutes (server_id, minute, cpu_percent, memory_percent, disk_percent, load_1, failed_services)
      select ${server.id}, date_trunc('minute', now()) - make_interval(mins => n), 1, 2, 3, 4, 0 from generate_series(2, 2000, 7) n`);
    await report(server, { host: { ...host, cpuPercent: null, network: null } });
    await report(server, { host: { ...host, cpuPercent: 10 } });
    await report(server, { host: { ...host, cpuPercent: 40 } });
    const { body } = await get("/v1/monitor/history?minutes=9", server);
    expect(body.items.length).toBeGreaterThanOrEqual(2);
    const newest = body.items.filter((item: { cpu_percent: number }) => item.cpu_percent !== 1);
    expect(newest.reduce((sum: number, item: { reports: number }) => sum + item.reports, 0)).toBe(
      3,
    );
    expect(newest[0]).toMatchObject({ memory_percent: 25, disk_percent: 40, load_1: 0.5 });
    const times = body.items.map((item: { minute: string }) => item.minute);
    expect(times).toEqual([...times].sort().reverse());
    expect((await get("/v1/monitor/history?minutes=1440", server)).body.items.length).toBeLessThan(
      210,
    );
    await purgeHistory(testContext());
    const kept = await testContext().db.run(
      rows(
        sql`select count(*)::int as n from panel_minutes where server_id = ${server.id}`,
        z.object({ n: z.number() }),
      ),
    );
    expect(kept[0]?.n).toBeLessThan(220);
  });

  it.each(["", "?minutes=0", "?minutes=x", "?minutes=99999999999999999999", "?minutes=-5"])(
    "takes %s without an error",
    async (query) => {
      const server = await createServer();
      expect(await get(`/v1/monitor/history${query}`, server)).toMatchObject({
        status: 200,
        body: { items: [] },
      });
    },
  );
});

describe("an alert", () => {
  it("goes out when a service fell and came back between two reports, and not when it was restarted on purpose", async () => {
    const server = await createServer();
    const told = (restarts?: number) =>
      report(server, {
        services: [
          { name: "nginx", status: "active", ...(restarts !== undefined && { restarts }) },
        ],
      });
    for (const restarts of [undefined, 4, 4, 0]) await told(restarts);
    expect(await incidentMailsOf(server)).toEqual([]);
    for (const restarts of [3, 7]) await told(restarts);
    expect(await incidentMailsOf(server)).toEqual(["service nginx open"]);
    await told(7);
    expect(await incidentMailsOf(server)).toEqual(["service nginx open", "service nginx closed"]);
  });

  it("goes out once when a disk passes 90 percent, and not again while it stays about there", async () => {
    const server = await createServer();
    const { host } = reportOf();
    for (const usedPercent of [89.9, 90, 95, 89, 88.5, 90, 87, 86]) {
      const disks = [{ mount: "/", totalBytes: 100, usedBytes: usedPercent, usedPercent }];
      await report(server, { host: { ...host, disks } });
    }
    expect(await incidentMailsOf(server)).toEqual(["disk / open", "disk / closed"]);
  });

  it("goes out once when a certificate has 14 days left, and once when it was renewed", async () => {
    const server = await createServer();
    const days = (count: number) => ({
      certificates: [
        { domain: "toko.test", notAfter: new Date(Date.now() + count * 86_400_000).toISOString() },
      ],
    });
    for (const left of [15, 13.9, 13, 2]) await report(server, days(left));
    expect(await incidentMailsOf(server)).toEqual(["certificate toko.test open"]);
    await report(server, days(89));
    expect(await incidentMailsOf(server)).toEqual([
      "certificate toko.test open",
      "certificate toko.test closed",
    ]);
  });

  it("goes out once when the agent is silent for two minutes, and once when it speaks again", async () => {
    const [server, watch] = [await createServer(), unique("watch")];
    await report(server);
    await watchServers(testContext(), watch);
    expect(await incidentMailsOf(server)).toEqual([]);
    await silence(server, 121);
    await watchServers(testContext(), watch);
    await watchServers(testContext(), watch);
    expect(await incidentMailsOf(server)).toEqual(["silent open"]);
    await report(server);
    await watchServers(testContext(), watch);
    expect(await incidentMailsOf(server)).toEqual(["silent open", "silent closed"]);
  });

  it("does not go out for the time in which we were away ourselves", async () => {
    const [server, watch] = [await createServer(), unique("watch")];
    await report(server);
    await watchServers(testContext(), watch);
    // Ten minutes in which nothing of ours ran.
    await silence(server, 600);
    const ago = async (changes: SQL) =>
      await execute(sql`update panel_watches set ${changes} where name = ${watch}`);
    await ago(sql`looked_at = now() - interval '600 seconds'`);
    for (const _ of [1, 2]) await watchServers(testContext(), watch);
    expect(await incidentMailsOf(server)).toEqual([]);
    await ago(sql`since = now() - interval '121 seconds'`);
    await watchServers(testContext(), watch);
    expect(await incidentMailsOf(server)).toEqual(["silent open"]);
  });

  it("goes out once when a backup nobody has proven is overdue, and once when it was proven", async () => {
    const server = await createServer();
    await execute(unprovenBackup(server));
    await watchServers(testContext());
    expect(await incidentMailsOf(server)).toEqual([]);
    await report(server);
    for (let i = 0; i < 2; i++) await watchServers(testContext());
    expect(await incidentMailsOf(server)).toEqual(["backup site toko.test open"]);
    await execute(sql`update panel_backups set is_unproven = false where server_id = ${server.id}`);
    await watchServers(testContext());
    expect(await incidentMailsOf(server)).toEqual([
      "backup site toko.test open",
      "backup site toko.test closed",
    ]);
  });

  it("is one for however many reports come at once", async () => {
    const server = await createServer();
    const services = [{ name: "nginx", status: "failed" as const }];
    await Promise.all(Array.from({ length: 8 }, () => report(server, { services })));
    expect(await incidentMailsOf(server)).toEqual(["service nginx open"]);
  });

  it("goes out when an agent has enrolled and never came", async () => {
    const [server, watch] = [await createServer(), unique("watch")];
    const past = sql`now() - interval '121 seconds'`;
    await execute(sql`update panel_servers set enrolled_at = ${past} where id = ${server.id}`);
    for (let i = 0; i < 2; i++) await watchServers(testContext(), watch);
    expect(await incidentMailsOf(server)).toEqual(["silent open"]);
  });

  it("never comes from a server that has enrolled just now, nor from one that is gone", async () => {
    const [fresh, gone] = [await createServer(), await createServer()];
    await execute(sql`delete from panel_servers where id = ${gone.id}`);
    await report(gone, { services: [{ name: "nginx", status: "failed" }] });
    await watchServers(testContext());
    expect([...(await incidentMailsOf(fresh)), ...(await incidentMailsOf(gone))]).toEqual([]);
  });
});

describe("GET /v1/monitor/incidents", () => {
  it("tells what is wrong now, and what was, newest first", async () => {
    const server = await createServer();
    await report(server, { services: [{ name: "nginx", status: "failed" }] });
    await report(server);
    await report(server, { services: [{ name: "mariadb", status: "failed" }] });
    const { body } = await get("/v1/monitor/incidents", server);
    expect(body.items).toMatchObject([
      { kind: "service", subject: "mariadb", closed_at: null, facts: { status: "failed" } },
      { kind: "service", subject: "nginx", closed_at: expect.any(String) },
    ]);
  });
});

const PATHS = ["host", "services", "history", "incidents"].map((name) => `/v1/monitor/${name}`);

describe.each(PATHS)("GET %s", (path) => {
  it("is for operators alone, about servers that there are", async () => {
    const admin = await createUser(["admin", "buyer"]);
    const { token } = await createOperator();
    expect(await api(path)).toMatchObject({
      status: 401,
      body: failureBody("panel", 401, "unauthorized"),
    });
    expect(await api(path, { token: admin.token })).toMatchObject({
      status: 403,
      body: failureBody("panel", 403, "forbidden"),
    });
    expect(await api(`${path}?server=srv_none`, { token })).toMatchObject({
      status: 404,
      body: failureBody("panel", 404, "server not found"),
    });
    expect((await api(path, { token, method: "POST" })).status).toBe(405);
  });
});
