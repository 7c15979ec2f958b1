import type { SignIn } from "./people.ts";

/** A user whose connection is being let in. */
export interface Arrival {
  readonly userId: number;
  readonly sessionId: string;
  /** True when his sign-in was ended meanwhile: what was read of it before is no longer so. */
  isEnded: boolean;
}

/**
 * Users on their way in on this shard. They are no sockets yet, but already what their home counts on: an end of their
 * sign-in that comes now must not miss them.
 */
export class Arrivals {
  readonly #all = new Set<Arrival>();

  begin({ userId, sessionId }: SignIn): Arrival {
    const arrival = { userId, sessionId, isEnded: false };
    this.#all.add(arrival);
    return arrival;
  }

  done(arrival: Arrival): void {
    this.#all.delete(arrival);
  }

  has(userId: number): boolean {
    return [...this.#all].some((arrival) => arrival.userId === userId);
  }

  /** All of a user, or those of one sign-in. */
  end(userId: number, sessionId: string | null): void {
    for (const arrival of this.#all) {
      if (arrival.userId !== userId) continue;
      if (sessionId === null || arrival.sessionId === sessionId) arrival.isEnded = true;
    }
  }
}
