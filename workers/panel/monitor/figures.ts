import { sql } from "drizzle-orm";
import { z } from "zod";
import { type MonitorReport, reportBody } from "../../../shared/agent-protocol/monitor.ts";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";

/** A report that is older than this is no longer how the server is. */
const STALE_MS = 120_000;
/** The contract's services, told of as unknown until an agent has looked. */
const USUAL_SERVICES = ["nginx", "php8.1-fpm", "mariadb", "redis-server"];

const Latest = z.object({
  id: z.string(),
  facts: z
    .object({
      hostname: z.string(),
      goos: z.string(),
      goarch: z.string(),
      cpuThreads: z.number(),
    })
    .nullable(),
  report: reportBody.nullable(),
  received_at: z.coerce.date().nullable(),
});

/** The server that is asked about (null: the default one) with its last report; 404 where there is none. */
const latestOf = (server: string | null) =>
  rows(
    sql`select s.id, s.facts, r.report, r.received_at
      from panel_server_of(jsonb_build_object('server', ${server}::text)) s
      left join panel_reports r on r.server_id = s.id`,
    Latest,
  );

async function readLatest(ctx: Ctx, server: string | null) {
  const [latest] = await ctx.db.run(latestOf(server));
  if (!latest) throw new Error("panel_server_of answered no server");
  return latest;
}

/** The contract's facts about the host, and what its agent measured. */
export async function readHost(ctx: Ctx, server: string | null) {
  const { id, facts, report, received_at: received } = await readLatest(ctx, server);
  const fresh = received !== null && ctx.now().getTime() - received.getTime() < STALE_MS;
  return {
    status: fresh ? ("ok" as const) : ("stale" as const),
    hostname: facts?.hostname ?? "",
    goos: facts?.goos ?? "",
    goarch: facts?.goarch ?? "",
    cpu_threads: facts?.cpuThreads ?? 0,
    timestamp: ctx.now().toISOString(),
    server: id,
    measured_at: received?.toISOString() ?? null,
    ...figuresOf(report?.host ?? null),
  };
}

function figuresOf(host: MonitorReport["host"] | null) {
  const { memory, network } = host ?? {};
  return {
    uptime_seconds: host?.uptimeSeconds ?? null,
    cpu_percent: host?.cpuPercent ?? null,
    load: host?.load ?? null,
    memory: memory
      ? {
          total_bytes: memory.totalBytes,
          available_bytes: memory.availableBytes,
          swap_total_bytes: memory.swapTotalBytes,
          swap_free_bytes: memory.swapFreeBytes,
        }
      : null,
    disks: (host?.disks ?? []).map((disk) => ({
      mount: disk.mount,
      total_bytes: disk.totalBytes,
      used_bytes: disk.usedBytes,
      used_percent: disk.usedPercent,
    })),
    network: network
      ? {
          received_bytes_per_second: network.receivedBytesPerSecond,
          sent_bytes_per_second: network.sentBytesPerSecond,
        }
      : null,
  };
}

/** Each watched service with the word of `systemctl is-active`; a silent agent knows nothing of now. */
export async function readServices(ctx: Ctx, server: string | null) {
  const { report, received_at: received } = await readLatest(ctx, server);
  const stale = received === null || ctx.now().getTime() - received.getTime() >= STALE_MS;
  const known =
    report?.services ?? USUAL_SERVICES.map((name) => ({ name, status: "unknown" as const }));
  const checked_at = (received ?? ctx.now()).toISOString();
  return {
    items: known.map(({ name, status }) => ({
      name,
      status: stale ? ("unknown" as const) : status,
      checked_at,
    })),
  };
}

const Minute = z.object({
  minute: z.string(),
  reports: z.number(),
  cpu_percent: z.number().nullable(),
  memory_percent: z.number(),
  disk_percent: z.number(),
  load_1: z.number(),
  received_bytes_per_second: z.number().nullable(),
  sent_bytes_per_second: z.number().nullable(),
  failed_services: z.number(),
});

/** The last minutes of a server, newest first; minutes in which it said nothing are missing. */
export async function readHistory(ctx: Ctx, server: string | null, minutes: number) {
  const [, items] = await ctx.db.batch([
    latestOf(server),
    rows(
      sql`select panel_time(m.minute) as minute, m.reports, m.cpu_percent, m.memory_percent, m.disk_percent, m.load_1,
          m.received_bytes_per_second, m.sent_bytes_per_second, m.failed_services
        from panel_server_of(jsonb_build_object('server', ${server}::text)) s
        join panel_minutes m on m.server_id = s.id
        where m.minute > date_trunc('minute', now()) - make_interval(mins => ${minutes}::int)
        order by m.minute desc`,
      Minute,
    ),
  ]);
  return { items };
}

const Incident = z.object({
  id: z.string(),
  kind: z.string(),
  subject: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
  opened_at: z.string(),
  closed_at: z.string().nullable(),
});

/** What is or was wrong with a server, newest first. */
export async function listIncidents(ctx: Ctx, server: string | null, limit: number) {
  const items = await ctx.db.run(
    rows(
      sql`select i.id, i.kind, i.subject, i.facts, panel_time(i.opened_at) as opened_at,
          panel_time(i.closed_at) as closed_at
        from panel_server_of(jsonb_build_object('server', ${server}::text)) s
        join panel_incidents i on i.server_id = s.id
        order by i.seq desc limit ${limit}`,
      Incident,
    ),
  );
  return { items };
}
