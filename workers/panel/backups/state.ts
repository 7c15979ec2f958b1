import { z } from "zod";
import { MAX_STATE_BYTES, STATE_HEADERS } from "../../../shared/agent-protocol/backups.ts";
import type { Ctx } from "../../../shared/context.ts";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import type { BackupId } from "./objects.ts";
import { signState } from "./signature.ts";

const Rendered = z.object({
  schema: z.number(),
  counts: z.record(z.string(), z.number()),
  text: z.string(),
  sha256: z.string(),
  name: z.string(),
  created_at: z.coerce.date(),
});

/** The panel's rows of this moment, for a backup that its server's agent makes. */
export async function renderState(ctx: Ctx, { id, serverId }: BackupId): Promise<Response> {
  const input = { id, server_id: serverId };
  const { schema, counts, text, sha256, name, created_at } = await ctx.db.run(
    call("panel_state_render", input, Rendered),
  );
  const signature = await signState(ctx, { id, serverId, name, createdAt: created_at, sha256 });
  if (text.length > MAX_STATE_BYTES)
    throw new AppError("too_large", "the panel's state is too large");
  return new Response(text, {
    headers: {
      "content-type": "application/json; charset=utf-8",
      [STATE_HEADERS.schema]: String(schema),
      [STATE_HEADERS.counts]: JSON.stringify(counts),
      [STATE_HEADERS.sha256]: sha256,
      [STATE_HEADERS.signature]: signature,
    },
  });
}

const Counts = z.object({ counts: z.record(z.string(), z.number()) });
export type StateCounts = z.output<typeof Counts>;

/** Whether the rows of a backup can be put back: tried in a scratch place, and compared. */
export async function proveState(
  ctx: Ctx,
  backup: BackupId,
  body: ArrayBuffer,
): Promise<StateCounts> {
  return await ctx.db.run(call("panel_state_prove", await inputOf(backup, body), Counts));
}

/** Puts the rows of a backup back, all or none, once for each restore that was asked for. */
export async function restoreState(
  ctx: Ctx,
  backup: BackupId,
  { body, restoreId }: { body: ArrayBuffer; restoreId: string },
): Promise<StateCounts> {
  const input = { ...(await inputOf(backup, body)), restore_id: restoreId };
  return await ctx.db.run(call("panel_state_restore", input, Counts));
}

/** The digest is of what came, to the byte: Postgres holds it against the one it kept when it rendered the rows. */
async function inputOf({ id, serverId }: BackupId, body: ArrayBuffer) {
  const bytes = new Uint8Array(body);
  return { id, server_id: serverId, sha256: await sha256Hex(bytes), state: stateOf(bytes) };
}

function stateOf(bytes: Uint8Array): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    throw new AppError("invalid_input", "that is no state of the panel");
  }
}
