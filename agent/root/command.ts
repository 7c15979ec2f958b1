import { once } from "node:events";
import { closeSync, constants, mkdirSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { CommandError } from "../command-error.ts";
import { asCommandError } from "../paths.ts";
import { startProgram } from "../programs.ts";
import { readSettings, SETTINGS_FILE, type Settings } from "../settings.ts";
import { type RootCtx, rootCtx } from "./root-ctx.ts";
import { verbOf } from "./verbs.ts";

const MOST_REQUEST_BYTES = 1024 * 1024;

const request = z.strictObject({ verb: z.string().max(64), input: z.unknown() });

export const rootOutcome = z.discriminatedUnion("ok", [
  z.strictObject({ ok: z.literal(true), value: z.unknown(), done: z.array(z.string()) }),
  z.strictObject({
    ok: z.literal(false),
    error: z.strictObject({ code: z.string(), message: z.string(), retryable: z.boolean() }),
  }),
]);
export type RootOutcome = z.output<typeof rootOutcome>;

/**
 * `nusantarad root`: the privileged half. Reads one verb as JSON from standard input, does it, writes one answer. sudo
 * lets the agent's user start exactly this and without arguments (sudoers.ts), so the settings are the machine's own.
 */
export async function rootCommand(args: string[]): Promise<void> {
  const [option, file = ""] = args;
  if (args.length > 0 && (args.length !== 2 || option !== "--settings")) {
    throw new Error("nusantarad root [--settings FILE], one verb on standard input");
  }
  // The agent's own is stricter than what others are to read.
  process.umask(0o022);
  const settings = trustedSettings(args.length === 0 ? SETTINGS_FILE : file);
  const outcome = await answer(settings, await readRequest());
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

/** What root goes by, nobody else may be able to write. */
function trustedSettings(file: string): Settings {
  const { uid, mode } = statSync(file);
  if (uid !== 0 || (mode & 0o022) !== 0) throw new Error(`${file} must be root's alone`);
  return readSettings(file);
}

async function readRequest(): Promise<unknown> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MOST_REQUEST_BYTES) return null;
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch {
    return null;
  }
}

async function answer(settings: Settings, given: unknown): Promise<RootOutcome> {
  const parsed = request.safeParse(given);
  if (!parsed.success) return failed(new CommandError("invalid", "that is not a verb"));
  const { verb, input } = parsed.data;
  return await act(rootCtx(settings), verb, input, { ownProcess: true });
}

/** Does a verb in this process. `ownProcess`: nothing else happens in it, so it may give up its rights for good. */
export async function act(
  root: RootCtx,
  name: string,
  given: unknown,
  { ownProcess }: { ownProcess: boolean },
): Promise<RootOutcome> {
  let unlock = () => {};
  try {
    const { verb, input } = verbOf(name, given);
    if (verb.alone) unlock = await lock(root.settings);
    if (verb.user) {
      if (!ownProcess) throw new Error("this verb needs a process of its own");
      become(verb.user(root, input));
    }
    return { ok: true, value: await verb.run(root, input), done: root.done };
  } catch (error) {
    return failed(asCommandError(error));
  } finally {
    unlock();
  }
}

function become({ uid, gid }: { uid: number; gid: number }): void {
  if (uid < 1 || gid < 1) throw new Error("not a site's user");
  process.umask(0o022);
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

function failed(error: unknown): RootOutcome {
  if (error instanceof CommandError) {
    const { code, message, retryable } = error;
    return { ok: false, error: { code, message, retryable } };
  }
  // Where it broke, for us; what it was about may be secret.
  const where = error instanceof Error ? (error.stack ?? "").split("\n").slice(1, 4).join(" ") : "";
  console.error(`nusantarad root: ${error instanceof Error ? error.name : "error"} ${where}`);
  const message = "the server's part of the command failed unexpectedly";
  return { ok: false, error: { code: "tool_failed", message, retryable: true } };
}

const LOCK_FD = 3;
const LOCK_SECONDS = "120";

/** The kernel's lock, which ends with this process however that ends; flock(1) takes it for an open file. */
async function lock({ sites }: Settings): Promise<() => void> {
  mkdirSync(sites.dataDir, { recursive: true, mode: 0o755 });
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = openSync(join(sites.dataDir, ".lock"), flags, 0o600);
  try {
    const args = ["-x", "-w", LOCK_SECONDS, String(LOCK_FD)];
    const child = startProgram("flock", args, { stdio: ["ignore", "ignore", "ignore", fd] });
    const [code] = await once(child, "exit");
    if (code !== 0) {
      const words = "another command is changing sites";
      throw new CommandError("unavailable", words, { retryable: true });
    }
    return () => closeSync(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
