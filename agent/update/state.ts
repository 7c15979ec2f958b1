import { join } from "node:path";
import { type AgentBuild, agentBuild } from "../../shared/agent-protocol/index.ts";
import { readJson } from "./layout.ts";

export type LastUpdate = NonNullable<AgentBuild["lastUpdate"]>;

const shape = agentBuild.shape.lastUpdate;

/** How the last update ended, as the supervisor wrote it down; null before the first. */
export function lastUpdate(stateDir: string): LastUpdate | null {
  return shape.safeParse(readJson(join(stateDir, "last-update.json"))).data ?? null;
}
