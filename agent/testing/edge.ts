import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import {
  type AgentFrame,
  agentFrame,
  type CommandFrame,
  type EdgeFrame,
  PING,
  PONG,
} from "../../shared/agent-protocol/index.ts";

/** One connection of an agent, from the edge's side. */
export interface EdgeConnection {
  headers: IncomingHttpHeaders;
  frames: AgentFrame[];
  pings: number;
  closed: { code: number } | null;
  send(frame: EdgeFrame): void;
  close(code: number): void;
  /** Ends it as a cut cable does, without a word. */
  cut(): void;
}

export interface TestEdge {
  url: string;
  connections: EdgeConnection[];
  /** What agents posted to enrol; answered with `enrolled`. */
  enrolments: unknown[];
  stop(): Promise<void>;
}

/** A stand-in for the Worker: takes any agent, writes down what it says, and answers its heartbeat. */
export async function startEdge(enrolled: { status: number; body: unknown }): Promise<TestEdge> {
  const connections: EdgeConnection[] = [];
  const enrolments: unknown[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    enrolments.push(JSON.parse(text));
    response.writeHead(enrolled.status, { "content-type": "application/json" });
    response.end(JSON.stringify(enrolled.body));
  });
  const sockets = new WebSocketServer({ server, path: "/v1/agent" });
  sockets.on("connection", (ws, { headers }) => connections.push(connectionOf(ws, headers)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}`, connections, enrolments },
    stop: async () => {
      for (const connection of connections) connection.cut();
      sockets.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function connectionOf(ws: WebSocket, headers: IncomingHttpHeaders): EdgeConnection {
  const connection: EdgeConnection = {
    ...{ headers, frames: [], pings: 0, closed: null },
    send: (frame) => ws.send(JSON.stringify(frame)),
    close: (code) => ws.close(code),
    cut: () => ws.terminate(),
  };
  ws.on("message", (data) => {
    const text = String(data);
    if (text === PING) {
      connection.pings += 1;
      ws.send(PONG);
    } else {
      connection.frames.push(agentFrame.parse(JSON.parse(text)));
    }
  });
  ws.on("close", (code) => {
    connection.closed = { code };
  });
  return connection;
}

/** A command that any agent knows, to be sent by the stand-in. */
export const testCommand = (changes: Partial<CommandFrame> = {}): CommandFrame => ({
  ...{ v: 1, t: "command", id: crypto.randomUUID(), type: "db.create", subject: "db" },
  ...{ deadline: Date.now() + 60_000, input: { database: "toko" } },
  ...changes,
});

/** Looks again and again until there is something, and gives it. */
export async function until<T>(what: string, look: () => T | undefined | null | false): Promise<T> {
  const late = Date.now() + 15_000;
  for (;;) {
    const found = look();
    if (found) return found;
    if (Date.now() > late) throw new Error(`there was never ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
