import { sql } from "drizzle-orm";
import { z } from "zod";
import {
  type AgentFacts,
  callText,
  connectText,
  type SignedMoment,
} from "../../../shared/agent-protocol/index.ts";
import type { Ctx } from "../../../shared/context.ts";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type JobHandler, wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { describeError } from "../../../shared/log.ts";
import { hasSigned, readSigned, type Signed } from "./signature.ts";
import { type KeySince, LINK_HEADERS } from "./views.ts";

const Enrolled = z.union([
  z.object({
    server_id: z.string(),
    server_name: z.string(),
    key_since: z.number(),
    wake: wakeSchema,
  }),
  z.object({ refused: z.enum(["unknown", "late", "used"]), wake: wakeSchema.optional() }),
]);

export interface NewAgent {
  token: string;
  /** Raw Ed25519, base64url. */
  publicKey: string;
  agentVersion: string;
  facts: AgentFacts;
  address: string;
}

/**
 * Trades an enrolment token for a key: once, within its hour. From then on this key speaks for the server and the one
 * before it no longer does. Why a token is refused its bearer does not learn.
 */
export async function enrolAgent(ctx: Ctx, agent: NewAgent) {
  const input = {
    ...{ token_hash: await sha256Hex(agent.token), public_key: agent.publicKey },
    ...{ facts: agent.facts, agent_version: agent.agentVersion, address: agent.address },
    alert_to: ctx.config.ALERT_EMAIL,
  };
  const enrolled = await ctx.db.run(call("panel_agent_enrol", input, Enrolled));
  if ("refused" in enrolled) {
    wake(ctx, enrolled.wake ?? []);
    throw new AppError("unauthenticated", "enrolment token is not valid");
  }
  // Now, for whom the key was stolen from; where that fails the job goes on with it.
  await revoke(ctx, enrolled).catch((error: unknown) =>
    ctx.log.warn("an earlier agent is not cut off yet", describeError(error)),
  );
  wake(ctx, enrolled.wake);
  return {
    serverId: enrolled.server_id,
    serverName: enrolled.server_name,
    url: ctx.config.APP_URL,
  };
}

const Revoked = z.object({ server_id: z.string(), key_since: z.number() });

async function revoke(ctx: Ctx, given: z.output<typeof Revoked>): Promise<void> {
  await ctx.serverLinks.getByName(given.server_id).revoke(given.key_since);
}

/** Cuts off whoever is connected with a key that another has taken the place of. */
export const revokeJob: JobHandler = {
  kind: "panel.revoke",
  queue: "provisioning",
  run: async (ctx, { payload }) => {
    await revoke(ctx, Revoked.parse(payload));
    return { state: "success" };
  },
};

/** Hands an agent's socket to its server's object, once its signature is that of the server's key. */
export async function connectAgent(ctx: Ctx, request: Request, address: string): Promise<Response> {
  const { server, nonce, keySince } = await verified(ctx, request, connectText);
  const headers = {
    ...{ upgrade: "websocket", [LINK_HEADERS.nonce]: nonce, [LINK_HEADERS.address]: address },
    [LINK_HEADERS.keySince]: String(keySince),
  };
  const answer = await ctx.serverLinks.getByName(server).fetch(request.url, { headers });
  if (answer.status === 401) throw new AppError("unauthenticated", "");
  return answer;
}

/** The server whose agent makes this call. `body`: the SHA-256 of its body in hex, or `stream`. */
export async function agentOfCall(ctx: Ctx, request: Request, body: string): Promise<string> {
  const { pathname, search } = new URL(request.url);
  const what = { method: request.method, path: `${pathname}${search}`, body };
  const by = await verified(ctx, request, (moment) => callText(moment, what));
  const { server, nonce, keySince } = by;
  if (!(await ctx.serverLinks.getByName(server).takeNonce(nonce, keySince))) {
    throw new AppError("unauthenticated", "");
  }
  return server;
}

async function verified(
  ctx: Ctx,
  request: Request,
  textOf: (moment: SignedMoment) => string,
): Promise<Signed & { keySince: KeySince }> {
  const signed = readSigned(request.headers, ctx.now().getTime());
  if (!signed) throw new AppError("unauthenticated", "");
  const text = textOf({ host: new URL(request.url).host, ...signed });
  const [row] = await ctx.db.run(
    rows(
      sql`select public_key, panel_key_since(enrolled_at) as key_since from panel_servers where id = ${signed.server}`,
      z.object({ public_key: z.string().nullable(), key_since: z.number().nullable() }),
    ),
  );
  if (!row?.public_key || !(await hasSigned(row.public_key, signed.signature, text))) {
    throw new AppError("unauthenticated", "");
  }
  return { ...signed, keySince: row.key_since ?? 0 };
}
