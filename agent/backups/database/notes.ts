import { DatabaseError, type Session } from "./connection.ts";
import type { Account } from "./makers.ts";
import { ownerOf, type Program, type Shown, wordsOf } from "./programs.ts";
import { ownerOfTrigger, type Trigger } from "./triggers.ts";

const MOST = 10;
const LONGEST = 200;
/** How the name of a database's keeper begins. */
const KEEPER = "nusantara_k_";

/** As many as the edge takes; of more it is said how many there are. */
export function atMostNotes(notes: readonly string[]): string[] {
  const short = notes.map((note) => note.slice(0, LONGEST));
  if (short.length <= MOST) return short;
  return [...short.slice(0, MOST - 1), `and ${short.length - MOST + 1} more of that kind`];
}

/** What of a database's programs is left out, cannot be made again, or would come back to another owner. */
export async function programNotes(
  session: Session,
  shown: readonly Shown[],
  triggers: readonly Trigger[],
): Promise<string[]> {
  const notes = shown.flatMap(({ unread, broken }) => [
    ...unread.map((one) => `${wordsOf(one)} is left out: the database cannot show its text`),
    ...broken.map(
      (one) => `${wordsOf(one)} is broken: a restore leaves it out if it cannot be made again`,
    ),
  ]);
  for (const [owner, name] of ownersOf(
    shown.flatMap(({ programs }) => programs),
    triggers,
  )) {
    const why = await whyUnreachable(session, owner);
    if (why === null) continue;
    notes.push(`${name} belongs to ${said(owner)}, ${why}: a restore gives it to a keeper`);
  }
  return notes;
}

/** Each owner with one of the things that are its own. */
function ownersOf(programs: readonly Program[], triggers: readonly Trigger[]) {
  const owned = [
    ...programs.map((one) => [ownerOf(one), wordsOf(one)] as const),
    ...triggers.map(
      (one) => [ownerOfTrigger(one), wordsOf({ kind: "TRIGGER", name: one.name })] as const,
    ),
  ];
  const byOwner = new Map(owned.map(([owner, name]) => [said(owner), [owner, name] as const]));
  return byOwner.values();
}

const said = (owner: Account | null): string =>
  owner ? `${owner.user}@${owner.host}`.replace(/[^\w@.%-]/g, "?").slice(0, 60) : "a role";

/** Null: it can be asked to make it again. */
async function whyUnreachable(session: Session, owner: Account | null): Promise<string | null> {
  if (!owner) return "which nobody signs in as";
  const { user, host } = owner;
  if (user.startsWith(KEEPER)) return null;
  try {
    const rows = await session.called("call mysql.nusantara_user(?, ?, '')", [user, host]);
    if (rows.length === 0) return "who is gone";
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return "who is the server's own";
  }
  return host === "localhost" || host === "%" ? null : "who signs in from elsewhere";
}
