interface Bucket {
  left: number;
  at: number;
}

/** Token buckets: each key may make `perSecond` calls a second, and `burst` at once after a rest. */
export class Rates {
  private readonly buckets = new Map<string, Bucket>();

  /** 0 when the call may go on, else after how many milliseconds one more may. */
  take(key: string, perSecond: number, now: number, burst = perSecond): number {
    const full = Math.max(1, burst);
    const bucket = this.buckets.get(key) ?? { left: full, at: now };
    const gained = (Math.max(0, now - bucket.at) / 1000) * perSecond;
    const left = Math.min(full, bucket.left + gained);
    const wait = left >= 1 ? 0 : Math.ceil(((1 - left) / perSecond) * 1000);
    this.buckets.set(key, { left: wait === 0 ? left - 1 : left, at: now });
    return wait;
  }
}
