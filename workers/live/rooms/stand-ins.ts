import type { Hosting, Live } from "./hosting.ts";
import type { Member, Members } from "./members.ts";

/**
 * Hosts whose app sends no token. The shipped app starts a live with its token, but its host screen's socket carries none
 * and claims no id: a guest of the address that the live was started from, in its room, is taken for him. That proves
 * that somebody there keeps the live open, and gives him nothing that a guest has not. It ends with the first socket of
 * the host that has a token.
 */
export class StandIns {
  readonly #members: Members;
  readonly #hosting: Hosting;

  constructor(parts: { members: Members; hosting: Hosting }) {
    this.#members = parts.members;
    this.#hosting = parts.hosting;
  }

  /** Whether a guest stands for this host. */
  standsFor(hostId: number): boolean {
    const live = this.#hosting.find(hostId);
    if (!live?.address || live.isVerified) return false;
    return this.#members.guestsFrom(live.address).some((member) => isOf(live, member));
  }

  /** How many people stand for hosts: whoever shares his address with several does so once. */
  get count(): number {
    const people = new Set<string>();
    for (const live of this.#hosting.list()) {
      if (!live.address || live.isVerified) continue;
      const isOther = (member: Member) => isOf(live, member) && !people.has(member.key);
      const one = this.#members.guestsFrom(live.address).find(isOther);
      if (one) people.add(one.key);
    }
    return people.size;
  }

  /** Whether this member stands for some host. */
  isOne(member: Member): boolean {
    return this.#livesOf(member.address).some((live) => isOf(live, member));
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

  #livesOf(address: string | null): Live[] {
    if (address === null) return [];
    return this.#hosting.list().filter((live) => live.address === address && !live.isVerified);
  }
}

/** A guest who claims no number, or the host's. */
const isOf = ({ hostId }: Live, { key }: Member) =>
  key.startsWith("g:#") || key.startsWith(`g:${hostId}:`);
