import { sql } from "drizzle-orm";
import { z } from "zod";
import { type CommandType, specOf } from "../../shared/agent-protocol/index.ts";
import type { Ctx } from "../../shared/context.ts";
import { unseal } from "../../shared/crypto/index.ts";
import { call, rows } from "../../shared/db/statement.ts";
import type { Job, JobHandler, JobOutcome } from "../../shared/jobs/jobs.ts";
import { wake, wakeSchema } from "../../shared/jobs/jobs.ts";
import { describeError } from "../../shared/log.ts";
import { inputOwner } from "./jobs.ts";
import { type CommandView, hasEnded, type Link, linkOf } from "./link/link-client.ts";
import { storable, storableText } from "./link/storable.ts";

/** How long an attempt stays for the end of a command that the agent works on. */
const STAY_MS = 20_000;
/** For one that waits at the link: the server is away, or busy with its subject. */
const GLANCE_MS = 500;
/** When it is looked at again where nothing hurries it; its end does (`jobs_hurry`). */
const ASK_AFTER_MS = 30_000;
const OFFLINE_PAUSE_MS = 120_000;
const BEHIND_PAUSE_MS = 60_000;
const FIRST_AGAIN_MS = 5_000;

const Begun = z.discriminatedUnion("state", [
  z.object({ state: z.literal("gone") }),
  z.object({ state: z.literal("behind") }),
  z.object({
    state: z.literal("ended"),
    server_id: z.string(),
    outcome: z.enum(["success", "failed"]),
    error_code: z.string().nullable(),
  }),
  z.object({
    state: z.literal("yours"),
    id: z.string(),
    server_id: z.string(),
    seq: z.number(),
    subject: z.string(),
    command: z.string(),
    input: z.record(z.string(), z.unknown()),
    sealed: z.string().nullable(),
    deadline_at: z.coerce.date(),
    never_sent: z.boolean(),
    late: z.boolean(),
  }),
]);
type Yours = Extract<z.output<typeof Begun>, { state: "yours" }>;

/** How a command ended, as it is recorded. */
interface End {
  ok: boolean;
  value?: unknown;
  error_code?: string;
  error?: string;
}

const TOO_LATE: End = {
  ok: false,
  error_code: "timeout",
  error: "the server did not answer in time",
};
const NOT_A_COMMAND = ["invalid", "the command is none that agents understand"] as const;
const SECRET_LOST = ["integrity", "the command's secret cannot be opened any more"] as const;
const CANCELLED: End = { ok: false, error_code: "cancelled", error: "cancelled" };

/**
 * Brings a panel job's command to its server and its end back. Every step may be repeated: the link takes a command
 * once, the agent acts on it once, and Postgres records one end.
 */
export function panelCommand({ stayMs = STAY_MS }: { stayMs?: number } = {}): JobHandler {
  return {
    kind: "panel.command",
    queue: "provisioning",
    run: async (ctx, job) => await carry(ctx, job, stayMs).catch((error) => later(ctx, job, error)),
  };
}

/** Every step may be repeated, so after a failure of our own it soon is, however many attempts there were before. */
function later(ctx: Ctx, { attempts }: Job, error: unknown): JobOutcome {
  ctx.log.error("job threw", describeError(error));
  const askAfterMs = Math.min(FIRST_AGAIN_MS * 2 ** Math.min(attempts - 1, 10), ASK_AFTER_MS);
  return { state: "unknown", error: error instanceof Error ? error.name : "error", askAfterMs };
}

async function carry(ctx: Ctx, job: Job, stayMs: number): Promise<JobOutcome> {
  const [begun] = await ctx.db.run(
    rows(
      sql`select panel_command_begin(${job.id}::uuid) as begun`,
      z.object({ begun: Begun }).transform((row) => row.begun),
    ),
  );
  switch (begun?.state) {
    case undefined:
    case "gone":
      return { state: "success", result: { nothing_to_do: true } };
    case "behind":
      return { state: "retry", error: "an earlier command goes first", afterMs: BEHIND_PAUSE_MS };
    case "ended":
      await linkOf(ctx, begun.server_id).forget([job.id]);
      return outcomeOf(begun.outcome === "success", begun.error_code);
    case "yours":
      return await deliver(ctx, job, begun, stayMs);
    default:
      return begun satisfies never;
  }
}

async function deliver(ctx: Ctx, job: Job, command: Yours, stayMs: number): Promise<JobOutcome> {
  if (command.never_sent) return await recordEnd(ctx, job.id, TOO_LATE);
  const whole = await wholeInput(ctx, command);
  const input = whole && specOf(command.command)?.input.safeParse(whole);
  if (!input?.success) {
    const [error_code, error] = whole ? NOT_A_COMMAND : SECRET_LOST;
    return await recordEnd(ctx, job.id, { ok: false, error_code, error });
  }
  const link = linkOf(ctx, command.server_id);
  const view = await follow(ctx, job, link, { command, input: input.data, stayMs });
  const end = view && hasEnded(view) ? endOf(command.command, view) : null;
  if (end || command.late) {
    const outcome = await recordEnd(ctx, job.id, end ?? TOO_LATE);
    await link.forget([job.id]);
    return outcome;
  }
  if (view?.state === "queued") {
    return { state: "retry", error: "the server is away or busy", afterMs: OFFLINE_PAUSE_MS };
  }
  return { state: "unknown", error: "the server works on it", askAfterMs: ASK_AFTER_MS };
}

interface Following {
  command: Yours;
  input: unknown;
  stayMs: number;
}

/** Hands it over (once, whatever happens) and stays a while. */
async function follow(
  ctx: Ctx,
  job: Job,
  link: Link,
  { command, input, stayMs }: Following,
): Promise<CommandView | null> {
  const taken = await link.submit({
    id: job.id,
    seq: command.seq,
    subject: command.subject,
    // Only `commandInput` writes this column, from the catalogue's own names.
    type: command.command as CommandType,
    input,
    deadlineAt: command.deadline_at,
  });
  if (hasEnded(taken)) return taken;
  const glanced =
    taken.state === "queued" ? await link.wait(job.id, Math.min(GLANCE_MS, stayMs)) : taken;
  if (glanced?.state !== "sent") return glanced;
  const [view] = await Promise.all([link.wait(job.id, stayMs), noteStart(ctx, job)]);
  return view;
}

/** From here on the job is `running` for everybody who looks. */
async function noteStart(ctx: Ctx, job: Job): Promise<void> {
  await ctx.db.run(
    rows(sql`select panel_job_progress(${job.id}::uuid, 0, '[]')::text as done`, z.unknown()),
  );
}

async function wholeInput(ctx: Ctx, { id, input, sealed }: Yours) {
  if (sealed === null) return input;
  const opened = await unseal(ctx.config, inputOwner(id), sealed);
  if (opened === null) return null;
  return { ...input, ...z.record(z.string(), z.unknown()).parse(JSON.parse(opened)) };
}

function endOf(command: string, view: CommandView): End {
  if (view.state === "cancelled") return CANCELLED;
  if (view.state === "expired") return TOO_LATE;
  if (view.state === "failed") {
    const { code = "tool_failed", message = "the server could not do it" } = view.error ?? {};
    return { ok: false, error_code: code, error: message };
  }
  const value = specOf(command)?.result.safeParse(view.value);
  if (value?.success) return { ok: true, value: storable(value.data) };
  return { ok: false, error_code: "version", error: "the server's answer is not understood" };
}

const Recorded = z.object({ state: z.enum(["success", "failed", "gone"]), wakes: wakeSchema });

/** Writes the end of a command and what it means, once; the command behind it is woken. */
async function recordEnd(ctx: Ctx, uuid: string, end: End): Promise<JobOutcome> {
  const error = end.error === undefined ? {} : { error: storableText(end.error) };
  const input = { ...end, ...error, job_id: uuid };
  const { state, wakes } = await ctx.db.run(call("panel_record_command", input, Recorded));
  wake(ctx, wakes);
  return outcomeOf(state !== "failed", end.error_code ?? null);
}

/** Refusals that the caller reads in his own answer; nobody is woken at night for them. */
const CALLERS_OWN = ["invalid", "exists", "not_found", "conflict", "cancelled"];

function outcomeOf(ok: boolean, code: string | null): JobOutcome {
  if (ok) return { state: "success" };
  if (code !== null && CALLERS_OWN.includes(code)) {
    return { state: "success", result: { refused: code } };
  }
  return { state: "failed", error: `agent ${code ?? "failed"}` };
}

const Overdue = z.object({
  wakes: wakeSchema,
  ended: z.array(z.object({ server_id: z.string(), job_id: z.uuid() })),
});
const OVERDUE_AT_ONCE = 100;

/** For the minute cron: no job stays open whose time is long up or whose attempts are used up. */
export async function endOverdueJobs(ctx: Ctx): Promise<void> {
  const [found] = await ctx.db.run(
    rows(
      sql`select panel_end_overdue(${OVERDUE_AT_ONCE}) as due`,
      z.object({ due: Overdue }).transform((row) => row.due),
    ),
  );
  wake(ctx, found?.wakes ?? []);
  for (const { server_id, job_id } of found?.ended ?? []) {
    ctx.log.warn("panel job ended by its deadline", { jobId: job_id, server: server_id });
    await linkOf(ctx, server_id).cancel(job_id);
    await linkOf(ctx, server_id).forget([job_id]);
  }
}
