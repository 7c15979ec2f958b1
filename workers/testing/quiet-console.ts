/**
 * Keeps what the Worker logs until somebody asks for it. Each line that vitest takes over is a call to the runner, made in
 * the request that logged; vitest waits at the end of a file for all of them, and for ever for one whose request has
 * ended before its answer came.
 */
const LEVELS = ["debug", "log", "info", "warn", "error"] as const;
const show = console.log.bind(console);
const lines: unknown[][] = [];

for (const level of LEVELS) {
  console[level] = (...line: unknown[]) => {
    lines.push(line);
  };
}

/** Ends what was kept so far: shown, or forgotten. */
export function endLog(end: "shown" | "forgotten"): void {
  const logged = lines.splice(0);
  if (end === "shown") for (const line of logged) show(...line);
}
