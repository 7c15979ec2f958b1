import { z } from "zod";
import { signedRelease } from "../../shared/agent-protocol/index.ts";
import { BUILD, RELEASE_KEYS } from "../build.ts";
import { CommandError } from "../command-error.ts";
import type { RootCtx } from "../root/root-ctx.ts";
import { adoptRelease, installRelease } from "./install-release.ts";

const CHECK_MS = 10_000;

export const installReleaseInput = z.strictObject({ release: signedRelease });
export const adoptReleaseInput = installReleaseInput;

/** Puts a staged release into root's folder, if a built-in key signed it. */
export async function installReleaseVerb(
  { settings }: RootCtx,
  { release }: z.output<typeof installReleaseInput>,
) {
  const { version, commit } = await installRelease(settings, release, {
    ...BUILD,
    keys: RELEASE_KEYS,
  });
  return { version, commit };
}

/** Makes an installed release the privileged half, if a built-in key signed it and it is no older than this one. */
export async function adoptReleaseVerb(
  { settings, run }: RootCtx,
  { release }: z.output<typeof adoptReleaseInput>,
) {
  const trust = { ...BUILD, keys: RELEASE_KEYS };
  const { version } = await adoptRelease(settings, release, trust, async (file) => {
    const { code, stdout } = await run("node", [file, "version"], { timeoutMs: CHECK_MS });
    if (code !== 0) throw new CommandError("tool_failed", "the release does not run here");
    return stdout.trim().split(" ")[0] ?? "";
  });
  return { version };
}

/** The verbs of this area, for the closed list of the privileged half. */
export const releaseVerbs = {
  "install-release": { input: installReleaseInput, run: installReleaseVerb },
  "adopt-release": { input: adoptReleaseInput, run: adoptReleaseVerb },
} as const;
