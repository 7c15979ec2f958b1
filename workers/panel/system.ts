import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { notFound } from "../../shared/http/errors.ts";

const Facts = z.object({
  facts: z.object({ goos: z.string(), osId: z.string(), osVersion: z.string() }).nullable(),
});

/** The oldest release of each system that the agent is made for and tested on. */
const OLDEST: Record<string, [number, number]> = { ubuntu: [22, 4], debian: [12, 0] };

/** What the contract tells anybody about the server that is asked about, else about the default one. */
export async function readCompatibility(ctx: Ctx, server: string | null) {
  const [found] = await ctx.db.run(
    rows(
      server === null
        ? sql`select facts from panel_servers where is_default`
        : sql`select facts from panel_servers where id = ${server}`,
      Facts,
    ),
  );
  if (!found && server !== null) throw notFound("server not found");
  const { goos = "", osId = "", osVersion = "" } = found?.facts ?? {};
  return {
    target_os: "ubuntu 22.04+",
    single_server_only: true,
    native_on_server: true,
    compatibility_info: {
      goos,
      id: osId.toLowerCase(),
      version_id: osVersion.toLowerCase(),
      supported: isSupported(goos, osId.toLowerCase(), osVersion),
    },
  };
}

function isSupported(goos: string, id: string, version: string): boolean {
  const oldest = Object.hasOwn(OLDEST, id) ? OLDEST[id] : undefined;
  if (goos !== "linux" || !oldest) return false;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}
