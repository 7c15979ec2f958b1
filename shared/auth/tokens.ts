import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Config } from "../config/config.ts";
import type { Actor, Role } from "../context.ts";

const DAY_S = 24 * 60 * 60;

const Claims = z.object({
  id: z.number().int().positive(),
  sid: z.uuid(),
  roles: z.array(z.enum(["buyer", "seller", "admin", "operator"])),
});

/** How long a sign-in lasts: 7 days, 24 hours for the panel's operators. */
export function sessionSeconds(roles: readonly Role[]): number {
  return roles.includes("operator") ? DAY_S : 7 * DAY_S;
}

export interface TokenUser extends Actor {
  phone: string | null;
}

const keys = new Map<string, Promise<CryptoKey>>();

/** The key of a secret, imported once per isolate. */
function keyOf(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const made = crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  );
  keys.set(secret, made);
  return made;
}

/** A bearer token (JWT, HS256) that names its session row; `id` and `phone` are what the mobile app reads. */
export async function signToken(config: Config, user: TokenUser, now: Date): Promise<string> {
  const [kid, secret] = config.JWT_KEYS[0] ?? ["", ""];
  const issuedAt = Math.floor(now.getTime() / 1000);
  return await new SignJWT({
    id: user.userId,
    phone: user.phone,
    sid: user.sessionId,
    roles: user.roles,
  })
    .setProtectedHeader({ alg: "HS256", kid })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + sessionSeconds(user.roles))
    .sign(await keyOf(secret));
}

/** Who a token speaks for, or null for anything that is not a valid token of ours. */
export async function verifyToken(config: Config, token: string, now: Date): Promise<Actor | null> {
  try {
    const { payload } = await jwtVerify(
      token,
      (header) => {
        const key = config.JWT_KEYS.find(([kid]) => kid === header.kid);
        if (!key) throw new errors.JWSInvalid("unknown key");
        return keyOf(key[1]);
      },
      { algorithms: ["HS256"], currentDate: now, requiredClaims: ["exp"] },
    );
    const claims = Claims.safeParse(payload);
    if (!claims.success) return null;
    return { userId: claims.data.id, sessionId: claims.data.sid, roles: claims.data.roles };
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
