import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

/** What stands in a settings file, without the values that every server has; empty where there is none. */
export function settingsIn(file: string): Record<string, unknown> {
  if (!existsSync(file)) return {};
  return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, "utf8")));
}

export const writeSettings = (file: string, settings: Record<string, unknown>): void =>
  writeWhole(file, `${JSON.stringify(settings, null, 2)}\n`, 0o644);

/** Under another name first, so that a crash leaves the old file or the new one. */
export function writeWhole(file: string, text: string, mode: number): void {
  mkdirSync(dirname(file), { recursive: true });
  const next = `${file}.next`;
  writeFileSync(next, text, { mode });
  chmodSync(next, mode);
  renameSync(next, file);
}
