import { accessSync, constants } from "node:fs";
import { describe } from "vitest";

/** Where Debian puts what the tests run for real. */
const PROGRAMS = {
  nginx: ["/usr/sbin/nginx"],
  "php-fpm": ["/usr/sbin/php-fpm8.2", "/usr/sbin/php-fpm8.3", "/usr/sbin/php-fpm8.4"],
  mariadb: ["/usr/sbin/mariadbd"],
  pebble: ["/usr/bin/pebble", "/usr/local/bin/pebble"],
  age: ["/usr/bin/age"],
  zstd: ["/usr/bin/zstd"],
  tar: ["/usr/bin/tar", "/bin/tar"],
  sudo: ["/usr/bin/sudo"],
  visudo: ["/usr/sbin/visudo"],
  useradd: ["/usr/sbin/useradd"],
  "systemd-analyze": ["/usr/bin/systemd-analyze", "/bin/systemd-analyze"],
} as const;
export type Need = keyof typeof PROGRAMS;

/** The program's path on this machine, or null. */
export function pathOf(need: Need): string | null {
  return PROGRAMS[need].find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * `describe` where everything named is installed (and, with `root`, the tests run as root). Elsewhere the tests are left
 * out with a line that says which and why; in CI, or with LUMBUNG_NEEDS_ALL=1, leaving them out is a failure.
 */
export function needs(...needed: (Need | "root")[]): typeof describe {
  const missing = needed.filter((need) =>
    need === "root" ? process.getuid?.() !== 0 : pathOf(need) === null,
  );
  if (missing.length === 0) return describe;
  const why = `needs ${missing.join(", ")}, which this machine does not have`;
  if (process.env.CI || process.env.LUMBUNG_NEEDS_ALL === "1") throw new Error(why);
  // Not the console, which the runner keeps to itself for tests that pass.
  process.stderr.write(`\nLEFT OUT: the real test of this part ${why}\n`);
  return describe.skip as typeof describe;
}
