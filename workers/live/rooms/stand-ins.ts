import type { Hosting, Live } from "./hosting.ts";
import type { Member, Members } from "./members.ts";

/**
 * Hosts whose app sends no token. The shipped app starts a live with its token, but its host screen's socket carries none
 * and claims no id: a guest of the address that the live was started from, in its room, is taken for him, unless he names
 * another's number. Of several hosts behind one address each has his own: one person stands for one host, and who has
 * gone is followed by one who is free, or comes. That proves that somebody there keeps the live open, and gives him nothing that a
 * guest has not. It ends with the first socket of the host that has a token.
 */
export class StandIns {
  readonly #members: Members;
  readonly #hosting: Hosting;
  readonly #found: (person: string) => void;

  constructor(parts: {
    members: Members;
    hosting: Hosting;
    /** Somebody turned out to stand for a host. */
    found(person: string): void;
  }) {
    this.#members = parts.members;
    this.#hosting = parts.hosting;
    this.#found = parts.found;
  }

  /** Whether a guest stands for this host. */
  standsFor(hostId: number): boolean {
    const live = this.#hosting.find(hostId);
    if (!live?.address || !live.standIn || live.isVerified) return false;
    return this.#members.isFrom(live.standIn, live.address);
  }

  /** How many hosts somebody stands for: each by one of his own. */
  get count(): number {
    return this.#hosting.list().filter(({ hostId }) => this.standsFor(hostId)).length;
  }

  /** Whether this member stands for some host. */
  isOne(member: Member): boolean {
    return this.#livesOf(member.address).some(({ standIn }) => standIn === member.key);
  }

  /** Does what may bring or take a stand-in from that address, and tells the lives of it. */
  watch<T>(address: string | null, now: number, act: () => T): T {
    const lives = this.#livesOf(address);
    const before = lives.map(({ hostId }) => this.standsFor(hostId));
    const result = act();
    lives.forEach(({ hostId }, i) => {
      const isHere = this.standsFor(hostId);
      if (isHere && !before[i]) this.#hosting.came(hostId, now, false);
      if (!isHere && before[i]) this.#hosting.went(hostId, now);
    });
    return result;
  }

  /** A guest is in: he stands for the host whom he names, else for one who has nobody. */
  arrived(member: Member): void {
    if (this.isOne(member)) return;
    const lives = this.#livesOf(member.address).filter((live) => isOf(live, member));
    const named = lives.find((live) => isNamedBy(live, member));
    if (named && this.standsFor(named.hostId)) {
      const other = this.#standInOf(named);
      if (other && isNamedBy(named, other)) return;
      this.#take(named, member);
      if (other) this.arrived(other);
      return;
    }
    const waiting = named ? [named] : lives.filter(({ hostId }) => !this.standsFor(hostId));
    const [first] = waiting.sort(whoseTurn);
    if (first) this.#take(first, member);
  }

  /** A member has gone: for whom he stood, somebody else from there does who stands for nobody. */
  left(member: Member): void {
    for (const live of this.#livesOf(member.address)) {
      if (live.standIn === member.key && !this.standsFor(live.hostId)) this.seek(live);
    }
  }

  /** Of those who are in already one stands for its host: who names him before the latest of the others. */
  seek(live: Live): void {
    const free = this.#members
      .guestsFrom(live.address ?? "")
      .filter((member) => isOf(live, member) && !this.isOne(member));
    const one = free.find((member) => isNamedBy(live, member)) ?? free.at(-1);
    if (one) this.#take(live, one);
  }

  #take(live: Live, { key }: Member): void {
    this.#hosting.standIn(live.hostId, key);
    this.#found(key);
  }

  #standInOf(live: Live): Member | undefined {
    return this.#members.guestsFrom(live.address ?? "").find(({ key }) => key === live.standIn);
  }

  #livesOf(address: string | null): Live[] {
    if (address === null) return [];
    return this.#hosting.list().filter((live) => live.address === address && !live.isVerified);
  }
}

const isNamedBy = ({ hostId }: Live, { key }: Member) => key.startsWith(`g:${hostId}:`);

/** A guest who claims no number, or the host's. */
const isOf = (live: Live, member: Member) =>
  member.key.startsWith("g:#") || isNamedBy(live, member);

/** Whoever has just gone live waits for his socket; then who went last. */
function whoseTurn(a: Live, b: Live): number {
  const wentAt = ({ seenAt }: Live) => seenAt ?? Number.POSITIVE_INFINITY;
  if (wentAt(a) !== wentAt(b)) return wentAt(b) - wentAt(a);
  return b.startedAt - a.startedAt;
}
