import type { Settings } from "./settings.ts";

export interface RunOptions {
  stdin?: string | Uint8Array;
  /** The whole process group is killed after this. */
  timeoutMs: number;
  /** The only environment that the program gets. */
  env?: Record<string, string>;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Fields are short facts: no input of a command, no output of a tool. */
export interface AgentLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** A call of the Worker, signed with the agent's key: `path` begins with `/`. */
export type EdgeFetch = (
  path: string,
  init?: {
    method?: string;
    headers?: Record<string, string>;
    body?: Uint8Array | ReadableStream<Uint8Array>;
    signal?: AbortSignal;
  },
) => Promise<Response>;

/** What a handler works with. It touches the machine through nothing else. */
export interface AgentCtx {
  settings: Settings;
  /** Runs one of a closed list of programs (programs.ts) without a shell. */
  run(program: string, args: string[], options: RunOptions): Promise<RunResult>;
  /** Has the privileged half do one of its closed list of verbs. */
  root(verb: string, input: unknown): Promise<unknown>;
  edge: EdgeFetch;
  log: AgentLog;
  now(): Date;
  /** Aborted when the command is cancelled or past its deadline. */
  signal: AbortSignal;
  dryRun: boolean;
}

/** Tells how far a command has come; throttled on its way, so call it freely. */
export type Progress = (percent: number, lines?: string[]) => void;
