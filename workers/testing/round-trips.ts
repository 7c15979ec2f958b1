import { vi } from "vitest";

/** Requests that tests made. Objects of other tests wake by themselves and ask Postgres too, under ids of their own. */
const requests = new Set<string>();

/** Says that a request was a test's own, by the id that its answer or its context carries. */
export function noteRequest(id: string | null): void {
  if (id !== null) requests.add(id);
}

/** How many times the requests that the work makes went to Postgres. */
export async function roundTrips(work: () => Promise<unknown>): Promise<number> {
  const spy = vi.spyOn(globalThis, "fetch");
  try {
    await work();
    return spy.mock.calls.filter(
      ([target, init]) => String(target).endsWith("/sql") && requests.has(requestIdOf(init)),
    ).length;
  } finally {
    spy.mockRestore();
  }
}

const requestIdOf = (init: RequestInit | undefined): string =>
  new Headers(init?.headers).get("x-request-id") ?? "";
