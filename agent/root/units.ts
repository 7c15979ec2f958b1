import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import type { SiteRecord } from "../sites/record.ts";
import { renderUnit, unitName } from "../sites/unit.ts";
import { replaceFile, textIn } from "./atomic.ts";
import type { RootCtx, Undo } from "./root-ctx.ts";

const fileOf = ({ settings }: RootCtx, user: string) =>
  join(settings.sites.unitDir, unitName(user));

async function systemctl(root: RootCtx, ...args: string[]): Promise<void> {
  const { code } = await root.run("systemctl", args);
  if (code !== 0) throw new CommandError("tool_failed", `systemctl ${args[0]} ended with ${code}`);
}

/** The unit of a site's process, written and running. Without systemd the agent itself watches over the process. */
export async function putUnit(root: RootCtx, record: SiteRecord): Promise<Undo | null> {
  if (root.settings.services !== "systemd") return null;
  const file = fileOf(root, record.unixUser);
  const text = renderUnit(root.settings, record);
  const before = await textIn(file);
  if (before !== text) {
    await replaceFile(file, text);
    root.step("unit-written");
    await systemctl(root, "daemon-reload");
  }
  const verb = before === text ? "start" : "restart";
  await systemctl(root, "enable", unitName(record.unixUser));
  await systemctl(root, verb, unitName(record.unixUser));
  root.done.push("service running");
  root.step("unit-started");
  if (before === text) return null;
  return async () => {
    if (before === null) await removeUnit(root, record.unixUser);
    else {
      await replaceFile(file, before);
      await systemctl(root, "daemon-reload");
      await systemctl(root, "restart", unitName(record.unixUser));
    }
  };
}

/** Has a site's process begin anew where it runs; one that does not stays so. */
export async function restartUnit(root: RootCtx, user: string): Promise<void> {
  if (root.settings.services !== "systemd" || (await textIn(fileOf(root, user))) === null) return;
  await systemctl(root, "try-restart", unitName(user));
  root.done.push("service restarted");
}

export async function removeUnit(root: RootCtx, user: string): Promise<void> {
  if (root.settings.services !== "systemd") return;
  const file = fileOf(root, user);
  if ((await textIn(file)) === null) return;
  await systemctl(root, "disable", "--now", unitName(user));
  root.step("unit-stopped");
  await rm(file, { force: true });
  await systemctl(root, "daemon-reload");
  root.done.push("service removed");
  root.step("unit-removed");
}
