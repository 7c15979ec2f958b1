import {
  type CommandOutcome,
  MAX_FRAME_LENGTH,
  specOf,
} from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import type { AnyHandler } from "../handlers.ts";

const FULL = ["ENOSPC", "EDQUOT"];

/** What a command or question comes to: its input checked, its handler run, its result checked. Never throws. */
export async function outcomeOf(
  { type, input }: { type: string; input: unknown },
  handlers: Record<string, AnyHandler>,
  ctx: AgentCtx,
  progress: Progress,
): Promise<CommandOutcome> {
  const spec = specOf(type);
  const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
  if (!spec || !handler) return failed("version", "this agent does not know the command");
  const given = spec.input.safeParse(input);
  if (!given.success) return failed("invalid", "the input does not fit the command");
  try {
    ctx.signal.throwIfAborted();
    // The schema is the handler's own: both are found by the same name.
    const value = spec.result.safeParse(await handler(ctx, given.data as never, progress));
    if (value.success) return fitting({ ok: true, value: value.data }, spec.shorten);
    ctx.log.error("a handler's result does not fit its command", { type });
    return failed("tool_failed", "the agent could not describe what it did");
  } catch (error) {
    return failureOf(type, error, ctx);
  }
}

/** What stands around an outcome in its frame. */
const ENVELOPE_LENGTH = 1_024;
const MOST_LENGTH = MAX_FRAME_LENGTH - ENVELOPE_LENGTH;

/**
 * An outcome that its frame can carry: as it is, with less in it where its command says how, or a failure that says so.
 * The edge passes over a frame that is too long, so that one would be told for ever and never be acknowledged.
 */
export function fitting(
  outcome: CommandOutcome,
  shorten?: (value: never) => unknown,
): CommandOutcome {
  if (!outcome.ok) return outcome;
  let { value } = outcome;
  for (let length = lengthOf(value); length > MOST_LENGTH; length = lengthOf(value)) {
    // The schema is the command's own: both are found by the same name.
    const shorter = shorten?.(value as never) ?? null;
    if (shorter === null) {
      const sizes = `${Math.ceil(length / 1_024)} KiB where ${MOST_LENGTH / 1_024} are possible`;
      return failed("tool_failed", `the answer is too large to be sent: ${sizes}`);
    }
    value = shorter;
  }
  return { ok: true, value };
}

const lengthOf = (value: unknown): number => JSON.stringify(value)?.length ?? 0;

export function failed(
  code: CommandError["code"],
  message: string,
  retryable = false,
): CommandOutcome {
  return { ok: false, error: { code, message: message.slice(0, 500), retryable } };
}

/** In our own words: what was thrown may quote a tool, and a tool may quote a password. */
function failureOf(type: string, error: unknown, ctx: AgentCtx): CommandOutcome {
  if (ctx.signal.aborted) {
    const { reason } = ctx.signal;
    if (reason instanceof CommandError) return failed(reason.code, reason.message);
  }
  if (error instanceof CommandError) return failed(error.code, error.message, error.retryable);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  ctx.log.error("a handler threw", { type, error: error instanceof Error ? error.name : "", code });
  if (FULL.includes(code)) return failed("disk_full", "the server's disk is full", true);
  return failed("tool_failed", "the agent ran into an unexpected failure", true);
}
