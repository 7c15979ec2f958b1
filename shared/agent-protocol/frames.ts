import { z } from "zod";
import { absolutePath, phpVersion } from "./fields.ts";
import { reportBody } from "./monitor.ts";

export const PROTOCOL_VERSION = 1;

/** Why the edge ends a connection. */
export const CLOSE = {
  /** The first frame was no hello of a version that the edge speaks. */
  badHello: 4_000,
  /** A newer connection of the same key has taken its place. */
  replaced: 4_001,
  /** The key has been replaced, or the server was forgotten. */
  revoked: 4_002,
  /** Too many frames that are none. */
  badFrames: 4_003,
  /** Nothing was heard for too long. */
  silent: 4_004,
} as const;

/** The heartbeat is plain text, so that the edge answers it without waking anything. */
export const PING = "ping";
export const PONG = "pong";

/** No frame of either side is longer (UTF-16 units of its JSON). Files never travel in frames. */
export const MAX_FRAME_LENGTH = 512 * 1024;
/** Commands that an agent holds at once, begun or waiting to be acknowledged. */
export const MAX_HELD = 5_000;
export const MAX_PROGRESS_LINES = 20;
export const MAX_LINE_LENGTH = 300;

/** Why a command failed, as agents may say it. */
export const ERROR_CODES = [
  "invalid",
  "exists",
  "not_found",
  "conflict",
  "broken_config",
  "disk_full",
  "tool_failed",
  "unavailable",
  "timeout",
  "cancelled",
  "integrity",
  "version",
] as const;
export type AgentErrorCode = (typeof ERROR_CODES)[number];

/** `message` is ours: never a tool's output, which may hold a password. */
export const agentError = z.strictObject({
  code: z.enum(ERROR_CODES),
  message: z.string().max(500),
  retryable: z.boolean(),
});
export type AgentError = z.output<typeof agentError>;

const v = z.literal(PROTOCOL_VERSION);
const id = z.uuid();
const type = z.string().min(1).max(64);
const subject = z.string().min(1).max(200);

/** What an agent says of itself when it enrols and when it connects. */
export const agentFacts = z.strictObject({
  hostname: z.string().max(255),
  goos: z.string().max(20),
  goarch: z.string().max(20),
  osId: z.string().max(40),
  osVersion: z.string().max(40),
  cpuThreads: z.number().int().min(1).max(100_000),
  memoryBytes: z.number().int().nonnegative(),
  /** Every site's folder is below it. */
  sitesRoot: absolutePath,
  phpVersions: z.array(phpVersion).max(20),
});
export type AgentFacts = z.output<typeof agentFacts>;

export const edgeFrame = z.discriminatedUnion("t", [
  z.strictObject({
    ...{ v, t: z.literal("command"), id, type, subject },
    deadline: z.number().int(),
    input: z.unknown(),
  }),
  z.strictObject({ v, t: z.literal("ack"), ids: z.array(id).max(MAX_HELD) }),
  z.strictObject({ v, t: z.literal("cancel"), id }),
  z.strictObject({ v, t: z.literal("ask"), id, type, input: z.unknown() }),
]);
export type EdgeFrame = z.output<typeof edgeFrame>;
export type CommandFrame = Extract<EdgeFrame, { t: "command" }>;
export type AskFrame = Extract<EdgeFrame, { t: "ask" }>;

const outcome = [
  z.strictObject({ ok: z.literal(true), value: z.unknown() }),
  z.strictObject({ ok: z.literal(false), error: agentError }),
] as const;
export const commandOutcome = z.discriminatedUnion("ok", outcome);
/** What a command or a question came to. */
export type CommandOutcome = z.output<typeof commandOutcome>;

/** A command that the agent holds: begun, or ended and not yet acknowledged. */
const held = z.strictObject({ id, state: z.enum(["started", "ended"]) });
export type HeldCommand = z.output<typeof held>;

export const agentFrame = z.discriminatedUnion("t", [
  z.strictObject({
    ...{ v, t: z.literal("hello"), agentVersion: z.string().max(64), facts: agentFacts },
    /** One installation of the agent: a copy of its key elsewhere has another. */
    instance: z.uuid(),
    /** The last connection was ended for a newer one of the same key, which was not ours. */
    displaced: z.boolean(),
    holds: z.array(held).max(MAX_HELD),
  }),
  z.strictObject({
    ...{ v, t: z.literal("progress"), id, percent: z.number().min(0).max(100) },
    lines: z.array(z.string().max(MAX_LINE_LENGTH)).max(MAX_PROGRESS_LINES),
  }),
  z.strictObject({ v, t: z.literal("result"), id, outcome: commandOutcome }),
  z.strictObject({ v, t: z.literal("answer"), id, outcome: commandOutcome }),
  z.strictObject({ v, t: z.literal("report"), report: reportBody }),
]);
export type AgentFrame = z.output<typeof agentFrame>;

/** The frame in a text, or null: too long, not JSON, another version, another shape. */
export const readEdgeFrame = (text: string): EdgeFrame | null => read(edgeFrame, text);
export const readAgentFrame = (text: string): AgentFrame | null => read(agentFrame, text);

function read<S extends z.ZodType>(schema: S, text: string): z.output<S> | null {
  if (text.length > MAX_FRAME_LENGTH) return null;
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
