import type { Times } from "./clock.ts";
import type { EngineIo } from "./engine.ts";

const PING = "2";
/** An alarm that is late by no more than this counts from its time; a later one from when it rang. */
const MAX_LATENESS_MS = 1_000;

/**
 * One ping round for all sessions of the object: a ping to everybody each interval, and one look at who answered when
 * the time-out is over. Two alarms an interval, however many sockets, and no attachment is read for those who answered.
 */
export class Heartbeat<U> {
  readonly #engine: EngineIo<U>;
  readonly #pongOf: (ws: WebSocket) => number;

  constructor(engine: EngineIo<U>, pongOf: (ws: WebSocket) => number) {
    this.#engine = engine;
    this.#pongOf = pongOf;
  }

  /** What the alarm does for the heartbeat: first who is dead, then the next round. */
  ring(now: number, times: Times): void {
    const { ping_at: pingAt, check_at: checkAt, pinged_at: pingedAt } = times;
    const isChecked = checkAt !== null && pingedAt !== null && checkAt <= now;
    if (isChecked) {
      this.#closeSilent(pingedAt);
      this.#engine.clock.set({ check_at: null });
    }
    if (pingAt === null || pingAt > now) return;
    this.#pingAll();
    const { pingIntervalMs, pingTimeoutMs } = this.#engine.settings;
    const tolerance = Math.min(MAX_LATENESS_MS, pingTimeoutMs / 2);
    const at = now - pingAt <= tolerance ? pingAt : now;
    const isAnswerDue = checkAt !== null && !isChecked;
    this.#engine.clock.set({
      ping_at: at + pingIntervalMs,
      // The round counts from its time; to answer it there is the whole time-out from when it went out.
      ...(isAnswerDue ? {} : { pinged_at: at, check_at: now + pingTimeoutMs }),
    });
  }

  #pingAll(): void {
    const { registry } = this.#engine;
    for (const ws of registry.open()) {
      if (registry.isPlainMain(ws)) sendQuietly(ws);
      else {
        const link = registry.linkOf(ws);
        if (link?.role === "main") link.session.send(PING);
      }
    }
    for (const session of registry.pollers()) session.send(PING);
  }

  #closeSilent(pingedAt: number): void {
    const { registry } = this.#engine;
    const answered = (ws: WebSocket) => this.#pongOf(ws) >= pingedAt;
    for (const ws of registry.open()) {
      if (answered(ws)) continue;
      const link = registry.linkOf(ws);
      if (link?.role !== "main") continue;
      const { openedAt, pongAt, seenAt } = link.session;
      if (Math.max(openedAt, pongAt, seenAt) < pingedAt) {
        void this.#engine.end(link.session, "ping timeout");
      }
    }
    for (const session of registry.pollers()) {
      if (Math.max(session.openedAt, session.pongAt) < pingedAt) {
        void this.#engine.end(session, "ping timeout");
      }
    }
  }
}

function sendQuietly(ws: WebSocket): void {
  try {
    ws.send(PING);
  } catch {
    // Its close event follows, or it does not answer and is closed at the check.
  }
}
