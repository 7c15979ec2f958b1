import { setTimeout as sleep } from "node:timers/promises";
import type { InputOf, ResultGivenOf } from "../../shared/agent-protocol/index.ts";
import { BUILD, RELEASE_KEYS } from "../build.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import { downloadRelease } from "./download.ts";
import { lastUpdate } from "./state.ts";
import { isSupervised, type ToSupervisor, tellSupervisor } from "./supervised.ts";
import { type Trust, verifyRelease } from "./verify.ts";

/** How long the supervisor has to end this process after it was asked to. */
const SWITCH_MS = 30_000;

export interface UpdateParts {
  trust: Trust;
  tell(message: ToSupervisor, stateDir: string): void;
  isSupervised(): boolean;
  switchMs: number;
}

const parts: UpdateParts = {
  trust: { ...BUILD, keys: RELEASE_KEYS },
  tell: (message, stateDir) => tellSupervisor(stateDir, message),
  isSupervised,
  switchMs: SWITCH_MS,
};

/**
 * Brings the agent to another release. The process that begins this does not end it: the supervisor starts the new
 * version, which gets the same command again and finds itself to be what was asked for; or the old one does, because
 * the new one did not come up, and says so.
 */
export async function updateAgent(
  ctx: AgentCtx,
  { attempt, release }: InputOf<"agent.update">,
  progress: Progress,
  { trust, tell, isSupervised: supervised, switchMs }: UpdateParts = parts,
): Promise<ResultGivenOf<"agent.update">> {
  const facts = verifyRelease(release, trust);
  const last = lastUpdate(ctx.settings.stateDir);
  const before = last?.attempt === attempt ? last : null;
  if (facts.version === trust.version) {
    await ctx.root("adopt-release", { release });
    progress(100, [`${facts.version} runs`]);
    return { version: facts.version, commit: facts.commit, from: before?.from ?? facts.version };
  }
  if (before) {
    throw new CommandError(
      "tool_failed",
      `${facts.version} was given up: ${before.reason}; ${trust.version} runs again`,
    );
  }
  if (ctx.dryRun) throw new CommandError("unavailable", "a dry run installs nothing");
  if (!supervised()) {
    throw new CommandError("unavailable", "this agent has no supervisor, so it cannot be updated");
  }
  progress(10, [`${facts.version} is signed`]);
  await downloadRelease(ctx, facts);
  progress(50, ["the file is the one that was signed"]);
  await ctx.root("install-release", { release });
  progress(80, [`${facts.version} is installed beside ${trust.version}; starting it`]);
  tell({ t: "switch", version: facts.version, attempt }, ctx.settings.stateDir);
  await sleep(switchMs, undefined, { signal: ctx.signal }).catch(() => undefined);
  throw new CommandError("unavailable", "the supervisor did not start the new version");
}
