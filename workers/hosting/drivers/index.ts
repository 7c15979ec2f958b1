import type { Ctx } from "../../../shared/context.ts";
import { unseal } from "../../../shared/crypto/index.ts";
import { linkOf } from "../../panel/index.ts";
import { aapanelDriver } from "./aapanel.ts";
import { agentDriver } from "./agent.ts";
import { agentLine } from "./agent-line.ts";
import { AGENT_URL } from "./agent-words.ts";
import type { HostDriver } from "./driver.ts";

export { AGENT_URL } from "./agent-words.ts";
export type * from "./driver.ts";
export { fenced } from "./fenced.ts";
export { jobOutcomeOf } from "./results.ts";

/** What of a server is needed to talk to it. */
export interface ServerAccess {
  id: string;
  driver: "aapanel" | "agent";
  baseUrl: string;
  /** Null: the key of the configuration. */
  sealedKey: string | null;
  webAddress: string;
  hasDatabases?: boolean | undefined;
}

/** Whose sealed text a server's key is. */
export const serverOwner = (serverId: string) => `hosting-server/${serverId}`;

/** The driver of a server. Throws where its key cannot be had: that is ours to mend, and no job should go on. */
export async function driverOf(ctx: Ctx, server: ServerAccess): Promise<HostDriver> {
  if (server.driver === "agent") {
    const line = agentLine(linkOf(ctx, agentOf(server.baseUrl)), () => ctx.now());
    const { hasDatabases = true } = server;
    return agentDriver(line, { email: ctx.config.ALERT_EMAIL, hasDatabases });
  }
  const apiKey = await keyOf(ctx, server);
  const panel = ctx.providers.aapanel({ baseUrl: server.baseUrl, apiKey });
  return aapanelDriver(panel, server.webAddress);
}

function agentOf(baseUrl: string): string {
  const id = AGENT_URL.exec(baseUrl)?.[1];
  if (id === undefined) throw new Error("the hosting server does not name an agent");
  return id;
}

async function keyOf(ctx: Ctx, { id, sealedKey, baseUrl }: ServerAccess): Promise<string> {
  if (sealedKey !== null) {
    const key = await unseal(ctx.config, serverOwner(id), sealedKey);
    if (key === null) throw new Error("the key of a hosting server cannot be opened");
    return key;
  }
  const { AAPANEL_URL, AAPANEL_API_KEY } = ctx.config;
  if (AAPANEL_URL !== baseUrl || AAPANEL_API_KEY === undefined) {
    throw new Error("the hosting server of the configuration is another one now");
  }
  return AAPANEL_API_KEY;
}
