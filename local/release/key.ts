import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

/** A new release key, in a file that only its owner reads; answers the public half. It never overwrites another. */
export function makeKeyFile(file: string): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(file, pem, { mode: 0o600, flag: "wx" });
  return publicKeyOf(privateKey);
}

/** Raw, base64url: as agents and the Worker (`PANEL_RELEASE_KEYS`) know it. */
export function publicKeyOf(key: KeyObject): string {
  const { x } = createPublicKey(key).export({ format: "jwk" });
  if (key.asymmetricKeyType !== "ed25519" || x === undefined) {
    throw new Error("a release key is an Ed25519 key");
  }
  return x;
}

/** From `--key FILE`, else from `NUSANTARAD_RELEASE_KEY`, the text of such a file. */
export function readKey(
  file: string | undefined,
  env: Record<string, string | undefined>,
): KeyObject {
  const pem = file === undefined ? env.NUSANTARAD_RELEASE_KEY : readFileSync(file, "utf8");
  if (!pem) throw new Error("give --key FILE, or the key itself in NUSANTARAD_RELEASE_KEY");
  return createPrivateKey(pem);
}
