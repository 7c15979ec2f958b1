import { z } from "zod";
import { clean, count, text, written } from "./fields.ts";
import { badAnswer, field, type Line, refusedRead } from "./line.ts";
import { failureOfText, refusalOf } from "./refusals.ts";
import type { AccountLevel } from "./services.ts";

export interface Profile {
  fullName: string;
  username: string;
  balance: number;
  point: number;
  /** Which of the three prices we pay; null for a word that is none of them. */
  level: AccountLevel | null;
}

export interface NicknameInput {
  /** A game of the supplier's nickname list: `mobile-legends`, `free-fire`, … */
  code: string;
  target: string;
  additionalTarget?: string | null;
}

/** A balance is rounded down: what we have is never taken for more. */
const balance = written.transform((value) => Math.floor(Number(value))).pipe(z.number().int());

const ProfileData = z.object({
  full_name: text,
  username: text,
  balance,
  point: count,
  level: text,
});

const LEVELS: readonly AccountLevel[] = ["basic", "premium", "special"];

export async function getProfile(line: Line): Promise<Profile> {
  const { data } = await line.read("profile", {});
  const profile = ProfileData.safeParse(data);
  if (!profile.success) throw badAnswer("a profile of another shape");
  const { full_name: fullName, username, point, level } = profile.data;
  const word = level.toLowerCase();
  return {
    fullName,
    username,
    balance: profile.data.balance,
    point: point ?? 0,
    level: LEVELS.find((known) => known === word) ?? null,
  };
}

/** Refusals that speak of us or of the supplier, not of the player. */
const NOT_THE_PLAYER = [
  "low_balance",
  "not_permitted_address",
  "maintenance",
  "unavailable",
  "other",
];

/** Who would buy looks on: longer he does not wait for a turn. */
const NICKNAME_TURN_MS = 10_000;

/** A player's name (providers/vip-reseller.md, `get-nickname`); null where there is no such player. */
export async function getNickname(line: Line, input: NicknameInput): Promise<string | null> {
  const fields = {
    type: "get-nickname",
    code: field("code", input.code),
    target: field("target", input.target),
    ...(input.additionalTarget
      ? { additional_target: field("additional target", input.additionalTarget) }
      : {}),
  };
  const envelope = await line.ask("game-feature", fields, { visitorMs: NICKNAME_TURN_MS });
  if (!envelope.result) {
    const reason = refusalOf(envelope.message);
    const passing = failureOfText(envelope.message).retryable;
    if (passing || (reason && NOT_THE_PLAYER.includes(reason))) throw refusedRead(envelope.message);
    return null;
  }
  const nickname = typeof envelope.data === "string" ? clean(envelope.data, 100) : "";
  if (nickname === "") throw badAnswer("a nickname of another shape");
  return nickname;
}
