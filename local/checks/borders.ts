import { readdirSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";

/**
 * `npm run borders`: who may import whom (README, "Map"). Fails the build on the first wrong arrow.
 * shared/ imports no domain; a domain imports another domain's index.ts, and tables.ts other tables; the twins import
 * neither the Worker nor shared/, so that client and twin are written independently; the Worker imports nothing local;
 * agent/ runs on another machine and shares the protocol with the Worker (shared/agent-protocol/), and nothing else.
 */
const ROOT = resolve(import.meta.dirname, "../..");
const HOUSES = ["workers", "shared", "local", "agent"];
const IMPORT = /(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;

function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .filter((name) => /\.tsx?$/.test(name));
}

/** The imports of a file (its path from the root, its text) that cross a border, a line for each. */
export function wrongImports(file: string, text: string): string[] {
  return [...text.matchAll(IMPORT)].flatMap(([, path = ""]) => {
    const target = posix.join(posix.dirname(file), path);
    const why = wrongArrow(file, target);
    return why ? [`${file} imports ${target}: ${why}`] : [];
  });
}

/** Why one file may not import another, or null. */
export function wrongArrow(file: string, target: string): string | null {
  if (isTest(file)) return null;
  if (isTest(target)) return "a test's helper";
  const [house, domain] = file.split("/");
  const [targetHouse, targetDomain] = target.split("/");
  if (house === "shared" && targetHouse !== "shared") return "shared/ imports only shared/";
  if (house === "workers" && !["workers", "shared"].includes(targetHouse ?? "")) {
    return "the Worker imports only workers/ and shared/";
  }
  if (house === "agent" && targetHouse !== "agent" && !isProtocol(target)) {
    return "agent/ imports only agent/ and shared/agent-protocol/";
  }
  if (isProtocol(file) && !isProtocol(target)) return "the protocol stands alone";
  if (house !== "agent" && targetHouse === "agent") return "agent/ is a program of its own";
  if (file.startsWith("local/twins/") && !target.startsWith("local/")) {
    return "twins are written without the Worker's code";
  }
  const crossing =
    house === "workers" && targetHouse === "workers" && isDomain(file) && domain !== targetDomain;
  if (!crossing) return null;
  if (!isDomain(target)) return "a domain does not import what composes it";
  if (target === `workers/${targetDomain}/index.ts`) return null;
  if (isTables(file) && isTables(target)) return null;
  return `use workers/${targetDomain}/index.ts`;
}

const isTest = (file: string) => /\.test\.tsx?$|\/testing(\/|\.ts$)|\/test-[^/]+\.ts$/.test(file);
const isProtocol = (file: string) => file.startsWith("shared/agent-protocol/");
const isDomain = (file: string) => file.split("/").length > 2;
const isTables = (file: string) => /\/tables(\.ts|\/[^/]+\.ts)$/.test(file);

if (import.meta.main) {
  const broken = HOUSES.flatMap(filesIn).flatMap((file) =>
    wrongImports(file, readFileSync(join(ROOT, file), "utf8")),
  );
  if (broken.length > 0) {
    console.error(broken.join("\n"));
    process.exit(1);
  }
  console.log("borders hold");
}
