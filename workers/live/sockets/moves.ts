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
  sockets: string[];
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

  /** It came back. */
  returned(socket: string): void {
    this.#moves.delete(socket);
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
    if (known.isDirect || known.sockets.includes(socket)) return false;
    known.sockets.push(socket);
    return true;
  }

  /** The last events that came for a user: what a socket of his that leaves has, or takes along. */
  latest(userId: number): string[] {
    const events = [...this.#known].filter(([, known]) => known.userId === userId);
    return events.slice(-MAX_LATEST).map(([event]) => event);
  }

  #of(event: string): Known {
    const known = this.#known.get(event) ?? { userId: null, isDirect: false, sockets: [] };
    this.#known.set(event, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}
