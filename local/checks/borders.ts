import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/**
 * `npm run borders`: who may import whom (README, "Map"). Fails the build on the first wrong arrow.
 * shared/ imports no domain; a domain imports another domain's index.ts, and tables.ts other tables; the twins import
 * neither the Worker nor shared/, so that client and twin are written independently; the Worker imports nothing local.
 */
const ROOT = resolve(import.meta.dirname, "../..");
const IMPORT = /(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;

const broken = ["workers", "shared", "local"].flatMap(filesIn).flatMap(check);
if (broken.length > 0) {
  console.error(broken.join("\n"));
  process.exit(1);
}
console.log("borders hold");

function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

function check(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(IMPORT)].flatMap(([, path = ""]) => {
    const target = relative(ROOT, resolve(ROOT, dirname(file), path));
    const why = wrong(file, target);
    return why ? [`${file} imports ${target}: ${why}`] : [];
  });
}

function wrong(file: string, target: string): string | null {
  if (isTest(file)) return null;
  if (isTest(target)) return "a test's helper";
  const [house, domain] = file.split("/");
  const [targetHouse, targetDomain] = target.split("/");
  if (house === "shared" && targetHouse !== "shared") return "shared/ imports only shared/";
  if (house === "workers" && targetHouse === "local") return "the Worker imports nothing local";
  if (file.startsWith("local/twins/") && !target.startsWith("local/")) {
    return "twins are written without the Worker's code";
  }
  const crossing =
    house === "workers" &&
    targetHouse === "workers" &&
    isDomain(file) &&
    isDomain(target) &&
    domain !== targetDomain;
  if (!crossing) return null;
  if (target === `workers/${targetDomain}/index.ts`) return null;
  if (isTables(file) && isTables(target)) return null;
  return `use workers/${targetDomain}/index.ts`;
}

const isTest = (file: string) => /\.test\.tsx?$|\/testing\//.test(file);
const isDomain = (file: string) => file.split("/").length > 2;
const isTables = (file: string) => /\/tables(\.ts|\/[^/]+\.ts)$/.test(file);
