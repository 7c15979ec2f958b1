import type { AgentError } from "../../../shared/agent-protocol/index.ts";

/** A command on its way to a server. `id` is the job's uuid; of one subject a lower `seq` goes first. */
export interface Submission {
  id: string;
  seq: number;
  subject: string;
  type: string;
  input: unknown;
  deadlineAt: Date;
}

/**
 * Where a command is: waiting here, sent to the agent, or ended. `cancelled` and `expired` ended before the agent was
 * given it, or (`expired`) without its answer.
 */
export interface CommandView {
  state: "queued" | "sent" | "done" | "failed" | "cancelled" | "expired";
  percent: number;
  value?: unknown;
  error?: AgentError;
}

/** What came of a question. `refused`: the agent answered that it could not. */
export type Answer<T> =
  | { state: "answered"; value: T }
  | { state: "refused"; error: AgentError }
  | { state: "offline" }
  | { state: "timeout" };

export interface LinkStatus {
  connected: boolean;
  connectedAt: string | null;
  agentVersion: string | null;
  /** The last sign of life: a frame, or a heartbeat that the platform answered. */
  seenAt: string | null;
  /** Commands that have not ended. */
  waiting: number;
}

/** Inputs and results cross between isolates as JSON text: their shapes are the catalogue's, not the platform's. */
export type SubmissionWire = Omit<Submission, "input" | "deadlineAt"> & {
  inputJson: string;
  deadlineAt: number;
};
export type CommandViewWire = Omit<CommandView, "value"> & { valueJson?: string };
export type AnswerWire =
  | { state: "answered"; valueJson: string }
  | Exclude<Answer<unknown>, { state: "answered" }>;

/** Headers by which the Worker hands a verified agent to its object. */
export const LINK_HEADERS = {
  nonce: "x-link-nonce",
  address: "x-link-address",
  /** From when on the key that signed is the server's, see `KeySince`. */
  keySince: "x-link-key-since",
} as const;

/** Grows with every key of a server: what an earlier one signed is worth nothing once a later one is known. */
export type KeySince = number;

export const hasEnded = ({ state }: { state: CommandView["state"] }): boolean =>
  state !== "queued" && state !== "sent";
