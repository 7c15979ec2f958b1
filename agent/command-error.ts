import type { AgentErrorCode } from "../shared/agent-protocol/index.ts";

/** A failure that the operator may read: `message` is our own words, never a tool's output. */
export class CommandError extends Error {
  readonly code: AgentErrorCode;
  readonly retryable: boolean;

  constructor(
    code: AgentErrorCode,
    message: string,
    { retryable = false, cause }: { retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CommandError";
    this.code = code;
    this.retryable = retryable;
  }
}
