import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { randomToken, sha256Hex } from "../../shared/crypto/index.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { AppError, notFound } from "../../shared/http/errors.ts";
import { panelAudited } from "./audit.ts";
import { removeObjects } from "./backups/objects.ts";
import { newId } from "./ids.ts";
import { type LinkStatus, linkOf } from "./link/link-client.ts";

/** How long an operator has to run the command on the server. */
const ENROLMENT_SECONDS = 3_600;

export const serverShape = z.object({
  id: z.string(),
  name: z.string(),
  is_default: z.boolean(),
  enrolled: z.boolean(),
  enrolled_at: z.string().nullable(),
  agent_version: z.string().nullable(),
  facts: z.record(z.string(), z.unknown()).nullable(),
  sites_root: z.string(),
  connected_at: z.string().nullable(),
  seen_at: z.string().nullable(),
  online: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
});
export type Server = z.output<typeof serverShape>;

export interface Enrolment {
  /** Shown this once; only its digest is kept. */
  token: string;
  expires_at: string;
  /** What the operator types on the server. */
  command: string;
}

const nameTaken = {
  panel_servers_name_key: () => new AppError("conflict", "server name already exists"),
};

const view = z.object({ server: serverShape });

/** All servers, the default one first. */
export async function listServers(ctx: Ctx): Promise<Server[]> {
  const found = await ctx.db.run(
    rows(
      sql`select panel_server_view(s) as server from panel_servers s order by s.is_default desc, s.created_at, s.id`,
      view,
    ),
  );
  return found.map(({ server }) => server);
}

/** A server, with what its link knows this moment. */
export async function getServer(ctx: Ctx, id: string): Promise<Server & { link: LinkStatus }> {
  const [found] = await ctx.db.run(
    rows(sql`select panel_server_view(s) as server from panel_servers s where s.id = ${id}`, view),
  );
  if (!found) throw notFound("server not found");
  return { ...found.server, link: await linkOf(ctx, id).status() };
}

/** The folder of a server below which its agent has all sites, as the agent last said. */
export async function sitesRootOf(ctx: Ctx, id: string): Promise<string> {
  const [found] = await ctx.db.run(
    rows(
      sql`select s.sites_root from panel_servers s where s.id = ${id}`,
      serverShape.pick({ sites_root: true }),
    ),
  );
  if (!found) throw notFound("server not found");
  return found.sites_root;
}

export async function createServer(ctx: Ctx, { name }: { name: string }) {
  const id = newId(ctx, "srv");
  const { token, opened } = await newEnrolment(ctx, id);
  const [server] = await ctx.db.batch(
    [
      call("panel_server_create", { ...opened, name }, serverShape),
      panelAudited(ctx, {
        action: "server.create",
        target: { type: "server", id },
        metadata: { name },
      }),
    ],
    nameTaken,
  );
  const until = new Date(ctx.now().getTime() + ENROLMENT_SECONDS * 1_000).toISOString();
  return { server, enrolment: shown(ctx, INSTALL, token, until) };
}

/** Another right to enrol: the agent that has the old key stays until a new one has used this. */
export async function openEnrolment(ctx: Ctx, id: string): Promise<Enrolment> {
  const { token, opened } = await newEnrolment(ctx, id);
  const [until] = await ctx.db.batch([
    call("panel_enrolment_open", opened, z.string()),
    panelAudited(ctx, { action: "server.enrolment", target: { type: "server", id } }),
  ]);
  return shown(ctx, ENROL, token, until);
}

export async function changeServer(
  ctx: Ctx,
  { id, ...changes }: { id: string; name?: string | undefined; is_default?: true | undefined },
): Promise<Server> {
  const [server] = await ctx.db.batch(
    [
      call("panel_server_change", { id, ...changes }, serverShape),
      panelAudited(ctx, {
        action: "server.change",
        target: { type: "server", id },
        metadata: changes,
      }),
    ],
    nameTaken,
  );
  return server;
}

/**
 * Forgets a server that has nothing on it; its agent's key is then nobody's. By `force` all that was on it is given up,
 * the copies in R2 too: only of one that nobody has heard of for a day. Cut off anywhere, it may be asked for again.
 */
export async function deleteServer(
  ctx: Ctx,
  { id, force }: { id: string; force: boolean },
): Promise<void> {
  if (force) await giveUp(ctx, id);
  await ctx.db.batch([
    call("panel_server_delete", { id, force }, z.unknown()),
    panelAudited(ctx, {
      action: "server.delete",
      target: { type: "server", id },
      metadata: force ? { force } : undefined,
    }),
  ]);
  await linkOf(ctx, id).drop();
}

const Copies = z.array(z.object({ id: z.uuid(), upload_id: z.string().nullable() }));

async function giveUp(ctx: Ctx, serverId: string): Promise<void> {
  const input = { id: serverId, audit: auditContext(ctx) };
  const copies = await ctx.db.run(call("panel_server_give_up", input, Copies));
  for (const { id, upload_id } of copies) await removeObjects(ctx, { id, serverId }, upload_id);
  const ids = copies.map(({ id }) => id);
  await ctx.db.run(call("panel_backups_r2_gone", { ids }, z.unknown()));
}

async function newEnrolment(ctx: Ctx, id: string) {
  const token = randomToken();
  const { userId } = actorOf(ctx);
  const opened = {
    ...{ id, user_id: userId, token_hash: await sha256Hex(token) },
    ttl_seconds: ENROLMENT_SECONDS,
  };
  return { token, opened };
}

const INSTALL = "node nusantarad.mjs install";
const ENROL = "nusantarad enrol";

const shown = (ctx: Ctx, program: string, token: string, until: string): Enrolment => ({
  token,
  expires_at: until,
  // The shell's own printf: what a program is given as an argument every user of that machine can read.
  command: `printf %s '${token}' | sudo ${program} --url ${ctx.config.APP_URL}`,
});
