import { sql } from "drizzle-orm";
import { expect } from "vitest";
import { z } from "zod";
import type { MonitorReport } from "../../../shared/agent-protocol/monitor.ts";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { unique } from "../../testing/factories.ts";
import { execute } from "./operators.ts";

export interface TestServer {
  id: string;
  name: string;
}

/** A server of its own, enrolled as if an agent had been there; never the default one. */
export async function createServer(): Promise<TestServer> {
  const nanos = BigInt(Date.now()) * 1_000_000n;
  const id = `srv_${nanos}_${unique("").slice(0, 12)}`;
  const name = unique("server ");
  await execute(sql`insert into panel_servers (id, name, is_default, public_key, enrolled_at)
    values (${id}, ${name}, false, ${unique("k")}, now())`);
  return { id, name };
}

/** A report of a healthy server. */
export function reportOf(changes: Partial<MonitorReport> = {}): MonitorReport {
  const gib = 1024 ** 3;
  return {
    at: new Date().toISOString(),
    agent: {
      version: "1.0.0",
      commit: "0123456789ab",
      builtAt: "2026-11-01T00:00:00Z",
      runtime: "node v22.12.0",
      lastUpdate: null,
    },
    host: {
      uptimeSeconds: 3600,
      cpuPercent: 12.5,
      load: [0.5, 0.4, 0.3],
      memory: {
        totalBytes: 8 * gib,
        availableBytes: 6 * gib,
        swapTotalBytes: 0,
        swapFreeBytes: 0,
      },
      disks: [{ mount: "/", totalBytes: 100 * gib, usedBytes: 40 * gib, usedPercent: 40 }],
      network: { receivedBytesPerSecond: 1000, sentBytesPerSecond: 2000 },
    },
    services: [
      { name: "nginx", status: "active" },
      { name: "mariadb", status: "active" },
    ],
    certificates: [],
    ...changes,
  };
}

const MailRow = z.object({ to: z.string(), subject: z.string(), state: z.string() });

/** The alert mails about a server, in the order in which they were written. */
export async function incidentMailsOf(server: TestServer): Promise<string[]> {
  const found = await testContext().db.run(
    rows(
      sql`select payload->>'to' as "to", concat_ws(' ', payload->'data'->>'kind', nullif(payload->'data'->>'subject', '')) as subject,
          payload->'data'->>'state' as state
        from jobs where kind = 'mail.send' and payload->>'template' = 'panel_incident'
          and payload->'data'->>'server' = ${server.name} order by id`,
      MailRow,
    ),
  );
  for (const mail of found) expect(mail.to).toBe(testContext().config.ALERT_EMAIL);
  return found.map(({ subject, state }) => `${subject} ${state}`);
}
