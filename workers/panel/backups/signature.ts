import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { hmacSha256Hex, timingSafeEqual } from "../../../shared/crypto/index.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import type { BackupId } from "./objects.ts";

/** The panel's rows as they were handed out for one backup: whose, which, under which name, when, and what. */
interface SignedState extends BackupId {
  name: string;
  createdAt: Date;
  sha256: string;
}

/**
 * The panel's word that it handed out these rows for this backup of this server, under a key that no server has. A
 * server keeps it in the manifest; it is how a panel that has lost its list knows its own rows from invented ones.
 */
export async function signState(ctx: Ctx, state: SignedState): Promise<string> {
  const { id, serverId, name, createdAt, sha256 } = state;
  const words = ["panel-state-backup/v1", serverId, id, name, createdAt.toISOString(), sha256];
  return await hmacSha256Hex(ctx.config.SIGNING_KEY, words.join("\n"));
}

const Claim = z.object({
  id: z.uuid(),
  name: z.string(),
  created_at: z.coerce.date(),
  claim: z.string(),
});

/** Takes up the panel's rows that a server was found to have, as far as the panel has signed them. */
export async function knowOwnStates(ctx: Ctx, serverId: string): Promise<void> {
  const claims = await ctx.db.run(
    rows(
      sql`select b.id, b.name, b.created_at, b.state_claim as claim from panel_backups b
        where b.server_id = ${serverId} and b.kind = 'state' and b.state = 'stored' and b.state_sha256 is null
          and b.state_claim is not null`,
      Claim,
    ),
  );
  const own: { id: string; sha256: string }[] = [];
  for (const { id, name, created_at, claim } of claims) {
    const [sha256 = "", signature = ""] = claim.split(".");
    const right = await signState(ctx, { id, serverId, name, createdAt: created_at, sha256 });
    if (await timingSafeEqual(signature, right)) own.push({ id, sha256 });
  }
  if (own.length === 0) return;
  const input = { server_id: serverId, backups: own };
  await ctx.db.run(call("panel_backups_signed", input, z.unknown()));
}
