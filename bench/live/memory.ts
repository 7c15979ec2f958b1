import { readFileSync } from "node:fs";

/** The memory that a process holds (Linux), in KiB. */
export function residentKib(pid: number): number {
  const [, pages = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Number(pages) * 4;
}
