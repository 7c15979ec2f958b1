import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import {
  BACKUP_PART_BYTES,
  MAX_MANIFEST_BYTES,
  MAX_STATE_BYTES,
  uploadBegin,
  uploadVerified,
} from "../../../shared/agent-protocol/backups.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { panelInputError } from "../api.ts";
import type { BackupId } from "../backups/objects.ts";
import { proveState, renderState, restoreState } from "../backups/state.ts";
import {
  beginUpload,
  completeUpload,
  readObject,
  storeManifest,
  storePart,
  verifyUpload,
} from "../backups/store.ts";
import { type AgentCallEnv, agentCall } from "../link/agent-call.ts";

/**
 * An agent's own calls about its server's backups (docs/agent-protocol.md): signed with its key, body included. Whose
 * backups it reaches, its signature says. Not in the API's document: nobody else can make these calls.
 */
export const agentBackupRoutes = new Hono<AgentCallEnv>();

const BASE = "/v1/agent/backups/:id";
const signed = agentCall({ body: "hash" });
/** The signature covers the body, so it is read before anybody is known: no more of it than such a call may have. */
const atMost = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new AppError("too_large", "too large");
    },
  });
const part = atMost(2 * BACKUP_PART_BYTES);
const manifest = atMost(MAX_MANIFEST_BYTES);
const rows = atMost(MAX_STATE_BYTES);

function backupOf(c: Context<AgentCallEnv>): BackupId {
  const id = z.uuid().safeParse(c.req.param("id"));
  if (!id.success) throw new AppError("not_found", "backup not found");
  return { id: id.data, serverId: c.var.agentServerId };
}

async function bodyOf<S extends z.ZodType>(
  c: Context<AgentCallEnv>,
  shape: S,
): Promise<z.output<S>> {
  const json: unknown = await c.req.json().catch(() => {
    throw new AppError("invalid_json", "");
  });
  const parsed = shape.safeParse(json);
  if (!parsed.success) throw panelInputError(parsed.error);
  return parsed.data;
}

agentBackupRoutes.get(
  `${BASE}/state`,
  signed,
  async (c) => await renderState(c.var.ctx, backupOf(c)),
);

agentBackupRoutes.post(`${BASE}/upload`, signed, async (c) => {
  const wanted = await bodyOf(c, uploadBegin);
  return c.json(await beginUpload(c.var.ctx, backupOf(c), wanted));
});

agentBackupRoutes.put(`${BASE}/parts/:n`, part, signed, async (c) => {
  const n = Number(c.req.param("n"));
  if (!Number.isSafeInteger(n)) throw new AppError("invalid_input", "invalid part");
  await storePart(c.var.ctx, backupOf(c), { n, body: await c.req.arrayBuffer() });
  return c.json({});
});

agentBackupRoutes.put(`${BASE}/manifest`, manifest, signed, async (c) => {
  await storeManifest(c.var.ctx, backupOf(c), await c.req.arrayBuffer());
  return c.json({});
});

agentBackupRoutes.post(`${BASE}/complete`, signed, async (c) => {
  await completeUpload(c.var.ctx, backupOf(c));
  return c.json({});
});

agentBackupRoutes.post(`${BASE}/verified`, signed, async (c) => {
  const { sha256 } = await bodyOf(c, uploadVerified);
  await verifyUpload(c.var.ctx, backupOf(c), sha256);
  return c.json({});
});

agentBackupRoutes.get(`${BASE}/object`, signed, async (c) => {
  const range = c.req.header("range");
  return await readObject(c.var.ctx, backupOf(c), { what: "archive", range });
});

agentBackupRoutes.get(`${BASE}/manifest`, signed, async (c) => {
  return await readObject(c.var.ctx, backupOf(c), { what: "manifest", range: undefined });
});

agentBackupRoutes.post(`${BASE}/prove`, rows, signed, async (c) =>
  c.json(await proveState(c.var.ctx, backupOf(c), await c.req.arrayBuffer())),
);

agentBackupRoutes.post(`${BASE}/restore`, rows, signed, async (c) => {
  const restoreId = z.uuid().safeParse(c.req.query("restore"));
  if (!restoreId.success) throw new AppError("not_found", "restore not found");
  const given = { body: await c.req.arrayBuffer(), restoreId: restoreId.data };
  return c.json(await restoreState(c.var.ctx, backupOf(c), given));
});
