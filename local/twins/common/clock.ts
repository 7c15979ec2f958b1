import { clearTimeout, setTimeout } from "node:timers";

/** Milliseconds since 1970; tests pass their own to move time without sleeping. */
export type Clock = () => number;

/** Western Indonesian time, `YYYY-MM-DD HH:mm:ss` without a zone, as Midtrans and KiriminAja write it. */
export function wib(ms: number): string {
  return new Date(ms + 7 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
}

/** Reads `YYYY-MM-DD HH:mm:ss` in WIB, with or without ` +0700`; null when it is anything else. */
export function parseWib(text: string): number | null {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)( \+0700)?$/.exec(text);
  if (!match) return null;
  const ms = Date.parse(`${match[1]}T${match[2]}+07:00`);
  return Number.isNaN(ms) ? null : ms;
}

/** The longest wait a Node timer can hold. */
const longestMs = 2_147_000_000;

/** Every timer of a twin in one place, so that `stop()` leaves nothing behind and none keeps Node alive. */
export class Timers {
  private readonly pending = new Set<NodeJS.Timeout>();

  later(ms: number, run: () => void): () => void {
    const timer = setTimeout(
      () => {
        this.pending.delete(timer);
        run();
      },
      Math.min(Math.max(0, ms), longestMs),
    );
    timer.unref();
    this.pending.add(timer);
    return () => {
      clearTimeout(timer);
      this.pending.delete(timer);
    };
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.later(ms, resolve));
  }

  clear(): void {
    for (const timer of this.pending) clearTimeout(timer);
    this.pending.clear();
  }
}
