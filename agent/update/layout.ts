import { readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import type { Settings } from "../settings.ts";

export type Places = Pick<Settings, "programDir" | "stateDir">;

export const PROGRAM = "nusantarad.mjs";
export const VERSION = /^\d{1,6}\.\d{1,6}\.\d{1,6}$/;

/** Releases lie side by side in folders of root's; what was put there has been verified. */
export const releasesDir = ({ programDir }: Places) => join(programDir, "releases");
export const releaseDir = (places: Places, version: string) => join(releasesDir(places), version);
export const releaseFile = (places: Places, version: string) =>
  join(releaseDir(places, version), PROGRAM);

/** Which release the agent's own half runs: a link of the agent's, so that it can be taken back without any rights. */
export const currentLink = ({ stateDir }: Places) => join(stateDir, "current");
/** Which release the privileged half is: a link of root's. */
export const privilegedLink = ({ programDir }: Places) => join(programDir, "privileged");
/** Where the agent puts what it has downloaded; nobody believes what lies there. */
export const stagingDir = ({ stateDir }: Places) => join(stateDir, "staging");

/** The version that a link of ours names, or null: no link, or not one of ours. */
export function versionAt(link: string): string | null {
  try {
    const version = basename(readlinkSync(link));
    return VERSION.test(version) ? version : null;
  } catch {
    return null;
  }
}

/** A JSON file of ours, or null where it is missing or broken. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}
