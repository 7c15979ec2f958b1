import { Unanswered } from "./errors.ts";

/**
 * Lets `work` take `ms` and no longer: then it ends as `Unanswered`, and its signal has aborted what it waits for. The
 * clock is cleared as soon as the work ends, for one that runs keeps an object from resting.
 */
export async function withDeadline<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  let clock: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    clock = setTimeout(() => {
      const error = new Unanswered(`silent for ${ms} ms`);
      reject(error);
      ending.abort(error);
    }, ms);
  });
  try {
    return await Promise.race([work(ending.signal), late]);
  } finally {
    clearTimeout(clock);
  }
}
