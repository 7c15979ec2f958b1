import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { storeFile } from "./folder.ts";
import { withStages } from "./processes.ts";

/** Public keys of age: its own, and those of its plugins for hardware keys are not taken. */
const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;
const IDENTITY = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/m;

export interface BackupKeys {
  /** Who can open an archive: the operator anywhere, this server to prove it. */
  recipients(): Promise<string[]>;
  identityFile: string;
  /** Of the manifest, under a key that only this server has. */
  mac(text: string): string;
}

/**
 * The server's own identity is made at the first need. Without the operator's recipient there is no backup: one that
 * only this server can open is lost with it.
 */
export async function backupKeys(ctx: AgentCtx): Promise<BackupKeys> {
  const { recipient } = ctx.settings.backups;
  if (!recipient || !RECIPIENT.test(recipient)) {
    throw new CommandError("broken_config", "backups.recipient is not set to an age public key");
  }
  const identityFile = await ownIdentity(ctx);
  const secret = IDENTITY.exec(await readFile(identityFile, "utf8"))?.[0];
  if (!secret) throw new CommandError("broken_config", "the server's age identity cannot be read");
  const key = Buffer.from(hkdfSync("sha256", secret, "nusantarad", "backup-manifest/v1", 32));
  const mac = (text: string) => createHmac("sha256", key).update(text).digest("hex");
  const recipients = async () => [...new Set([recipient, await publicKey(ctx, identityFile)])];
  return { recipients, identityFile, mac };
}

export const sameMac = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

async function ownIdentity(ctx: AgentCtx): Promise<string> {
  const { identityFile } = ctx.settings.backups;
  const file = identityFile ?? join(ctx.settings.stateDir, "backup-identity.txt");
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) await makeIdentity(ctx, file);
  return file;
}

/** Whole or not there: a half-written identity would make every backup unreadable here. */
async function makeIdentity(ctx: AgentCtx, file: string): Promise<void> {
  const made = await outputOf(ctx, []);
  const partial = `${file}.${process.pid}.new`;
  await storeFile(partial, file, (identity) => identity.writeFile(made));
}

async function publicKey(ctx: AgentCtx, file: string): Promise<string> {
  const own = (await outputOf(ctx, ["-y", file])).trim();
  if (!RECIPIENT.test(own))
    throw new CommandError("broken_config", "the server's age identity cannot be read");
  return own;
}

async function outputOf(ctx: AgentCtx, args: string[]): Promise<string> {
  return await withStages(ctx, async (start) => {
    const stage = start("age-keygen", args);
    let output = "";
    for await (const chunk of stage.stdout) output += chunk;
    await stage.ended();
    return output;
  });
}
