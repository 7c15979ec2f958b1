import { sql } from "drizzle-orm";
import { z } from "zod";
import { audited } from "../../../shared/audit/audit.ts";
import type { Config } from "../../../shared/config/config.ts";
import type { Ctx } from "../../../shared/context.ts";
import { seal } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { sitesRootOf } from "../../panel/index.ts";
import { AGENT_URL, driverOf, serverOwner } from "../drivers/index.ts";

const AGENT_SCHEME = "agent:";

/** The server of the configuration as a row; its key stays there. */
export function ownServer(config: Config): Record<string, unknown> | null {
  const { AAPANEL_URL, AAPANEL_WEB_ADDRESS, AAPANEL_FTP_HOST, AAPANEL_PHP_VERSION } = config;
  if (AAPANEL_URL === undefined) return null;
  const { hostname } = new URL(AAPANEL_URL);
  return {
    base_url: AAPANEL_URL,
    web_address: AAPANEL_WEB_ADDRESS ?? hostname,
    ftp_host: AAPANEL_FTP_HOST ?? hostname,
    sites_path: config.AAPANEL_SITES_PATH,
    php_version: AAPANEL_PHP_VERSION === "00" ? null : AAPANEL_PHP_VERSION,
    capacity: config.AAPANEL_CAPACITY,
  };
}

export interface AddServerInput {
  name: string;
  baseUrl: string;
  apiKey?: string | undefined;
  webAddress?: string | undefined;
  ftpHost?: string | undefined;
  sitesPath?: string | undefined;
  phpVersion: string | null;
  hasDatabases: boolean;
  capacity: number;
}

/** A name that no panel has a site of: asking for it tells whether the panel admits us. */
const NOBODY = "lumbung-check.invalid";

/** Adds a server that customers' sites may be put on, after it has answered a question. */
export async function addServer(ctx: Ctx, input: AddServerInput): Promise<ServerView> {
  // Nobody whose sign-in has ended makes us call an address of his choice.
  await ctx.db.passGate();
  const id = uuidv7(ctx.now());
  const access = await accessOf(ctx, id, input);
  const { driver: kind, baseUrl, sealedKey, webAddress, ftpHost, sitesPath } = access;
  const driver = await driverOf(ctx, access);
  const answer = await driver.findSite(NOBODY);
  if (answer.state !== "done") {
    throw new AppError("invalid_input", `The panel does not take us: ${answer.detail}`);
  }
  const [[added]] = await ctx.db.batch(
    [
      rows(
        sql`insert into hosting_servers (id, name, driver, base_url, sealed_key, web_address, ftp_host, sites_path,
            php_version, has_databases, capacity)
          values (${id}, ${input.name}, ${kind}, ${baseUrl}, ${sealedKey}, ${webAddress}, ${ftpHost},
            ${sitesPath}, ${input.phpVersion}, ${input.hasDatabases}, ${input.capacity})
          returning ${SHOWN}`,
        serverView,
      ),
      audited(ctx, {
        action: "hosting.server.add",
        subject: { kind: "hosting_server", id },
        after: { base_url: baseUrl, capacity: input.capacity },
      }),
    ] as const,
    {
      hosting_servers_base_url_key: () =>
        new AppError("conflict", "This panel is a server already"),
    },
  );
  if (!added) throw new Error("no server was added");
  return added;
}

/** How a server is reached: an aaPanel with its key, or one of the panel's servers through its agent. */
async function accessOf(ctx: Ctx, id: string, input: AddServerInput) {
  const { apiKey, webAddress, ftpHost, hasDatabases } = input;
  if (AGENT_URL.test(input.baseUrl)) {
    if (webAddress === undefined) {
      throw new AppError("invalid_input", "webAddress is needed for a server with an agent");
    }
    const [host = ""] = webAddress.split(":");
    const { baseUrl } = input;
    const root = await sitesRootOf(ctx, baseUrl.slice(AGENT_SCHEME.length));
    const { sitesPath = root } = input;
    // Its agent makes no site elsewhere.
    if (sitesPath !== root && !sitesPath.startsWith(`${root}/`)) {
      throw new AppError("invalid_input", `sitesPath must be ${root}, or below it`);
    }
    const reached = { webAddress, ftpHost: ftpHost ?? host, sitesPath, hasDatabases };
    return { id, driver: "agent" as const, baseUrl, sealedKey: null, ...reached };
  }
  if (apiKey === undefined) throw new AppError("invalid_input", "apiKey is needed for an aaPanel");
  const baseUrl = input.baseUrl.replace(/\/+$/, "");
  const { hostname } = new URL(baseUrl);
  const sealedKey = await seal(ctx.config, serverOwner(id), apiKey);
  const { sitesPath = "/www/wwwroot" } = input;
  const reached = { webAddress: webAddress ?? hostname, ftpHost: ftpHost ?? hostname, sitesPath };
  return { id, driver: "aapanel" as const, baseUrl, sealedKey, ...reached, hasDatabases };
}

const SHOWN = sql.raw(
  "id, name, driver, base_url, web_address, ftp_host, php_version, has_databases, capacity, sites, is_active",
);

const serverView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    driver: z.string(),
    base_url: z.string(),
    web_address: z.string(),
    ftp_host: z.string(),
    php_version: z.string().nullable(),
    has_databases: z.boolean(),
    capacity: z.number(),
    sites: z.number(),
    is_active: z.boolean(),
  })
  .transform((row) => ({
    id: row.id,
    name: row.name,
    driver: row.driver,
    baseUrl: row.base_url,
    webAddress: row.web_address,
    ftpHost: row.ftp_host,
    phpVersion: row.php_version,
    hasDatabases: row.has_databases,
    capacity: row.capacity,
    sites: row.sites,
    isActive: row.is_active,
  }));

export type ServerView = z.output<typeof serverView>;

export async function listServers(ctx: Ctx): Promise<ServerView[]> {
  return await ctx.db.run(rows(sql`select ${SHOWN} from hosting_servers order by id`, serverView));
}
