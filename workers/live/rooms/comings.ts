import type { Broadcasts } from "./broadcasts.ts";
import type { Member, Members } from "./members.ts";
import type { RoomKind } from "./names.ts";
import { Pace } from "./pace.ts";
import { personPayload } from "./payloads.ts";

/** Comings and goings that a room shows, in hundreds of viewers: beyond it the number of viewers tells enough. */
const COMINGS = { burst: 30, perSecond: 10 };

/** Shows who comes to a room and who goes, as far as a room wants to see it; a seat that is taken or left always. */
export class Comings {
  readonly #parts: {
    kind: RoomKind;
    roomId: string;
    members: Members;
    broadcasts: Broadcasts;
    now: () => number;
  };
  readonly #pace: Pace;

  constructor(parts: {
    kind: RoomKind;
    roomId: string;
    members: Members;
    broadcasts: Broadcasts;
    now: () => number;
  }) {
    this.#parts = parts;
    this.#pace = new Pace(COMINGS, parts.now());
  }

  /** The app shows its own coming to a live itself; who sits where in a party is for all. */
  joined(member: Member): void {
    this.#show("joined", member, this.#parts.kind === "live" ? member.socket : null);
  }

  /** A person is gone with his last socket. */
  left(member: Member): void {
    this.#show("left", member, member.socket);
  }

  /** A socket left its seat, and its person is still here: he is shown as he is now, unless another of his sits there. */
  gotUp({ key, seat }: Member): void {
    const others = this.#parts.members.ofPerson(key);
    if (seat === null || others.some((other) => other.seat === seat)) return;
    const other = others.find((other) => other.seat !== null) ?? others[0];
    if (other) this.joined(other);
  }

  #show(what: "joined" | "left", member: Member, except: string | null): void {
    const { kind, roomId, broadcasts, members, now } = this.#parts;
    const weight = Math.max(1, members.count / 100);
    if (member.seat === null && !this.#pace.take(now(), weight)) return;
    broadcasts.say(`${kind}:user-${what}`, personPayload(kind, roomId, member), { except });
  }
}
