import { createPublicKey, verify } from "node:crypto";
import {
  compareVersions,
  PROTOCOL_VERSION,
  RELEASE_CONTEXT,
  type ReleaseManifest,
  releaseManifest,
  type SignedRelease,
} from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";

export interface Trust {
  /** Raw Ed25519 keys, base64url. */
  keys: readonly string[];
  /** The version that is asked to make way. */
  version: string;
  commit: string;
}

/**
 * What a release says, once it is certain who said it. Refused: no signature of a built-in key over these very bytes
 * (`integrity`); an older version, unless the signed manifest itself names ours as one to go back from, another build
 * of ours, and one that speaks no protocol of ours (`version`).
 */
export function verifyRelease(
  { manifest, signature }: SignedRelease,
  trust: Trust,
): ReleaseManifest {
  if (trust.keys.length === 0) {
    throw new CommandError(
      "integrity",
      "this agent was built without a release key and takes no releases",
    );
  }
  const said = Buffer.from(`${RELEASE_CONTEXT}${manifest}`);
  if (!trust.keys.some((key) => isSignedBy(key, said, Buffer.from(signature, "base64url")))) {
    throw new CommandError("integrity", "the release is not signed by a key that this agent knows");
  }
  const facts = releaseManifest.safeParse(parsed(manifest)).data;
  if (!facts) throw new CommandError("integrity", "the release's manifest is not one");
  refuseWrongVersion(facts, trust);
  return facts;
}

function isSignedBy(key: string, said: Buffer, signature: Buffer): boolean {
  try {
    const jwk = { kty: "OKP", crv: "Ed25519", x: key };
    return verify(null, said, createPublicKey({ key: jwk, format: "jwk" }), signature);
  } catch {
    return false;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refuseWrongVersion(facts: ReleaseManifest, { version, commit }: Trust): void {
  const order = compareVersions(facts.version, version);
  if (order < 0 && !facts.downgrade_from?.includes(version)) {
    throw new CommandError("version", `release ${facts.version} is older than ${version}`);
  }
  if (order === 0 && facts.commit !== commit) {
    throw new CommandError("version", `${version} is installed from another commit`);
  }
  if (facts.min_protocol > PROTOCOL_VERSION || facts.max_protocol < PROTOCOL_VERSION) {
    throw new CommandError(
      "version",
      `release ${facts.version} does not speak this panel's protocol`,
    );
  }
}
