import { filePath as filePathShape } from "../../../shared/agent-protocol/files.ts";

/** `agent:<id>`: a server of the panel, by its id there. */
export const AGENT_URL = /^agent:(srv_[0-9]{1,20}_[0-9a-z]{1,20})$/;

/** What the agent knows a site by, apart from its domain and folder. */
export interface OwnName {
  siteId: string;
  unixUser: string;
}

/** The server's id of a site, in one word. */
export const nameOf = ({ siteId, unixUser }: OwnName): string => `${siteId}/${unixUser}`;

export function splitId(hostSiteId: string): OwnName {
  const [siteId = "", unixUser = ""] = hostSiteId.split("/");
  return { siteId, unixUser };
}

/**
 * Made from the website's own id (a version 7 UUID, in the note), so that a repeat means the same site: its moment as
 * nanoseconds, and the last twelve of its random digits.
 */
export function ownName(note: string, unixUser: string): OwnName {
  const digits = /[0-9a-f-]{36}/.exec(note)?.[0].replaceAll("-", "");
  if (digits === undefined) throw new Error("a site's note does not name its website");
  const nanos = BigInt(`0x${digits.slice(0, 12)}`) * 1_000_000n;
  return { siteId: `site_${nanos}_${digits.slice(20)}`, unixUser };
}

/** "82" is "8.2" to the agent. */
export const phpOf = (version: string): string => `${version.slice(0, 1)}.${version.slice(1)}`;

/** Whether an entry below a site's root can be meant. */
export const filePath = (path: string): boolean =>
  path !== "" && filePathShape.safeParse(path).success;

/** As MariaDB keeps a password, so that it travels as this alone. */
export async function sha1Twice(password: string): Promise<string> {
  const once = new Uint8Array(
    await crypto.subtle.digest("SHA-1", new TextEncoder().encode(password)),
  );
  const twice = new Uint8Array(await crypto.subtle.digest("SHA-1", once));
  return `*${[...twice]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase()}`;
}
