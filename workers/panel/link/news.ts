import { z } from "zod";
import type { AgentFacts, AgentFrame } from "../../../shared/agent-protocol/index.ts";
import type { Ctx } from "../../../shared/context.ts";
import { call, type Statement } from "../../../shared/db/statement.ts";
import { type Wake, wake, wakeSchema, wakeShape } from "../../../shared/jobs/wake.ts";
import { recordReport } from "../monitor/report.ts";
import { storable, storableText } from "./storable.ts";

type Report = Extract<AgentFrame, { t: "report" }>["report"];

/** What a link tells the rest of the panel. Each may be lost: whoever needs it asks again after a while. */
export interface News {
  ended(jobId: string): Promise<void>;
  progressed(jobId: string, percent: number, lines: string[]): Promise<void>;
  hello(agentVersion: string, facts: AgentFacts): Promise<void>;
  report(report: Report): Promise<void>;
  twins(facts: Record<string, string>): Promise<void>;
}

/** News of one server, for Postgres. */
export function newsOf(ctx: Ctx, serverId: string): News {
  return {
    ended: async (jobId) => wake(ctx, [await ctx.db.run(hurry(jobId))]),
    progressed: async (jobId, percent, lines) => {
      await ctx.db.run(progress(jobId, percent, lines));
    },
    hello: async (agentVersion, facts) => {
      const input = storable({ id: serverId, agent_version: agentVersion, facts });
      await ctx.db.run(call("panel_agent_hello", input, z.unknown()));
    },
    report: async (report) => await recordReport(ctx, serverId, report),
    twins: async (facts) => {
      const input = { id: serverId, facts, alert_to: ctx.config.ALERT_EMAIL };
      wake(ctx, await ctx.db.run(call("panel_agent_twins", input, wakeSchema)));
    },
  };
}

/** Who waits for this job's command looks now instead of later. */
const hurry = (jobId: string): Statement<Wake | null> => ({
  sql: "select jobs_hurry($1::uuid)",
  params: [jobId],
  arrayMode: true,
  map: ({ rows: [row] }) =>
    wakeShape.nullable().parse(Array.isArray(row) ? (row[0] ?? null) : null),
});

const progress = (jobId: string, percent: number, lines: string[]): Statement<null> => ({
  sql: "select panel_job_progress($1::uuid, $2::float8, $3::jsonb)",
  params: [jobId, percent, JSON.stringify(lines.map(storableText))],
  arrayMode: true,
  map: () => null,
});
