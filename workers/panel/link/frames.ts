import { type AgentFrame, CLOSE, readAgentFrame } from "../../../shared/agent-protocol/index.ts";
import type { Log } from "../../../shared/log.ts";
import type { Asks } from "./asks.ts";
import type { CommandDesk } from "./desk.ts";
import type { News } from "./news.ts";
import { Pace } from "./pace.ts";
import { type AgentSocket, closeQuietly, connectionOf, write } from "./sockets.ts";

/** An agent that sends more of what is no frame is cut off; it may come back. */
const MAX_STRIKES = 10;
const REPORT_EVERY_MS = 20_000;
const PROGRESS_EVERY_MS = 1_000;
const LINES_KEPT = 200;

interface Told {
  percent: number;
  lines: string[];
}

const mergeTold = (held: Told, next: Told): Told => ({
  percent: next.percent,
  lines: [...held.lines, ...next.lines].slice(-LINES_KEPT),
});

interface FramesDeps {
  socket: AgentSocket;
  desk: CommandDesk;
  asks: Asks;
  news: News;
  log: Log;
  now(): number;
  /** Lets work go on behind the frame; its failure is logged. */
  beside(what: string, work: Promise<unknown>): void;
}

/** What an agent says, frame by frame. Whatever it says, it reaches its own server's commands only. */
export class AgentFrames {
  readonly #deps: FramesDeps;
  readonly #progress = new Pace<Told>(PROGRESS_EVERY_MS, mergeTold);
  readonly #delayed = new Set<string>();
  #reportedAt = 0;

  constructor(deps: FramesDeps) {
    this.#deps = deps;
  }

  async receive(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (!this.#deps.socket.isCurrent(ws)) return;
    const frame = typeof message === "string" ? readAgentFrame(message) : null;
    const greeted = connectionOf(ws).agent !== null;
    if (!greeted && frame?.t !== "hello") return closeQuietly(ws, CLOSE.badHello, "badHello");
    if (!frame || (greeted && frame.t === "hello")) return this.#strike(ws);
    await this.#apply(ws, frame);
  }

  async #apply(ws: WebSocket, frame: AgentFrame): Promise<void> {
    const { desk, asks } = this.#deps;
    switch (frame.t) {
      case "hello":
        return await this.#hello(ws, frame);
      case "progress":
        return desk.progress(frame);
      case "result":
        return await desk.result(frame);
      case "answer":
        return asks.answered(frame.id, frame.outcome);
      case "report":
        return this.#report(frame.report);
      default:
        return frame satisfies never;
    }
  }

  async #hello(ws: WebSocket, frame: Extract<AgentFrame, { t: "hello" }>): Promise<void> {
    const { desk, news, beside } = this.#deps;
    const connection = connectionOf(ws);
    const { agentVersion, facts, instance, displaced, holds } = frame;
    write(ws, { ...connection, agent: { version: agentVersion, instance } });
    const { replaced, address } = connection;
    if (displaced || (replaced && replaced.instance !== instance)) {
      const before = replaced?.address ?? "-";
      beside("twins", news.twins({ "alamat baru": address, "alamat lama": before }));
    }
    // What comes right after it is about another process, perhaps of another version.
    this.#reportedAt = 0;
    beside("hello", news.hello(agentVersion, facts));
    await desk.hello(holds);
  }

  #report(report: Extract<AgentFrame, { t: "report" }>["report"]): void {
    const { news, beside, now } = this.#deps;
    if (now() - this.#reportedAt < REPORT_EVERY_MS) return;
    this.#reportedAt = now();
    beside("report", news.report(report));
  }

  /** Progress of a command on its way to who watches it, at most once a second, and none later than a second. */
  progressed(id: string, percent: number, lines: string[]): void {
    const { news, beside, now } = this.#deps;
    const told = this.#progress.offer(id, { percent, lines }, now());
    if (told) beside("progress", news.progressed(id, told.percent, told.lines));
    else if (!this.#delayed.has(id)) beside("progress", this.#tellLater(id));
  }

  async #tellLater(id: string): Promise<void> {
    this.#delayed.add(id);
    await new Promise((resolve) => setTimeout(resolve, PROGRESS_EVERY_MS));
    this.#delayed.delete(id);
    const told = this.#progress.take(id, this.#deps.now());
    if (told) await this.#deps.news.progressed(id, told.percent, told.lines);
  }

  /** A command has ended: its last lines first, then its end. */
  ended(id: string): void {
    const { news, beside } = this.#deps;
    const told = this.#progress.finish(id);
    const last = told ? news.progressed(id, told.percent, told.lines) : Promise.resolve();
    // Whether or not the lines could be written down: who waits for the end is waiting.
    beside(
      "end",
      last.finally(() => news.ended(id)),
    );
  }

  #strike(ws: WebSocket): void {
    const connection = connectionOf(ws);
    const strikes = connection.strikes + 1;
    if (strikes >= MAX_STRIKES) {
      this.#deps.log.warn("an agent sends what is no frame", { address: connection.address });
      closeQuietly(ws, CLOSE.badFrames, "badFrames");
    } else {
      write(ws, { ...connection, strikes });
    }
  }
}
