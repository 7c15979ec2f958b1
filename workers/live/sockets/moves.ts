/** Where a socket went from here, and the number of that move of it. */
export interface Move {
  socket: string;
  userId: number;
  shard: string;
  turn: number;
}

/** How an event for a user came to this shard: to all of his sockets here, or passed on to some. */
interface Known {
  userId: number | null;
  isDirect: boolean;
  /** Those that have it, besides all who were here when it came directly. */
  sockets: string[];
  /** Those that came here later. */
  late: string[];
}

/** What is on its way to a shard when a socket leaves it, and the time until its user's home knows where it is now. */
const MOVING_MS = 60_000;
const MAX_KNOWN = 1_000;
const MAX_LATEST = 30;

/**
 * Sockets of users on their way between shards. The shard that gave one away passes on what is sent to its user, until
 * his home knows the new one; that one may get an event both ways, and gives it to the socket once.
 */
export class Moves {
  readonly #now: () => number;
  readonly #moves = new Map<string, Move & { until: number }>();
  readonly #known = new Map<string, Known>();

  constructor(now: () => number) {
    this.#now = now;
  }

  left(move: Move): void {
    const now = this.#now();
    for (const [old, { until }] of this.#moves) if (until <= now) this.#moves.delete(old);
    this.#moves.set(move.socket, { ...move, until: now + MOVING_MS });
  }

  /** A socket of a user came here, with these events. What came directly before it was for others. */
  came(socket: string, userId: number, had: readonly string[]): void {
    this.#moves.delete(socket);
    for (const event of had) {
      const known = this.#of(event);
      known.userId = userId;
      if (!known.sockets.includes(socket)) known.sockets.push(socket);
    }
    for (const known of this.#known.values()) {
      const { isDirect, sockets, late } = known;
      if (known.userId !== userId || !isDirect || sockets.includes(socket)) continue;
      if (!late.includes(socket)) late.push(socket);
    }
  }

  /** Where a socket went on that had come here with some move; null while it is here. */
  after(socket: string, turn: number): Move | null {
    const move = this.#moves.get(socket);
    return move && move.turn > turn && move.until > this.#now() ? move : null;
  }

  /** The moves of a user's sockets that left just now. */
  of(userId: number): Move[] {
    const now = this.#now();
    return [...this.#moves.values()].filter((move) => move.userId === userId && move.until > now);
  }

  /** An event came for all sockets of its user: answers those that have it already; null when all have. */
  direct(event: string, userId: number): string[] | null {
    const known = this.#of(event);
    known.userId = userId;
    if (known.isDirect) return null;
    known.isDirect = true;
    return known.sockets;
  }

  /** An event came for one socket: false when that has it already. */
  passedOn(event: string, { socket, userId }: Pick<Move, "socket" | "userId">): boolean {
    const known = this.#of(event);
    known.userId = userId;
    if (has(known, socket)) return false;
    known.sockets.push(socket);
    return true;
  }

  /** The last events of a user that a socket of his has, or takes along, when it leaves. */
  latest(userId: number, socket: string): string[] {
    const events = [...this.#known].filter(
      ([, known]) => known.userId === userId && has(known, socket),
    );
    return events.slice(-MAX_LATEST).map(([event]) => event);
  }

  #of(event: string): Known {
    const known = this.#known.get(event) ?? {
      ...{ userId: null, isDirect: false },
      ...{ sockets: [], late: [] },
    };
    this.#known.set(event, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}

const has = ({ isDirect, sockets, late }: Known, socket: string): boolean =>
  sockets.includes(socket) || (isDirect && !late.includes(socket));
