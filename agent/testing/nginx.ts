import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ready, startChild, type TestChild } from "./child.ts";
import { pathOf } from "./needs.ts";
import { freePorts } from "./pebble.ts";

/** A private nginx: everything of it in a folder of its own, on free ports of loopback, workers as `www-data`. */
export interface TestNginx {
  dir: string;
  httpPort: number;
  httpsPort: number;
  configFile: string;
  /** Included by the configuration through one more file, as an installed agent's is. */
  sitesDir: string;
  pidFile: string;
  /** Of the master. */
  pid: number;
  stop(): Promise<void>;
}

const UNKNOWN_HOST = "no such site";

/** Starts it and waits until it answers. */
export async function startNginx(): Promise<TestNginx> {
  const program = pathOf("nginx");
  if (program === null) throw new Error("nginx is not installed");
  const dir = mkdtempSync(join(tmpdir(), "nginx-"));
  chmodSync(dir, 0o755);
  const [httpPort = 0, httpsPort = 0] = await freePorts(2);
  const sitesDir = join(dir, "sites");
  for (const folder of [sitesDir, join(dir, "conf.d")]) mkdirSync(folder);
  const configFile = join(dir, "nginx.conf");
  writeFileSync(configFile, mainConfig(dir, httpPort));
  const included = `server_names_hash_bucket_size 512;\ninclude ${sitesDir}/*.conf;\n`;
  writeFileSync(join(dir, "conf.d", "nusantara.conf"), included);
  const child = startChild(program, ["-c", configFile, "-g", "daemon off;"]);
  await ready(child, async () => (await bodyAt(httpPort)) === UNKNOWN_HOST);
  return {
    ...{ dir, httpPort, httpsPort, configFile, sitesDir, pid: child.pid },
    pidFile: join(dir, "nginx.pid"),
    stop: async () => await stop(child, dir),
  };
}

async function stop(child: TestChild, dir: string): Promise<void> {
  await child.stop();
  rmSync(dir, { recursive: true, force: true });
}

const mainConfig = (dir: string, port: number) => `user www-data;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log warn;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  scgi_temp_path ${dir}/scgi;
  uwsgi_temp_path ${dir}/uwsgi;
  server {
    listen 127.0.0.1:${port} default_server;
    default_type text/plain;
    return 404 "${UNKNOWN_HOST}";
  }
  # include ${dir}/not/*.conf;
  include ${dir}/conf.d/*.conf;
}
`;

function bodyAt(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", port, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.once("end", () => resolve(body));
    });
    asked.once("error", () => resolve(null));
    asked.end();
  });
}
