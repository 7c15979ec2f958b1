import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** The id of this installation: a copy of the key elsewhere has another one, which is how the edge tells them apart. */
export function instanceOf(stateDir: string): string {
  const file = join(stateDir, "instance");
  mkdirSync(stateDir, { recursive: true, mode: 0o711 });
  const known = z.uuid().safeParse(read(file).trim());
  if (known.success) return known.data;
  const made = randomUUID();
  writeFileSync(file, `${made}\n`, { mode: 0o600 });
  return made;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
