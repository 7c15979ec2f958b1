import { readFileSync } from "node:fs";
import { z } from "zod";

export const SETTINGS_FILE = "/etc/nusantarad/agent.json";

const folder = z.string().regex(/^\/[^\0\n]*$/, "an absolute path");

const nginx = z.strictObject({
  /** Where the agent writes one file a site; nginx's own configuration includes it. */
  sitesDir: folder.default("/etc/nginx/nusantara"),
  /** For `nginx -c`, when it is not the distribution's own. */
  configFile: folder.optional(),
  prefix: folder.optional(),
  pidFile: folder.default("/run/nginx.pid"),
  httpPort: z.number().int().min(1).max(65_535).default(80),
  httpsPort: z.number().int().min(1).max(65_535).default(443),
  /** Addresses to listen on; a test listens on loopback alone. */
  listen: z.string().default("0.0.0.0"),
});

const phpFpm = z.strictObject({
  version: z.string().regex(/^\d\.\d$/),
  poolDir: folder,
  socketDir: folder.default("/run/php"),
  configFile: folder.optional(),
  pidFile: folder,
});

const systemName = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/);

const sites = z.strictObject({
  /** Owned by root: logs, temporary folders, sockets and the names of kept folders. */
  dataDir: folder.default("/var/lib/nusantara-sites"),
  /** As whom the web server's workers read sites. */
  webUser: systemName.default("www-data"),
  webGroup: systemName.default("www-data"),
  unitDir: folder.default("/etc/systemd/system"),
  /** Of the sites' own accounts, apart from people and services. */
  firstUid: z.number().int().min(1_000).default(20_000),
  lastUid: z.number().int().default(59_999),
  /** A folder whose `etc` holds the accounts in place of the machine's own (tests, the demo). */
  accountsPrefix: folder.optional(),
  /** How long a changed web server may take to show the change, and a site's process to listen. */
  patienceMs: z.number().int().positive().default(10_000),
});

/** `/etc/nusantarad/agent.json`: everything that differs between two servers. Secrets are in files of their own. */
export const settingsSchema = z.strictObject({
  /** The Worker, as `https://host`; `http` on loopback alone. */
  url: z.url(),
  serverId: z.string().min(1),
  keyFile: folder.default("/etc/nusantarad/agent.key"),
  stateDir: folder.default("/var/lib/nusantarad"),
  /** Root's: the releases, and the supervisor that no update changes. */
  programDir: folder.default("/usr/local/lib/nusantarad"),
  sitesRoot: folder.default("/var/www"),
  /** `systemd`: units and `systemctl`. `direct`: signals to pid files, child processes (tests, the demo). */
  services: z.enum(["systemd", "direct"]).default("systemd"),
  nginx: nginx.prefault({}),
  phpFpm: z.array(phpFpm).default([]),
  sites: sites.prefault({}),
  mariadb: z
    .strictObject({
      socket: folder.default("/run/mysqld/mysqld.sock"),
      user: z.string().default("root"),
    })
    .prefault({}),
  backups: z
    .strictObject({
      dir: folder.default("/var/backups/nusantara-panel"),
      scratchDir: folder.default("/var/lib/nusantarad/scratch"),
      /** The operator's age recipient; what it opens is never on this server unless proving needs it. */
      recipient: z.string().optional(),
      identityFile: folder.optional(),
      /** Of the disk that holds them: never filled by a backup, a proof or a restore. */
      reserveBytes: z
        .number()
        .int()
        .nonnegative()
        .default(256 * 1024 * 1024),
    })
    .prefault({}),
  certificates: z
    .strictObject({
      dir: folder.default("/etc/nusantarad/certificates"),
      challengeDir: folder.default("/var/lib/nusantarad/challenges"),
      directoryUrl: z.url().default("https://acme-v02.api.letsencrypt.org/directory"),
      stagingUrl: z.url().default("https://acme-staging-v02.api.letsencrypt.org/directory"),
      /** A further trusted root for the directory (a test's own). */
      caFile: folder.optional(),
    })
    .prefault({}),
  /** Services whose state is watched. */
  watch: z.array(z.string()).default(["nginx", "mariadb"]),
});
export type Settings = z.output<typeof settingsSchema>;
export type SettingsGiven = z.input<typeof settingsSchema>;

/** The settings in a file; a mistake names the field, never the value. */
export function readSettings(file: string): Settings {
  const parsed = settingsSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`${file}: ${fields.join("; ")}`);
}
