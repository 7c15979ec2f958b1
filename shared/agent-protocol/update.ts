import { z } from "zod";

const versionText = z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/);

/** The largest agent that is taken, in bytes. */
export const MAX_RELEASE_BYTES = 32 * 1024 * 1024;

/** What stands before a manifest where it is signed, so that a signature made for anything else is none for this. */
export const RELEASE_CONTEXT = "nusantarad-release\n";

/** The signed words about one release. Its bytes are signed as they stand, so nobody has to write them alike twice. */
export const releaseManifest = z.strictObject({
  version: versionText,
  commit: z.string().regex(/^[0-9a-f]{7,40}$/),
  built_at: z.iso.datetime(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size: z.number().int().min(1).max(MAX_RELEASE_BYTES),
  /** A path on the panel's own host. */
  url: z.string().regex(/^\/v1\/agent\/releases\/[0-9.]+\/nusantarad\.mjs$/),
  min_protocol: z.number().int().min(1),
  max_protocol: z.number().int().min(1),
  /** Newer versions that this older one may take the place of; without them nobody goes back. */
  downgrade_from: z.array(versionText).max(50).optional(),
});
export type ReleaseManifest = z.output<typeof releaseManifest>;

/** A manifest's JSON text and the Ed25519 signature over it, base64url without padding. */
export const signedRelease = z.strictObject({
  manifest: z.string().min(2).max(8_192),
  signature: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
});
export type SignedRelease = z.output<typeof signedRelease>;

export const updateCommands = {
  /** `attempt` tells one wish from the next: a version that was tried and given up is not tried again by a repeat. */
  "agent.update": {
    input: z.strictObject({ attempt: z.uuid(), release: signedRelease }),
    result: z.object({ version: versionText, commit: z.string(), from: z.string() }),
    deadlineMs: 300_000,
  },
} as const;

export const updateAsks = {} as const;

/** -1, 0 or 1, as the first version is older than, the same as or newer than the second. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}
