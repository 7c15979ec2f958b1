import type { Bound, Hosting, Live } from "./hosting.ts";
import { type Member, type Members, visitorOf } from "./members.ts";

/** The app opens its host screen's socket, prepares the camera and only then asks for the start: so long before, at most. */
const PREPARING_MS = 60_000;

/**
 * Hosts whose app sends no token. The shipped app starts a live with its token, but its host screen joins the room as nobody:
 * no token, no number. A viewer's screen always names a number. So a guest without one, of the address that the live was
 * started from, is taken for its host; who claims the host's own number may be he, who claims another's never is.
 *
 * That is decided once. From then on the live is that socket's alone, and after it of the one whose client names its secret
 * when it comes back, from wherever. For an app that knows none there is one more way: a connection made after the first
 * was lost without a goodbye, from the same address and under the same claims. Whoever else is there, or comes, is a
 * viewer. It ends with the first socket of the host that has a token, which proves more.
 */
export class StandIns {
  readonly #members: Members;
  readonly #hosting: Hosting;
  readonly #found: (visitor: string) => void;

  constructor(parts: {
    members: Members;
    hosting: Hosting;
    /** Somebody turned out to stand for a host. */
    found(visitor: string): void;
  }) {
    this.#members = parts.members;
    this.#hosting = parts.hosting;
    this.#found = parts.found;
  }

  /** Whether a guest stands for this host. */
  standsFor(hostId: number): boolean {
    const live = this.#hosting.find(hostId);
    return live !== undefined && this.#isHere(live);
  }

  /** How many hosts somebody stands for: each by one of his own. */
  get count(): number {
    return this.#hosting.list().filter((live) => this.#isHere(live)).length;
  }

  /** Whether this member stands for some host. */
  isOne({ socket }: Member): boolean {
    return this.#open().some((live) => live.bound?.socket === socket && this.#isHere(live));
  }

  /** Does what may bring or take a stand-in, and tells the lives of it. */
  watch<T>(now: number, act: () => T): T {
    const lives = this.#open();
    const before = lives.map((live) => this.#isHere(live));
    const result = act();
    lives.forEach(({ hostId }, i) => {
      const isHere = this.standsFor(hostId);
      if (isHere && !before[i]) this.#hosting.came(hostId, now, false);
      if (!isHere && before[i]) this.#hosting.went(hostId, now);
    });
    return result;
  }

  /** A guest is in: he goes on for the host for whom he stood, else he may stand for one who has nobody. */
  arrived(member: Member, now: number): void {
    const { formerPid = null } = member.line ?? {};
    const lives = this.#open().filter(({ hostId }) => isNobodyElse(hostId, member));
    const own = this.#open().find(({ bound }) => bound?.socket === member.socket);
    if (own?.bound) {
      if (this.#isHere(own)) this.#hosting.bind(own.hostId, { ...own.bound, hasLeft: false });
      return;
    }
    const isNext = ({ bound }: Live) =>
      bound !== null && bound.pid === formerPid && isStillHost(bound, member);
    const next = formerPid === null ? undefined : lives.find(isNext);
    const gone = lives.filter((live) => !this.#isHere(live));
    const live = next ?? this.#waiting(gone, member, now) ?? lostBy(gone, member);
    if (live) this.#take(live, member);
  }

  /** Of a socket that stands for a host: whether it came in under a number. */
  cameAs(socket: string): boolean | undefined {
    const live = this.#open().find(({ bound }) => bound?.socket === socket && !bound.hasLeft);
    return live?.bound?.isNamed;
  }

  /** A member has gone. After a goodbye only he himself comes back as the one he was. */
  left({ socket }: Member, isGoodbye: boolean): void {
    for (const { hostId, bound } of this.#open()) {
      if (bound?.socket === socket) this.#hosting.bind(hostId, { ...bound, hasLeft: isGoodbye });
    }
  }

  /** A live has begun, asked for at a time: one of those who are in already stands for its host. */
  seek(live: Live, askedAt: number): void {
    const free = this.#members
      .guestsFrom(live.address ?? "")
      .filter((member) => isNobodyElse(live.hostId, member) && !this.isOne(member));
    const [one] = free.sort((a, b) => rankOf(live, a) - rankOf(live, b) || byTurn(askedAt)(a, b));
    if (one) this.#take(live, one);
  }

  /** Lives that began and that nobody has stood for yet, of his address: whose turn it is. */
  #waiting(lives: Live[], member: Member, now: number): Live | undefined {
    const turn = byTurn(now);
    const byAge = (a: Live, b: Live) => turn({ since: a.startedAt }, { since: b.startedAt });
    return lives
      .filter(({ bound, address }) => bound === null && address === member.address)
      .sort((a, b) => rankOf(a, member) - rankOf(b, member) || byAge(a, b))[0];
  }

  #isHere({ hostId, bound, isVerified }: Live): boolean {
    const member = bound && !isVerified ? this.#members.find(bound.socket) : undefined;
    if (!bound || !member) return false;
    return isNobodyElse(hostId, member) && isStillHost(bound, member);
  }

  #take({ hostId }: Live, member: Member): void {
    const visitor = visitorOf(member);
    const { socket, name, isNamed, line } = member;
    const { pid = null, number = null } = line ?? {};
    this.#hosting.bind(hostId, { socket, pid, visitor, name, number, isNamed, hasLeft: false });
    this.#found(visitor);
  }

  /** Lives that a guest may stand for. */
  #open(): Live[] {
    return this.#hosting
      .list()
      .filter(({ isVerified, address, bound }) => !isVerified && (address !== null || bound));
  }
}

/** Who came in as nobody and now comes in under a number has gone over to the screen of a viewer. */
const isStillHost = (bound: Bound, { isNamed }: Member) => bound.isNamed || !isNamed;

/** He has claimed no number, or the host's. */
function isNobodyElse(hostId: number, { line, key, isNamed }: Member): boolean {
  if (line?.number) return line.number === String(hostId);
  return !isNamed || key.startsWith(`g:${hostId}:`);
}

/** Who has claimed the host's number and comes in as nobody is surest: the app's own way from viewing to hosting. */
function rankOf({ hostId }: Live, { line, isNamed }: Member): number {
  if (isNamed) return 2;
  return line?.number === String(hostId) ? 0 : 1;
}

/** Several who are about to go live do so in their order; of those who came long before, the latest is nearest. */
const byTurn = (at: number) => (a: { since: number }, b: { since: number }) => {
  const isRecent = ({ since }: { since: number }) => since >= at - PREPARING_MS;
  if (isRecent(a) !== isRecent(b)) return isRecent(a) ? -1 : 1;
  return isRecent(a) ? a.since - b.since : b.since - a.since;
};

/** The live whose socket was lost, for a new connection that knows no secret and claims the same: of several the last. */
function lostBy(lives: Live[], { line, address, name, isNamed }: Member): Live | undefined {
  if (!line || line.formerPid !== null) return undefined;
  const isFollowed = ({ bound, seenAt, address: from }: Live) =>
    bound !== null &&
    !bound.hasLeft &&
    from === address &&
    (seenAt ?? Number.POSITIVE_INFINITY) <= line.at &&
    bound.name === name &&
    bound.number === line.number &&
    bound.isNamed === isNamed;
  return lives.filter(isFollowed).sort((a, b) => (b.seenAt ?? 0) - (a.seenAt ?? 0))[0];
}
