import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Aim, cpuMicroseconds, fire, send } from "../load.ts";
import { line, milliseconds } from "../table.ts";
import type { Running } from "../workerd.ts";

const COMMANDS = 1_000;
const SUBJECTS = 16;
const SINGLE = 200;

export interface LinkSide {
  worker: Running;
  /** Where objects of servers are called by themselves. */
  links: number;
  server: string;
}

const order =
  (server: string, what: string, count: number, sideBySide: number): Aim =>
  () => ({
    method: "POST",
    path: "/",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ server, what, count, sideBySide }),
  });

/** Commands a second through one server's link: taken, sealed, stored, sent, answered, recorded, waited for, forgotten. */
export async function benchThroughput(name: string, { worker, links, server }: LinkSide) {
  for (const [sideBySide, count] of [
    [1, COMMANDS / 4],
    [SUBJECTS, COMMANDS],
  ] as const) {
    await shoot(links, order(server, "command", 50, sideBySide));
    const cpu = cpuMicroseconds(worker.pid);
    const began = performance.now();
    await shoot(links, order(server, "command", count, sideBySide));
    const seconds = (performance.now() - began) / 1_000;
    const cpuUs = (cpuMicroseconds(worker.pid) - cpu) / count;
    const subjects = `${sideBySide} subject${sideBySide > 1 ? "s" : ""}`;
    console.log(
      line(`${name}, ${subjects}`, [
        `${(count / seconds).toFixed(0)} commands/s`.padStart(20),
        `${cpuUs.toFixed(0)} µs of the Worker's CPU each`.padStart(36),
      ]),
    );
  }
}

/** One at a time: a plain HTTP call to a process on the server, and the same by way of the link. */
export async function benchLatency({ worker, links, server }: LinkSide): Promise<void> {
  const direct = createServer((request, response) => {
    request.resume().on("end", () => response.end(JSON.stringify({ databases: [] })));
  });
  direct.listen(0, "127.0.0.1");
  await once(direct, "listening");
  const { port } = direct.address() as AddressInfo;
  const load = { count: SINGLE, concurrency: 1 };
  const once1 = (what: string) => order(server, what, 1, 1);
  const aim = (one: Aim) => () => one(0);
  const plain = await fire({ port, pid: process.pid }, aim(once1("ask")), load);
  const asked = await fire({ port: links, pid: worker.pid }, aim(once1("ask")), load);
  const ordered = await fire({ port: links, pid: worker.pid }, aim(once1("command")), load);
  direct.close();
  direct.closeAllConnections();
  const show = (name: string, { p50Ms, p99Ms }: typeof plain) =>
    console.log(
      line(name, [
        `p50 ${milliseconds(p50Ms)} ms`.padStart(16),
        `p99 ${milliseconds(p99Ms)} ms`.padStart(16),
        `(+${(p50Ms - plain.p50Ms).toFixed(2)} ms)`.padStart(14),
      ]),
    );
  show("a direct call", plain);
  show("a question by way of the link", asked);
  show("a command by way of the link", ordered);
}

async function shoot(port: number, aim: Aim): Promise<void> {
  const { status, text } = await send(port, aim(0));
  if (status !== 200) throw new Error(`the link answered ${status}: ${text.slice(0, 300)}`);
}
