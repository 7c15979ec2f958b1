import type { Settings } from "../settings.ts";
import { config } from "./words.ts";

/** What the pool answers by itself, without any file of the site. */
export const POOL_PING = "/nusantara-ping";
export const POOL_PONG = "nusantara-pong";

export type PhpFpm = Settings["phpFpm"][number];

export const poolFile = ({ poolDir }: PhpFpm, user: string): string =>
  `${poolDir}/nusantara-${user}.conf`;
export const poolSocket = ({ socketDir }: PhpFpm, user: string): string =>
  `${socketDir}/nusantara-${user}.sock`;

export interface PoolOwner {
  unixUser: string;
  rootPath: string;
  uid: number;
  gid: number;
}

/** Ways to start programs and to load code past PHP's own walls. */
const DISABLED =
  "exec,passthru,shell_exec,system,proc_open,popen,pcntl_exec,pcntl_fork,pcntl_signal,dl,putenv,link,symlink,posix_kill,posix_setuid,posix_setgid,posix_mkfifo";

/** The pool of one site: its own user, socket, folders and bounds. */
export function renderPool(settings: Settings, php: PhpFpm, owner: PoolOwner): string {
  const { sites } = settings;
  const tmp = `${sites.dataDir}/${owner.unixUser}/tmp`;
  return `${config`[nusantara-${owner.unixUser}]
user = ${owner.uid}
group = ${owner.gid}
listen = ${poolSocket(php, owner.unixUser)}
listen.owner = ${sites.webUser}
listen.group = ${sites.webGroup}
listen.mode = 0660
pm = ondemand
pm.max_children = 5
pm.process_idle_timeout = 30s
pm.max_requests = 500
ping.path = ${POOL_PING}
ping.response = ${POOL_PONG}
request_terminate_timeout = 130s
rlimit_core = 0
chdir = ${owner.rootPath}
security.limit_extensions = .php
env[TMPDIR] = ${tmp}
php_admin_value[open_basedir] = ${owner.rootPath}/:${tmp}/
php_admin_value[sys_temp_dir] = ${tmp}
php_admin_value[upload_tmp_dir] = ${tmp}
php_admin_value[session.save_path] = ${tmp}
php_admin_value[memory_limit] = 256M
php_admin_value[upload_max_filesize] = 64M
php_admin_value[post_max_size] = 64M
php_admin_flag[allow_url_include] = off
php_admin_flag[expose_php] = off
`}php_admin_value[disable_functions] = ${DISABLED}
`;
}

/** PHP-FPM does not run without any pool; this one has nothing to do. */
export const IDLE_POOL = "nusantara-idle";

export function renderIdlePool(settings: Settings, php: PhpFpm): string {
  return config`[${IDLE_POOL}]
user = ${settings.sites.webUser}
group = ${settings.sites.webGroup}
listen = ${php.socketDir}/${IDLE_POOL}.sock
listen.mode = 0600
pm = ondemand
pm.max_children = 1
`;
}
