import { readFileSync } from "node:fs";

/** The memory that a process holds (Linux), in KiB. */
export function residentKib(pid: number): number {
  const [, pages = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Number(pages) * 4;
}

/** Of that, what it shares with no other process of the same program, in KiB. */
export function privateKib(pid: number): number {
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1] ?? Number.NaN);
}
