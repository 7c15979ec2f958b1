import { MAX_LINE_LENGTH, MAX_PROGRESS_LINES } from "../../shared/agent-protocol/index.ts";
import type { Progress } from "../ctx.ts";

const EVERY_MS = 1_000;

/** Passes progress on at most once a second; lines that come faster go together, the latest of them. */
export function throttled(
  now: () => number,
  tell: (percent: number, lines: string[]) => void,
): { progress: Progress; flush(): void } {
  let last = Number.NEGATIVE_INFINITY;
  let percent = 0;
  let lines: string[] = [];
  let isWaiting = false;
  const flush = () => {
    if (!isWaiting) return;
    isWaiting = false;
    last = now();
    tell(percent, lines);
    lines = [];
  };
  return {
    progress: (reached, told = []) => {
      percent = Math.max(percent, Math.min(100, Math.max(0, reached)));
      const cut = told.map((line) => line.slice(0, MAX_LINE_LENGTH));
      lines = [...lines, ...cut].slice(-MAX_PROGRESS_LINES);
      isWaiting = true;
      if (now() - last >= EVERY_MS) flush();
    },
    flush,
  };
}
