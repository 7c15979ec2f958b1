import type { Ctx } from "../../../shared/context.ts";
import { unseal } from "../../../shared/crypto/index.ts";
import { aapanelDriver } from "./aapanel.ts";
import type { HostDriver } from "./driver.ts";

export type * from "./driver.ts";
export { jobOutcomeOf } from "./results.ts";

/** What of a server is needed to talk to it. */
export interface ServerAccess {
  id: string;
  driver: "aapanel" | "agent";
  baseUrl: string;
  /** Null: the key of the configuration. */
  sealedKey: string | null;
  webAddress: string;
}

/** Whose sealed text a server's key is. */
export const serverOwner = (serverId: string) => `hosting-server/${serverId}`;

/** The driver of a server. Throws where its key cannot be had: that is ours to mend, and no job should go on. */
export async function driverOf(ctx: Ctx, server: ServerAccess): Promise<HostDriver> {
  if (server.driver !== "aapanel") throw new Error(`no driver ${server.driver} yet`);
  const apiKey = await keyOf(ctx, server);
  const panel = ctx.providers.aapanel({ baseUrl: server.baseUrl, apiKey });
  return aapanelDriver(panel, server.webAddress);
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
