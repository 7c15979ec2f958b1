declare const NUSANTARAD_VERSION: string | undefined;
declare const NUSANTARAD_COMMIT: string | undefined;
declare const NUSANTARAD_BUILT_AT: string | undefined;
declare const NUSANTARAD_RELEASE_KEYS: string | undefined;
declare const NUSANTARAD_SUPERVISOR: string | undefined;

/** What the bundler was told to put here (`npm run release:agent`); run from its sources the agent is nobody's release. */
export const BUILD = {
  version: typeof NUSANTARAD_VERSION === "string" ? NUSANTARAD_VERSION : "0.0.0",
  commit: typeof NUSANTARAD_COMMIT === "string" ? NUSANTARAD_COMMIT : "unknown",
  builtAt: typeof NUSANTARAD_BUILT_AT === "string" ? NUSANTARAD_BUILT_AT : "unknown",
} as const;

/** The public keys whose releases this agent takes (Ed25519, raw, base64url): built in, so that no setting changes them. */
export const RELEASE_KEYS: readonly string[] =
  typeof NUSANTARAD_RELEASE_KEYS === "string"
    ? NUSANTARAD_RELEASE_KEYS.split(",").filter(Boolean)
    : [];

/** The text of the supervisor's file, which `install` writes down once. */
export const SUPERVISOR: string | null =
  typeof NUSANTARAD_SUPERVISOR === "string" ? NUSANTARAD_SUPERVISOR : null;
