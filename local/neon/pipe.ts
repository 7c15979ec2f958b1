import type { IncomingMessage, Server } from "node:http";
import { connect } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Dials } from "./dials.ts";

/**
 * The WebSocket pipe of the driver's `Pool` and `Client`: raw bytes to and from Postgres. The address
 * that the driver names is ignored; the pipe leads to the one server it was made for.
 */
export function attachPipe(server: Server, postgresPort: number, dials: Dials): () => void {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on("upgrade", (request: IncomingMessage, socket, head) => {
    const path = new URL(request.url ?? "/", "http://pipe").pathname;
    if (path !== "/v2") return socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    dials.countPipe();
    if (dials.outage() !== undefined) {
      dials.countRefusal();
      return socket.destroy();
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      join(webSocket, postgresPort, dials);
    });
  });
  return () => {
    for (const webSocket of sockets.clients) webSocket.terminate();
    sockets.close();
  };
}

function join(webSocket: WebSocket, postgresPort: number, dials: Dials): void {
  const postgres = connect({ host: "127.0.0.1", port: postgresPort, noDelay: true });
  const toPostgres = dials.delayLine();
  const toDriver = dials.delayLine();
  const forget = dials.onOutage(() => webSocket.terminate());

  webSocket.on("message", (data) => {
    const bytes = data instanceof Uint8Array ? data : undefined;
    toPostgres(() => {
      if (bytes && postgres.writable) postgres.write(bytes);
    });
  });
  postgres.on("data", (chunk) => {
    toDriver(() => {
      if (webSocket.readyState === webSocket.OPEN) webSocket.send(chunk);
    });
  });
  webSocket.on("close", () => {
    forget();
    toPostgres(() => postgres.end());
  });
  postgres.on("close", () => toDriver(() => webSocket.close()));
  webSocket.on("error", () => postgres.destroy());
  postgres.on("error", () => webSocket.terminate());
}
