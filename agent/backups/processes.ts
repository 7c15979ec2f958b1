import type { ChildProcess, StdioOptions } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { startProgram } from "../programs.ts";

const MOST_STDERR = 16 * 1024;
/** We read what they say. */
const ENGLISH = { LC_ALL: "C", LANG: "C" };

export type ProgramName =
  | "tar"
  | "zstd"
  | "age"
  | "age-keygen"
  | "mariadb"
  | "mariadb-dump"
  | "node";

export interface StageOptions {
  /** `pipe`: the caller writes. A stream of another stage is handed over, so its bytes never pass through here. */
  stdin?: "pipe" | "none" | Readable;
  /** An open file that takes the output. */
  stdout?: number;
  /** Exit codes that are no failure. */
  allowed?: readonly number[];
}

/** One program of a pipeline, killed when the command is cancelled. None of them starts another. */
export class Stage {
  readonly program: string;
  readonly #child: ChildProcess;
  readonly #exit: Promise<number>;
  readonly #allowed: readonly number[];
  readonly #release: () => void;
  #stderr = "";

  constructor(
    ctx: Pick<AgentCtx, "signal">,
    program: ProgramName,
    args: string[],
    given: StageOptions = {},
  ) {
    const { stdin = "none", stdout = "pipe", allowed = [0] } = given;
    this.program = program;
    this.#allowed = allowed;
    const input = stdin === "none" ? "ignore" : stdin;
    const stdio: StdioOptions = [input, stdout, "pipe"];
    this.#child = startProgram(program, args, { stdio, env: ENGLISH, session: "ours" });
    // Ours would keep the pipe open after its reader has died.
    if (typeof stdin === "object") stdin.destroy();
    this.#child.stdin?.on("error", () => undefined);
    // Node pours away what nobody reads when a program has ended; a reader may come a moment later.
    this.#child.stdout?.on("readable", () => undefined);
    this.#child.stderr?.setEncoding("latin1").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MOST_STDERR);
    });
    this.#exit = new Promise((resolve) => {
      this.#child.once("error", () => resolve(-1));
      this.#child.once("exit", (code) => resolve(code ?? -1));
    });
    const stop = () => this.kill();
    ctx.signal.addEventListener("abort", stop);
    this.#release = () => ctx.signal.removeEventListener("abort", stop);
    void this.#exit.then(this.#release);
    if (ctx.signal.aborted) this.kill();
  }

  get stdout(): Readable {
    if (!this.#child.stdout) throw new Error(`${this.program} has no output`);
    return this.#child.stdout;
  }

  get stdin(): Writable {
    if (!this.#child.stdin) throw new Error(`${this.program} has no input`);
    return this.#child.stdin;
  }

  /** What it said last; for us to judge, never to be shown. */
  get said(): string {
    return this.#stderr;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Writes one chunk, no faster than it is read. */
  async write(chunk: Uint8Array): Promise<void> {
    const { stdin } = this;
    if (stdin.destroyed || stdin.errored) throw await this.failure();
    if (!stdin.write(chunk)) await drained(stdin);
  }

  /** Ends its input. */
  end(): void {
    this.stdin.end();
  }

  /** Waits for its end; an exit that is not allowed is a failure in our words. */
  async ended(): Promise<number> {
    const code = await this.#exit;
    if (!this.#allowed.includes(code)) throw await this.failure();
    return code;
  }

  async failure(): Promise<CommandError> {
    const code = await this.#exit;
    if (/No space left on device|Disk quota exceeded|disk is full/i.test(this.#stderr)) {
      return new CommandError("disk_full", "the disk is full");
    }
    if (
      /(?:ERROR|error:?) (?:2002|2006|2013|1927|1053)\b|Lost connection to server/i.test(
        this.#stderr,
      )
    ) {
      return new CommandError("unavailable", "the database cannot be reached", { retryable: true });
    }
    return new CommandError("tool_failed", `${this.program} failed (exit ${code})`);
  }
}

/** Until there is room again, or nobody who reads. */
async function drained(stream: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.once("drain", done).once("close", done);
  });
}

/**
 * Runs `work` with stages that end with it: whatever happens, none is left behind. What the command's end (cancelled,
 * past its deadline) did to a program is told as such.
 */
export async function withStages<T>(
  ctx: Pick<AgentCtx, "signal">,
  work: (start: StartStage) => Promise<T>,
): Promise<T> {
  const stages: Stage[] = [];
  const start: StartStage = (program, args, options) => {
    const stage = new Stage(ctx, program, args, options);
    stages.push(stage);
    return stage;
  };
  try {
    return await work(start);
  } catch (error) {
    if (ctx.signal.aborted) throw new CommandError("cancelled", "stopped before its end");
    throw error;
  } finally {
    for (const stage of stages) stage.kill();
  }
}

export type StartStage = (program: ProgramName, args: string[], options?: StageOptions) => Stage;
