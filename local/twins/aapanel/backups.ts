import { rm, stat, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { done, refused } from "./answers.ts";
import { zipOf } from "./archive.ts";
import { backupRoot } from "./area.ts";
import { type Call, needInt } from "./call.ts";
import type { Panel } from "./engine.ts";
import { packFolder } from "./files.ts";

async function keep(
  panel: Panel,
  row: { type: number; pid: number; name: string },
  bytes: Buffer,
): Promise<void> {
  const filename = `${backupRoot}/${row.name}`;
  const file = await panel.area.real(filename);
  await writeFile(file, bytes);
  const id = panel.nextId();
  const { size } = await stat(file);
  panel.state.backups.set(id, { ...row, id, filename, size, addedAt: panel.clock() });
}

/** Synchronous, as there. */
export async function backupSite(panel: Panel, call: Call): Promise<unknown> {
  const site = panel.state.sites.get(needInt(call, "id"));
  if (!site) return refused("The specified site does not exist");
  const packed = await packFolder(panel, site.path, `${site.name}/`);
  const name = `web_${site.name}_${panel.nextId()}.zip`;
  await keep(panel, { type: 0, pid: site.id, name }, zipOf(packed));
  return done("Backup succeeded!");
}

/** The twin keeps no rows of customers' databases, so the dump is empty. */
export async function backupDatabase(panel: Panel, call: Call): Promise<unknown> {
  const database = panel.state.databases.get(needInt(call, "id"));
  if (!database) return refused("The specified database does not exist");
  const name = `db_${database.name}_${panel.nextId()}.sql.gz`;
  const dump = gzipSync(`-- ${database.name}\n`);
  await keep(panel, { type: 1, pid: database.id, name }, dump);
  return done("Backup succeeded!");
}

export async function deleteBackup(panel: Panel, call: Call): Promise<unknown> {
  const backup = panel.state.backups.get(needInt(call, "id"));
  if (!backup) return refused("The specified backup does not exist");
  await rm(await panel.area.real(backup.filename), { force: true });
  panel.state.backups.delete(backup.id);
  return done("Successfully deleted!");
}
