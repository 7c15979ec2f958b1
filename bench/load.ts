import { readdirSync, readFileSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";

export interface Shot {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** Makes the n-th request; each may differ (an own e-mail, an own order). */
export type Aim = (n: number) => Shot;

export interface Target {
  port: number;
  pid: number;
}

export interface Measured {
  p50Ms: number;
  p99Ms: number;
  /** CPU of the server process per request, in microseconds; NaN where the system keeps no such books. */
  cpuUs: number;
  failures: number;
}

export interface Load {
  count: number;
  concurrency: number;
}

/** Sends `count` requests, `concurrency` at a time, over kept connections. */
export async function fire(target: Target, aim: () => Shot, load: Load): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.concurrency });
  const times: number[] = [];
  let failures = 0;
  let left = load.count;
  const cpuBefore = cpuMicroseconds(target.pid);
  const client = async () => {
    while (left-- > 0) {
      const shot = aim();
      const start = performance.now();
      const { status } = await send(target.port, shot, agent);
      times.push(performance.now() - start);
      if (status >= 400) failures += 1;
    }
  };
  await Promise.all(Array.from({ length: load.concurrency }, client));
  const cpuUs = (cpuMicroseconds(target.pid) - cpuBefore) / load.count;
  agent.destroy();
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99), cpuUs, failures };
}

const PATIENCE_MS = 15_000;

export interface Answer {
  status: number;
  text: string;
}

/** One request; resolves when the whole answer has arrived. */
export function send(port: number, shot: Shot, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { ...shot.headers };
    if (shot.body) {
      headers["content-type"] = "application/json";
      headers["content-length"] = String(Buffer.byteLength(shot.body));
    }
    const { method, path } = shot;
    const place = { host: "127.0.0.1", port, timeout: PATIENCE_MS };
    const options = { ...place, method, path, headers, ...(agent ? { agent } : {}) };
    const outgoing = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.on("error", reject);
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer to ${method} ${path}`)));
    outgoing.end(shot.body);
  });
}

/** Time on a processor of all threads of a process so far, from the scheduler's own books (Linux). */
export function cpuMicroseconds(pid: number): number {
  let nanoseconds = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [ran] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      nanoseconds += Number(ran);
    }
    return nanoseconds / 1000;
  } catch {
    return Number.NaN;
  }
}

export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: number[]): number => percentile(values, 0.5);

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
