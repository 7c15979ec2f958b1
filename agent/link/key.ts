import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { readFileSync } from "node:fs";
import {
  callText,
  connectText,
  SIGNATURE_HEADERS,
  type SignedMoment,
} from "../../shared/agent-protocol/index.ts";

/** The agent's identity: an Ed25519 key that never leaves its file. */
export interface AgentKey {
  /** Raw, base64url. */
  publicKey: string;
  sign(text: string): string;
}

/** A new key, and the PEM text that is to be written to its file. */
export function makeKey(): { key: AgentKey; pem: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  return {
    key: keyOf(privateKey),
    pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

export const readKey = (file: string): AgentKey => keyOf(createPrivateKey(readFileSync(file)));

function keyOf(privateKey: KeyObject): AgentKey {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  if (privateKey.asymmetricKeyType !== "ed25519" || x === undefined) {
    throw new Error("the agent's key is not an Ed25519 key");
  }
  return {
    publicKey: x,
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64url"),
  };
}

interface Who {
  key: AgentKey;
  serverId: string;
  now(): Date;
}

/** The headers that open a connection to this host. */
export function connectHeaders(who: Who, host: string): Record<string, string> {
  const moment = momentOf(who, host);
  return headersOf(moment, who.key.sign(connectText(moment)));
}

/** The headers of an HTTP call of the agent's own. */
export function callHeaders(
  who: Who,
  host: string,
  call: { method: string; path: string; body: string },
): Record<string, string> {
  const moment = momentOf(who, host);
  return headersOf(moment, who.key.sign(callText(moment, call)));
}

const momentOf = ({ serverId, now }: Who, host: string): SignedMoment => ({
  ...{ host, server: serverId, time: now().getTime() },
  nonce: randomBytes(16).toString("base64url"),
});

const headersOf = (moment: SignedMoment, signature: string) => ({
  [SIGNATURE_HEADERS.server]: moment.server,
  [SIGNATURE_HEADERS.time]: String(moment.time),
  [SIGNATURE_HEADERS.nonce]: moment.nonce,
  [SIGNATURE_HEADERS.signature]: signature,
});
