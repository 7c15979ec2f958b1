/** Waits before an object that did not answer is asked again for somebody who comes back: it is being moved. */
export const RETRIES_MS = [200, 1_000, 3_000];

/** Asks an object again, after pauses, while it does not answer, and what is asked is still due. */
export async function stubbornly<T>(
  call: () => Promise<T>,
  {
    pausesMs = RETRIES_MS,
    isDue = () => true,
  }: { pausesMs?: readonly number[]; isDue?: () => boolean } = {},
): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await call();
    } catch (error) {
      await new Promise((wake) => setTimeout(wake, pauseMs));
      if (!isDue()) throw error;
    }
  }
  return await call();
}
