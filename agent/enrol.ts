import { chownSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { BUILD } from "./build.ts";
import { enrolmentToken, tokenOptions } from "./enrolment-token.ts";
import { makeKey } from "./link/key.ts";
import { readFacts } from "./monitor/index.ts";
import { SETTINGS_FILE, type Settings, settingsSchema } from "./settings.ts";
import { settingsIn, writeSettings, writeWhole } from "./settings-file.ts";

const ENROL_TIMEOUT_MS = 30_000;
const answer = z.object({ serverId: z.string(), serverName: z.string() });

/**
 * `nusantarad enrol --url URL [--token-file FILE] [--settings FILE]`, the token on standard input: makes this server's
 * key, trades the token for its right to speak for the server, and writes both where `nusantarad run` finds them. The key
 * never leaves the machine.
 */
export async function enrolCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      ...tokenOptions,
      url: { type: "string" },
      settings: { type: "string", default: SETTINGS_FILE },
    },
  });
  const { url, settings: file } = values;
  if (!url) throw new Error("--url is needed");
  const token = await enrolmentToken(values);
  const { serverId, serverName, settings } = await enrol({ url, token, file });
  handToAgent(settings.keyFile);
  console.log(`This server is now "${serverName}" (${serverId}).`);
  if (file === SETTINGS_FILE) console.log("The agent takes it up by: systemctl restart nusantarad");
}

/** Root's new key is of no use to an agent that runs as its own user. */
function handToAgent(keyFile: string): void {
  if (process.getuid?.() !== 0) return;
  const entry = /^nusantarad:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"));
  if (entry) chownSync(keyFile, Number(entry[1]), Number(entry[2]));
}

export interface EnrolInput {
  url: string;
  token: string;
  /** Where the settings are; the key's place is in them. */
  file: string;
  /** A folder in place of the machine's root: the key is written below it. */
  root?: string;
}

/** Enrols and writes key and settings; what is there of other settings stays. */
export async function enrol({ url, token, file, root = "/" }: EnrolInput) {
  const edge = safeUrl(url);
  const given = { ...settingsIn(file), url: edge };
  const draft = settingsSchema.parse({ ...given, serverId: "-" });
  const { key, pem } = makeKey();
  const response = await fetch(new URL("/v1/agent/enrol", edge), {
    method: "POST",
    redirect: "error",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ token, publicKey: key.publicKey, agentVersion: BUILD.version },
      facts: await readFacts(draft),
    }),
    signal: AbortSignal.timeout(ENROL_TIMEOUT_MS),
  });
  if (!response.ok)
    throw new Error(`the panel refused (${response.status}): ${await said(response)}`);
  const { serverId, serverName } = answer.parse(await response.json());
  writeWhole(join(root, draft.keyFile), pem, 0o600);
  const settings = { ...given, serverId };
  writeSettings(file, settings);
  return { serverId, serverName, settings: settingsSchema.parse(settings) satisfies Settings };
}

/** Over the open network only by TLS: the token and every command would be anybody's. */
function safeUrl(text: string): string {
  const url = new URL(text);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLocal)) {
    throw new Error("the panel's address must begin with https://");
  }
  return url.origin;
}

async function said(response: Response): Promise<string> {
  const body = z.object({ error: z.string() }).safeParse(await response.json().catch(() => null));
  return body.success ? body.data.error.slice(0, 200) : "no reason given";
}
