import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { posix } from "node:path";
import { done, refused } from "./answers.ts";
import { type Packed, zipOf } from "./archive.ts";
import { wwwroot } from "./area.ts";
import { type Call, need, optional } from "./call.ts";
import type { Panel } from "./engine.ts";

const longestText = 3_145_728;
const missing = "Specified file or directory does not exist!";

/** `name;size;mtime;mode;owner;link;…` */
async function lineOf(panel: Panel, plain: string, kind: "file" | "directory"): Promise<string> {
  const { size, mtimeMs } = await stat(await panel.area.real(plain));
  const { access, owner } = panel.area.modeOf(plain, kind);
  const mtime = Math.floor(mtimeMs / 1000);
  return [posix.basename(plain), size, mtime, access, owner, "", "0", "0", "", ""].join(";");
}

/** A path that is not there lists the default folder of sites, without a word. */
export async function getDir(panel: Panel, call: Call): Promise<unknown> {
  const asked = panel.area.plain(need(call, "path"));
  const path = (await panel.area.kind(asked)) === "directory" ? asked : wwwroot;
  const search = optional(call, "search").toLowerCase();
  const rows = Math.max(1, Number(optional(call, "showRow", "100")) || 100);
  const page = Math.max(1, Number(optional(call, "p", "1")) || 1);
  const entries = await readdir(await panel.area.real(path), { withFileTypes: true });
  const kept = entries
    .filter((entry) => entry.isDirectory() || entry.isFile())
    .filter((entry) => entry.name.toLowerCase().includes(search))
    .sort(
      (a, b) => Number(b.isDirectory()) - Number(a.isDirectory()) || (a.name < b.name ? -1 : 1),
    );
  const DIR: string[] = [];
  const FILES: string[] = [];
  for (const entry of kept.slice((page - 1) * rows, page * rows)) {
    const kind = entry.isDirectory() ? "directory" : "file";
    const line = await lineOf(panel, posix.join(path, entry.name), kind);
    (kind === "directory" ? DIR : FILES).push(line);
  }
  const PAGE = `<div><span class='Pcurrent'>${page}</span><span class='Pcount'>Total ${kept.length}</span></div>`;
  return { PATH: path, DIR, FILES, PAGE, STORE: [], FILE_RECYCLE: false };
}

export async function createDir(panel: Panel, call: Call): Promise<unknown> {
  const path = panel.area.target(need(call, "path"));
  if (await panel.area.kind(path)) return refused("Specified directory already exists!");
  await mkdir(await panel.area.real(path), { recursive: true });
  return done("Directory successfully created!");
}

export async function createFile(panel: Panel, call: Call): Promise<unknown> {
  const path = panel.area.target(need(call, "path"));
  if (await panel.area.kind(path)) return refused("Specified file already exists!");
  const file = await panel.area.real(path);
  await mkdir(posix.dirname(file), { recursive: true });
  await writeFile(file, "");
  return done("File successfully created!");
}

export async function deleteFile(panel: Panel, call: Call): Promise<unknown> {
  const path = panel.area.target(need(call, "path"));
  if ((await panel.area.kind(path)) !== "file") return refused(missing);
  await rm(await panel.area.real(path));
  panel.area.moveModes(path, null);
  return done("Successfully deleted!");
}

/** The root of a site holds a locked `.user.ini`, so it goes with its site only. */
export async function deleteDir(panel: Panel, call: Call): Promise<unknown> {
  const path = panel.area.target(need(call, "path"));
  if ((await panel.area.kind(path)) !== "directory") return refused(missing);
  if (panel.isRoot(path)) return refused("Operation not permitted");
  await rm(await panel.area.real(path), { recursive: true, force: true });
  panel.area.moveModes(path, null);
  return done("Successfully deleted!");
}

async function pair(panel: Panel, call: Call): Promise<{ from: string; to: string } | string> {
  const from = panel.area.target(need(call, "sfile"));
  const to = panel.area.target(need(call, "dfile"));
  if (!(await panel.area.kind(from))) return missing;
  if (await panel.area.kind(to)) return "The target already exists!";
  if (to.startsWith(`${from}/`)) return "Cannot be put into itself!";
  await mkdir(posix.dirname(await panel.area.real(to)), { recursive: true });
  return { from, to };
}

export async function moveFile(panel: Panel, call: Call): Promise<unknown> {
  const paths = await pair(panel, call);
  if (typeof paths === "string") return refused(paths);
  await rename(await panel.area.real(paths.from), await panel.area.real(paths.to));
  panel.area.moveModes(paths.from, paths.to);
  return done("Successfully moved!");
}

export async function copyFile(panel: Panel, call: Call): Promise<unknown> {
  const paths = await pair(panel, call);
  if (typeof paths === "string") return refused(paths);
  const [from, to] = [await panel.area.real(paths.from), await panel.area.real(paths.to)];
  await cp(from, to, { recursive: true });
  return done("Successfully copied!");
}

export async function setFileAccess(panel: Panel, call: Call): Promise<unknown> {
  const path = panel.area.target(need(call, "filename"));
  const owner = need(call, "user");
  const access = need(call, "access");
  const kind = await panel.area.kind(path);
  if (!kind) return refused(missing);
  if (!/^[0-7]{3}$/.test(access)) return refused("Permission format is incorrect!");
  if (!/^[a-z_][a-z0-9_-]*$/.test(owner)) return refused("The user does not exist!");
  if (call.form.all === "False") panel.area.setMode(path, { access, owner });
  else await panel.area.setModes(path, { access, owner });
  return done("Setup successfully!");
}

export async function getFileAccess(panel: Panel, call: Call): Promise<unknown> {
  const path = panel.area.plain(need(call, "filename"));
  const kind = await panel.area.kind(path);
  if (!kind) return { chmod: 755, chown: "www" };
  const { access, owner } = panel.area.modeOf(path, kind);
  return { chmod: access, chown: owner };
}

export async function getFileBody(panel: Panel, call: Call): Promise<unknown> {
  const path = panel.area.plain(need(call, "path"));
  if ((await panel.area.kind(path)) !== "file") return refused(missing);
  const file = await panel.area.real(path);
  const { size, mtimeMs } = await stat(file);
  if (size > longestText) return refused("Cannot edit files larger than 3MB online!");
  return {
    status: true,
    data: await readFile(file, "utf8"),
    encoding: "utf-8",
    size,
    st_mtime: String(Math.floor(mtimeMs / 1000)),
    only_read: false,
  };
}

export async function saveFileBody(panel: Panel, call: Call): Promise<unknown> {
  const path = panel.area.target(need(call, "path"));
  const data = need(call, "data");
  need(call, "encoding");
  if ((await panel.area.kind(path)) !== "file") return refused(missing);
  if (Buffer.byteLength(data) > longestText) return refused("The content is larger than 3MB!");
  await writeFile(await panel.area.real(path), data);
  return done("Successfully saved!");
}

/** Every file below a folder, packed under its path from there. */
export async function packFolder(panel: Panel, path: string, under = ""): Promise<Packed[]> {
  const folder = await panel.area.real(path);
  const packed: Packed[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = posix.join(entry.parentPath, entry.name);
    packed.push({ name: under + posix.relative(folder, file), data: await readFile(file) });
  }
  return packed;
}

export async function zip(panel: Panel, call: Call): Promise<unknown> {
  const path = panel.area.plain(need(call, "path"));
  const to = panel.area.target(need(call, "dfile"));
  if (need(call, "z_type") !== "zip") return refused("This twin packs zip only");
  const packed: Packed[] = [];
  for (const name of need(call, "sfile").split(",")) {
    const one = panel.area.plain(posix.join(path, name));
    const kind = await panel.area.kind(one);
    if (kind === "directory") packed.push(...(await packFolder(panel, one, `${name}/`)));
    else if (kind) packed.push({ name, data: await readFile(await panel.area.real(one)) });
    else return refused(missing);
  }
  await writeFile(await panel.area.real(to), zipOf(packed));
  return done("Successfully compressed!");
}
