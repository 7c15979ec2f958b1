import type { Config } from "../../../shared/config/config.ts";
import { seal, unseal } from "../../../shared/crypto/seal.ts";

/** Signing secrets open for their own endpoint alone: the id stands in what was sealed. */
const owner = (endpointId: string) => `topup-endpoint/${endpointId}`;

export const sealSecret = (config: Config, endpointId: string, secret: string) =>
  seal(config, owner(endpointId), secret);

/** A secret that does not open (a sealing key that is gone) is our mistake, never a reason to send unsigned. */
export async function openSecret(
  config: Config,
  endpointId: string,
  sealed: string,
): Promise<string> {
  const secret = await unseal(config, owner(endpointId), sealed);
  if (secret === null) throw new Error("a webhook secret does not open");
  return secret;
}
