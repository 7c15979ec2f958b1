import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ready, startChild } from "./child.ts";
import { pathOf } from "./needs.ts";

/** A private PHP-FPM: its pools and sockets in a folder of its own. */
export interface TestPhpFpm {
  dir: string;
  version: string;
  configFile: string;
  poolDir: string;
  socketDir: string;
  pidFile: string;
  pid: number;
  stop(): Promise<void>;
}

/** Starts it and waits until its first pool listens. */
export async function startPhpFpm(): Promise<TestPhpFpm> {
  const program = pathOf("php-fpm");
  if (program === null) throw new Error("PHP-FPM is not installed");
  const version = /php-fpm(\d\.\d)$/.exec(program)?.[1] ?? "";
  const dir = mkdtempSync(join(tmpdir(), "php-fpm-"));
  chmodSync(dir, 0o755);
  const [poolDir, socketDir] = [join(dir, "pool.d"), join(dir, "run")];
  for (const folder of [poolDir, socketDir]) mkdirSync(folder);
  const [configFile, pidFile] = [join(dir, "php-fpm.conf"), join(dir, "php-fpm.pid")];
  const main = `[global]\npid = ${pidFile}\nerror_log = ${dir}/error.log\ninclude=${poolDir}/*.conf\n`;
  writeFileSync(configFile, main);
  const first = join(socketDir, "first.sock");
  const pool = `[first]\nuser = www-data\ngroup = www-data\nlisten = ${first}\npm = ondemand\npm.max_children = 1\n`;
  writeFileSync(join(poolDir, "first.conf"), pool);
  const child = startChild(program, ["-F", "-y", configFile]);
  await ready(child, async () => existsSync(first) && existsSync(pidFile));
  return {
    ...{ dir, version, configFile, poolDir, socketDir, pidFile, pid: child.pid },
    stop: async () => {
      await child.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
