import { createHash } from "node:crypto";
import { CommandError } from "../command-error.ts";
import type { Settings } from "../settings.ts";
import { POOL_PING, poolSocket } from "./pool.ts";
import { headOf, namesOf, type SiteRecord } from "./record.ts";
import { socketFile } from "./unit.ts";
import { config, words } from "./words.ts";

/** Where sites answer to us alone; below it is the marker of the very configuration that answers. */
const OWN = "/.well-known/nusantara";

export const logDir = ({ sites }: Settings, user: string): string => `${sites.dataDir}/${user}/log`;

/** What a site's configuration is recognised by from outside: it changes with every change of the file. */
export interface Vhost {
  text: string;
  marker: string;
  /** A path that answers the marker. */
  markerPath: string;
  /** A path that asks the site's pool; null where there is none. */
  poolPath: string | null;
}

/** The whole vhost file of a site. Two calls with the same record give the same bytes. */
export function renderVhost(settings: Settings, record: SiteRecord): Vhost {
  const draft = vhostText(settings, record, "draft");
  const marker = createHash("sha256").update(draft).digest("hex").slice(0, 32);
  const isPool = record.runtime === "php" && !record.suspended;
  return {
    text: vhostText(settings, record, marker),
    marker,
    markerPath: `${OWN}/${marker}`,
    poolPath: isPool ? `${OWN}/${marker}/pool` : null,
  };
}

function vhostText(settings: Settings, record: SiteRecord, marker: string): string {
  const body = record.suspended ? SUSPENDED : bodyOf(settings, record);
  const own = ownLocations(settings, record, marker);
  const { httpPort, httpsPort } = settings.nginx;
  if (record.certificate === null) {
    return file(record, [server(settings, record, listen(settings, httpPort, ""), own + body)]);
  }
  const { certificateFile, keyFile } = record.certificate;
  const tls = `${listen(settings, httpsPort, " ssl http2")}${config`
  ssl_certificate ${certificateFile};
  ssl_certificate_key ${keyFile};
`}${PROTOCOLS}`;
  const plain = record.suspended ? body : REDIRECT;
  return file(record, [
    server(settings, record, listen(settings, httpPort, ""), own + plain),
    server(settings, record, tls, own + body),
  ]);
}

const WRITTEN = "# Written by nusantarad; changes made here by hand are lost.\n";

const file = (record: SiteRecord, servers: string[]) =>
  `${headOf(record)}\n${WRITTEN}${servers.join("\n")}`;

/** Those of an address are its first server's. */
const PROTOCOLS = "  ssl_protocols TLSv1.2 TLSv1.3;\n";

/** The first server of the address over TLS: nginx takes it for every name that no other server has. */
export const renderNameless = (settings: Settings): string => `${WRITTEN}server {
${listen(settings, settings.nginx.httpsPort, " ssl http2")}  server_name nameless.invalid;
${PROTOCOLS}  ssl_reject_handshake on;
}
`;

function server(settings: Settings, record: SiteRecord, listens: string, body: string): string {
  const log = logDir(settings, record.unixUser);
  return `server {
${listens}  server_name ${words(namesOf(record))};
${config`  access_log ${log}/access.log;
  error_log ${log}/error.log warn;
  root ${documentRootOf(record)};
  disable_symlinks if_not_owner from=${record.rootPath};
  client_max_body_size 64m;
  server_tokens off;
`}${body}}
`;
}

export const documentRootOf = ({ rootPath, documentRoot }: SiteRecord): string =>
  documentRoot === "" ? rootPath : `${rootPath}/${documentRoot}`;

function listen({ nginx }: Settings, port: number, more: " ssl http2" | ""): string {
  const line = config`  listen ${nginx.listen}:${port}`;
  return `${line}${more};\n`;
}

const ownLocations = (settings: Settings, record: SiteRecord, marker: string) =>
  config`
  location = ${OWN}/${marker} {
    default_type text/plain;
    return 200 ${marker};
  }
  location ^~ /.well-known/acme-challenge/ {
    alias ${settings.certificates.challengeDir}/;
    default_type text/plain;
    disable_symlinks if_not_owner from=${settings.certificates.challengeDir};
  }
` + poolPing(settings, record, marker);

function poolPing(settings: Settings, record: SiteRecord, marker: string): string {
  if (record.runtime !== "php" || record.suspended) return "";
  return config`
  location = ${OWN}/${marker}/pool {
    fastcgi_pass unix:${socketOf(settings, record)};
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param SCRIPT_NAME ${POOL_PING};
    fastcgi_param SCRIPT_FILENAME ${POOL_PING};
  }
`;
}

const SUSPENDED = `
  location / {
    default_type text/html;
    add_header Retry-After 3600 always;
    return 503 "<!doctype html><title>503</title><h1>Situs ini sedang tidak aktif</h1>";
  }
`;

const REDIRECT = `
  location / {
    return 301 https://$host$request_uri;
  }
`;

/**
 * Nothing whose name begins with a dot is served: repositories and secrets of applications lie in such. At the very top
 * `.well-known` is everybody's (RFC 8615); within it the rule holds again.
 */
const NO_DOTFILES = `
  location ~ "/\\.(?!(?<=^/\\.)well-known(?:/|$))" {
    deny all;
  }
`;

function bodyOf(settings: Settings, record: SiteRecord): string {
  switch (record.runtime) {
    case "static":
      return `${NO_DOTFILES}
  index index.html index.htm;
  location / {
    try_files $uri $uri/ =404;
  }
`;
    case "php":
      return NO_DOTFILES + phpBody(settings, record);
    case "node":
    case "python":
      return NO_DOTFILES + proxyBody(settings, record);
    default:
      record.runtime satisfies never;
      throw new CommandError("invalid", "there is no such runtime");
  }
}

const socketOf = (settings: Settings, record: SiteRecord) => {
  const version = settings.phpFpm.find((one) => one.version === record.phpVersion);
  if (!version) throw new CommandError("unavailable", "that version of PHP is not on this server");
  return poolSocket(version, record.unixUser);
};

const phpBody = (settings: Settings, record: SiteRecord) => `
  index index.php index.html index.htm;
  location / {
    try_files $uri $uri/ /index.php?$query_string;
  }
  location ~ \\.php$ {
    try_files $uri =404;
${config`    fastcgi_pass unix:${socketOf(settings, record)};
`}    fastcgi_index index.php;
    fastcgi_read_timeout 120s;
    fastcgi_param HTTP_PROXY "";
    fastcgi_param GATEWAY_INTERFACE CGI/1.1;
    fastcgi_param SERVER_SOFTWARE nginx;
    fastcgi_param QUERY_STRING $query_string;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param CONTENT_TYPE $content_type;
    fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
    fastcgi_param SCRIPT_NAME $fastcgi_script_name;
    fastcgi_param REQUEST_URI $request_uri;
    fastcgi_param DOCUMENT_URI $document_uri;
    fastcgi_param DOCUMENT_ROOT $document_root;
    fastcgi_param SERVER_PROTOCOL $server_protocol;
    fastcgi_param REQUEST_SCHEME $scheme;
    fastcgi_param HTTPS $https if_not_empty;
    fastcgi_param REMOTE_ADDR $remote_addr;
    fastcgi_param REMOTE_PORT $remote_port;
    fastcgi_param SERVER_ADDR $server_addr;
    fastcgi_param SERVER_PORT $server_port;
    fastcgi_param SERVER_NAME $server_name;
    fastcgi_param REDIRECT_STATUS 200;
  }
`;

const proxyBody = (settings: Settings, { unixUser }: SiteRecord) => `
  location / {
${config`    proxy_pass http://unix:${socketFile(settings, unixUser)};
`}    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
    proxy_read_timeout 120s;
  }
`;
