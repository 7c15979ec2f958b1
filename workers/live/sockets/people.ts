import { decodeJwt } from "jose";
import { z } from "zod";
import { bearerOf } from "../../../shared/auth/bearer.ts";
import { verifyToken } from "../../../shared/auth/tokens.ts";
import type { Actor, Ctx } from "../../../shared/context.ts";
import { call, type Statement } from "../../../shared/db/statement.ts";
import type { PersonCard } from "../rooms/ops.ts";
import type { HandshakeRequest } from "../socketio/index.ts";
import type { Claim } from "./events.ts";
import { userKey } from "./home.ts";

/** What a socket carries: small, kept with it through evictions. */
export interface SocketData {
  person: PersonCard;
  /** Null for a guest. */
  signIn: SignIn | null;
  /** True when the client asked for `live:batch` frames. */
  isBatched: boolean;
  /** True when the client says that it was connected before. */
  isReturning: boolean;
  /** The pid that it named, where it did not go on as that socket. */
  formerPid?: string | null;
  seat: { room: string; seat: number } | null;
  /** His home did not say where he was: it is asked again, unless he goes somewhere himself. */
  isAdrift?: boolean;
  /** Rooms that it was in on another shard and is not in here yet, with the last that reached it there. */
  pending?: Record<string, number | null>;
  /** How often it went from one shard to another. */
  moves?: number;
  /** On its way to another shard: the last events of its user that it has, or takes along. */
  had?: string[];
}

/** The token's word: who, by which sign-in, until when. */
export interface SignIn extends Actor {
  expiresAt: number;
}

/** What rooms show of a user; null when his sign-in is over. */
export type Profile = Omit<PersonCard, "key" | "userId" | "address" | "line"> | null;

/** The token that a client presents: in its CONNECT packet, a header or the address; null for a guest. */
export function tokenOf(request: HandshakeRequest, auth: Record<string, unknown>): string | null {
  const header = bearerOf(request.headers.authorization);
  for (const token of [auth.token, header, request.query.token]) {
    const value = token ?? "";
    // What is no text is no token of ours; a client's object need not turn into one.
    const text = typeof value === "string" ? value : JSON.stringify(value);
    // Some screens of the app read a missing key and send the word for it.
    if (text !== "" && text !== "null" && text !== "undefined") return text;
  }
  return null;
}

/** Who a token speaks for and until when; null for anything that is not a valid token of ours. */
export async function signInOf(ctx: Ctx, token: string): Promise<SignIn | null> {
  const actor = await verifyToken(ctx.config, token, ctx.now());
  const { exp } = actor ? decodeJwt(token) : {};
  return actor && exp !== undefined ? { ...actor, expiresAt: exp * 1_000 } : null;
}

const People = z.array(
  z
    .object({
      name: z.string(),
      avatar: z.string().nullable(),
      level: z.number(),
      vip: z.number(),
    })
    .nullable(),
);

const rowOf = ({ userId, sessionId }: Actor) => ({ user_id: userId, session_id: sessionId });

/** Asks Postgres whether sign-ins are alive, and what their users look like; one statement for all. */
export async function profilesOf(ctx: Ctx, signIns: SignIn[]): Promise<Profile[]> {
  return await ctx.db.run(call("live_socket_people", { people: signIns.map(rowOf) }, People));
}

/** Raises `bad_token` with `meta.ended` unless all of these sign-ins are alive. For `ctx.db.guard`. */
export function requireSignIns(
  people: { userId: number; sessionId: string }[],
): Statement<unknown> {
  return {
    sql: "select live_require_sign_ins($1::jsonb)",
    params: [
      JSON.stringify({
        people: people.map(({ userId, sessionId }) => ({ user_id: userId, session_id: sessionId })),
      }),
    ],
    arrayMode: true,
    map: () => undefined,
  };
}

/** A user whose profile could not be read yet: the database is away, the token's signature is good. */
const UNREAD = { name: "Pengguna", avatar: null, level: 1, vip: 0 };

export function userCard(userId: number, profile: Profile): PersonCard {
  return { key: userKey(userId), userId, address: null, line: null, ...(profile ?? UNREAD) };
}

/** A guest who has claimed nothing yet: nothing that a user has. */
export function guestCard(
  socket: { id: string; pid: string },
  { address, formerPid, at }: { address: string | null; formerPid: string | null; at: number },
): PersonCard {
  const line = { pid: socket.pid, formerPid, at, number: null, visitor: null };
  const nobody = { userId: null, name: "Tamu", avatar: null, level: 1, vip: 0 };
  return { key: `g:#${socket.id}`, ...nobody, address, line };
}

/** A guest who goes on from before connections had a line: he is who he was, and known by his secret from now on. */
export function keptCard(card: PersonCard, pid: string, at: number): PersonCard {
  if (card.userId !== null || card.line) return card;
  return { ...card, line: { pid, formerPid: null, at, number: null, visitor: card.key } };
}

/** A guest under the name and number that he claims now. Among those who came he stays who he was first. */
export function claimedCard(card: PersonCard, claim: Claim, socketId: string): PersonCard {
  const name = claim.name || "Tamu";
  const key = claim.id ? `g:${claim.id}:${name}` : `g:#${socketId}`;
  // One from before an update has none.
  if (!card.line) return { ...card, key, name };
  const { pid, formerPid } = card.line;
  const first = claim.id ? key : `g:@${formerPid ?? pid}`;
  const number = claim.id ?? card.line.number;
  const line = { ...card.line, number, visitor: card.line.visitor ?? first };
  return { ...card, key, name, line };
}

/**
 * The name under which homes keep a person's rooms. A guest who claims no id is known by the secret of his connection,
 * which his client names when it comes back; null where there is none.
 */
export function placeKey({ key }: PersonCard, pid: string | null | undefined): string | null {
  if (!key.startsWith("g:#")) return key;
  return pid ? `g:@${pid}` : null;
}
