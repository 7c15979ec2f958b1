import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { MonitorReport } from "../../../shared/agent-protocol/monitor.ts";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { execute } from "../testing/operators.ts";
import { createServer, reportOf, type TestServer } from "../testing/servers.ts";
import { incidentMail } from "./mails.ts";
import { recordReport, watchServers } from "./report.ts";

const report = (server: TestServer, changes: Partial<MonitorReport> = {}) =>
  recordReport(testContext(), server.id, reportOf(changes));

const unprovenBackup = (server: TestServer) => {
  const name = `nusantara_site_toko.test_20261121_${server.id.slice(-6)}.json`;
  return sql`insert into panel_backups (server_id, name, kind, subject, state, origin, is_unproven, created_at)
    values (${server.id}, ${name}, 'site', 'toko.test', 'making', 'manual', true, now())`;
};

/** What the alert mails about a server are made of. */
async function dataOf(server: TestServer) {
  const found = await testContext().db.run(
    rows(
      sql`select payload->'data' as data from jobs where kind = 'mail.send'
          and payload->>'template' = 'panel_incident' and payload->'data'->>'server' = ${server.name}`,
      z.object({ data: z.object({ state: z.string() }).loose() }),
    ),
  );
  return found.map(({ data }) => data);
}

describe("an alert", () => {
  it("says why it is over: well again only where that is seen", async () => {
    const server = await createServer();
    const { host } = reportOf();
    const full = [{ mount: "/data", totalBytes: 100, usedBytes: 95, usedPercent: 95 }];
    const soon = [
      { domain: "toko.test", notAfter: new Date(Date.now() + 86_400_000).toISOString() },
    ];
    const broken = {
      services: [{ name: "redis", status: "failed" as const }],
      certificates: soon,
      host: { ...host, disks: full },
    };
    await report(server, broken);
    await report(server, { ...broken, services: [{ name: "redis", status: "active" }] });
    await report(server);
    await execute(unprovenBackup(server));
    await watchServers(testContext());
    await execute(
      sql`insert into panel_backup_policies (server_id, enabled) values (${server.id}, false)`,
    );
    await execute(sql`update panel_backups set is_unproven = false where server_id = ${server.id}`);
    await watchServers(testContext());
    const closed = (await dataOf(server)).filter(({ state }) => state === "closed");
    const told = closed.map((data) => incidentMail.subject(incidentMail.schema.parse(data)));
    expect(told.map((line) => line.replace(`[${server.name}] `, "")).sort()).toEqual([
      "Cadangan site toko.test tidak lagi diawasi",
      "Disk /data tidak lagi terpasang",
      "Layanan redis berjalan kembali",
      "Sertifikat toko.test tidak lagi dipakai",
    ]);
  });
});
