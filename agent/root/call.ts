import { ERROR_CODES } from "../../shared/agent-protocol/frames.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { runProgram } from "../programs.ts";
import type { Settings } from "../settings.ts";
import { act, type RootOutcome, rootOutcome } from "./command.ts";
import { rootCtx } from "./root-ctx.ts";
import { verbOf } from "./verbs.ts";

/** Where installed: the one program that the sudo list names. */
export const INSTALLED = "/usr/local/bin/nusantarad";
const VERB_TIMEOUT_MS = 30 * 60_000;

export interface RootCallerOptions {
  /**
   * `sudo`: this process has no rights. `child`: it is root itself. `inline` (tests): as `child`, but what needs no
   * process of its own is done in this one.
   */
  mode: "sudo" | "child" | "inline";
  /** For `child`: the file that is run with `root`, and its settings. */
  entry?: string;
  settingsFile?: string;
  onStep?: (name: string) => void;
  /** Told what a verb has done, a line each. */
  onDone?: (lines: string[]) => void;
}

/** The agent's way to its privileged half. A verb that is not on the list, or says something else, starts nothing. */
export function rootCaller(settings: Settings, options: RootCallerOptions): AgentCtx["root"] {
  return async (name, given) => {
    const { verb } = verbOf(name, given);
    const isInline = options.mode === "inline" && !verb.user;
    const outcome = isInline
      ? await act(rootCtx(settings, options.onStep), name, given, { ownProcess: false })
      : await callChild(name, given, options);
    if (outcome.ok) {
      options.onDone?.(outcome.done);
      return outcome.value;
    }
    const { code, message, retryable } = outcome.error;
    throw new CommandError(ERROR_CODES.find((one) => one === code) ?? "tool_failed", message, {
      retryable,
    });
  };
}

async function callChild(
  verb: string,
  input: unknown,
  { mode, entry = process.argv[1] ?? "", settingsFile }: RootCallerOptions,
): Promise<RootOutcome> {
  const [program, args] =
    mode === "sudo"
      ? ["sudo", ["-n", INSTALLED, "root"]]
      : ["node", [entry, "root", ...(settingsFile ? ["--settings", settingsFile] : [])]];
  const { code, stdout } = await runProgram(program, args, {
    stdin: JSON.stringify({ verb, input }),
    timeoutMs: VERB_TIMEOUT_MS,
  });
  try {
    return rootOutcome.parse(JSON.parse(stdout));
  } catch (cause) {
    const words = `the privileged half ended with ${code} and no answer`;
    throw new CommandError("unavailable", words, { retryable: true, cause });
  }
}
