import { WebSocket } from "ws";
import { MAX_FRAME_LENGTH } from "../../shared/agent-protocol/index.ts";
import type { AgentLog } from "../ctx.ts";
import type { LinkSocket, SocketEvents } from "./client.ts";

const HANDSHAKE_MS = 20_000;
/** UTF-8 takes up to three bytes for a UTF-16 unit. */
const MAX_BYTES = 3 * MAX_FRAME_LENGTH;
const CLOCK_WARNING_MS = 30_000;

/** Opens a connection to `<url>/v1/agent` over `ws`. */
export function openSocket(
  { url, headers, log }: { url: string; headers: Record<string, string>; log: AgentLog },
  events: SocketEvents,
): LinkSocket {
  const ws = new WebSocket(`${url.replace(/^http/, "ws").replace(/\/$/, "")}/v1/agent`, {
    ...{ headers, handshakeTimeout: HANDSHAKE_MS, maxPayload: MAX_BYTES },
    ...{ perMessageDeflate: false, followRedirects: false },
  });
  let isClosed = false;
  const closed = (why: { code: number; status?: number }) => {
    if (isClosed) return;
    isClosed = true;
    events.closed(why);
  };
  ws.on("open", () => events.open());
  ws.on("message", (data, isBinary) => {
    if (!isBinary) events.message(data.toString());
  });
  ws.on("unexpected-response", (request, response) => {
    warnOfClock(response.headers.date, log);
    response.resume();
    request.destroy();
    closed({ code: 1006, status: response.statusCode ?? 0 });
  });
  // Each error is followed by a close, except before the connection stands.
  ws.on("error", () => closed({ code: 1006 }));
  ws.on("close", (code) => closed({ code }));
  return {
    send: (text) => ws.send(text, () => undefined),
    close: (code) => ws.close(code),
    drop: () => ws.terminate(),
  };
}

/** A refused signature is most often a clock that is wrong. */
function warnOfClock(date: string | undefined, log: AgentLog): void {
  const offMs = date ? Date.now() - Date.parse(date) : 0;
  if (Math.abs(offMs) > CLOCK_WARNING_MS) log.error("this server's clock is wrong", { offMs });
}
