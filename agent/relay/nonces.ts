/** How long a nonce is remembered: twice the window of 120 s in which its request is taken. */
export const rememberedMs = 240_000;

/** The nonces of the last minutes. Full, it takes no more: to forget one early would let its request be replayed. */
export class Nonces {
  private readonly seen = new Map<string, number>();
  private readonly most: number;

  constructor(most = 200_000) {
    this.most = most;
  }

  /** True for the first to come with this nonce; false for a repeat, "full" when nothing more can be remembered. */
  take(nonce: string, nowMs: number): boolean | "full" {
    // In order of arrival, so the oldest are in front.
    for (const [old, at] of this.seen) {
      if (nowMs - at <= rememberedMs) break;
      this.seen.delete(old);
    }
    if (this.seen.has(nonce)) return false;
    if (this.seen.size >= this.most) return "full";
    this.seen.set(nonce, nowMs);
    return true;
  }

  get size(): number {
    return this.seen.size;
  }
}
