export interface TokenBucketOptions {
  /** So many at once. */
  burst: number;
  /** So many a second in the long run. */
  perSecond: number;
}

/** Allows a burst and a steady rate. It starts full, also after an eviction: who slept that long has earned it. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #at: number;

  constructor(options: TokenBucketOptions, now: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#at = now;
  }

  /** Takes tokens, one unless told; false, and takes none, when there are not so many. */
  take(now: number, count = 1): boolean {
    const { burst, perSecond } = this.#options;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
