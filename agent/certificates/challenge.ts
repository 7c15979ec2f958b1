import { chmod, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";

interface Challenge {
  token: string;
  text: string;
}

const PATH = "/.well-known/acme-challenge/";
/** A token, or the draft of one. */
const CHALLENGE = /^\.?[A-Za-z0-9_-]{20,}$/;
const TIMEOUT_MS = 3_000;
const TRIES = 3;

/**
 * Puts the file where every site's vhost shows it, and looks by itself first: were the web server stopped or its
 * configuration broken, the authority's look would fail as well, and failures are counted there.
 */
export async function placeChallenge(
  ctx: AgentCtx,
  name: string,
  { token, text }: Challenge,
): Promise<void> {
  const { challengeDir } = ctx.settings.certificates;
  await mkdir(challengeDir, { recursive: true, mode: 0o755 });
  await chmod(challengeDir, 0o755);
  const draft = join(challengeDir, `.${token}`);
  await writeFile(draft, text, { mode: 0o644 });
  await chmod(draft, 0o644);
  await rename(draft, join(challengeDir, token));
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    if ((await seen(ctx, name, token)) === text) return;
    await after(100 * attempt);
  }
  await removeChallenge(ctx, { token });
  throw new CommandError(
    "broken_config",
    `the web server does not show the authority's challenge for ${name}`,
  );
}

export async function removeChallenge(
  ctx: AgentCtx,
  { token }: Pick<Challenge, "token">,
): Promise<void> {
  await rm(join(ctx.settings.certificates.challengeDir, token), { force: true });
}

/** What runs that were killed have left. Only one asks an authority at a time, and has not begun yet. */
export async function sweepChallenges(ctx: AgentCtx): Promise<void> {
  const { challengeDir } = ctx.settings.certificates;
  for (const name of await readdir(challengeDir).catch(() => [])) {
    if (CHALLENGE.test(name)) await rm(join(challengeDir, name), { force: true });
  }
}

/** What this very server answers for the name, whatever DNS says; null for no answer of 200. */
function seen({ settings, signal }: AgentCtx, name: string, token: string): Promise<string | null> {
  const { listen, httpPort } = settings.nginx;
  const host = listen === "0.0.0.0" ? "127.0.0.1" : listen;
  return new Promise((resolve) => {
    const headers = { host: name, connection: "close" };
    const options = {
      host,
      port: httpPort,
      path: PATH + token,
      headers,
      signal,
      timeout: TIMEOUT_MS,
    };
    const asked = request(options, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        if (body.length < 1_000) body += chunk;
      });
      response.on("error", () => resolve(null));
      response.on("end", () => resolve(response.statusCode === 200 ? body : null));
    });
    asked.on("error", () => resolve(null));
    asked.on("timeout", () => asked.destroy());
    asked.end();
  });
}
