import { DurableObject } from "cloudflare:workers";
import { EngineIo, type EngineOptions, randomId, SocketIoEngine, shardOf } from "../index.ts";

/**
 * What the public protocol suites expect of a server: `/engine.io/` echoes messages; `/socket.io/` has the namespaces `/`
 * and `/custom`, which emit `auth` with what the client sent and give messages back. Every connection gets an object of
 * its own: so its heartbeat starts with it, as the suites expect to the millisecond.
 */
interface FixtureEnv {
  ECHO: DurableObjectNamespace<EchoObject>;
  CHAT: DurableObjectNamespace<ChatObject>;
}

const TIMES: EngineOptions = {
  pingIntervalMs: 300,
  pingTimeoutMs: 200,
  maxPayloadBytes: 1_000_000,
  // The suites count every frame; real clients skip the no-op that answers their pongs.
  pongs: "wake",
};
/** The suites miss a packet that arrives in the same segment as the one before. */
const APART_MS = 5;

export class EchoObject extends DurableObject<FixtureEnv> {
  readonly #io = new EngineIo(this.ctx, TIMES, {
    message: (session, data) => session.send(typeof data === "string" ? `4${data}` : data),
  });

  override fetch(request: Request): Promise<Response> {
    return this.#io.fetch(request);
  }
  override webSocketMessage(ws: WebSocket, data: string | ArrayBuffer): Promise<void> {
    return this.#io.webSocketMessage(ws, data);
  }
  override webSocketClose(ws: WebSocket): Promise<void> {
    return this.#io.webSocketClose(ws);
  }
  override webSocketError(ws: WebSocket): Promise<void> {
    return this.#io.webSocketError(ws);
  }
  override alarm(): Promise<void> {
    return this.#io.alarm();
  }
}

export class ChatObject extends DurableObject<FixtureEnv> {
  readonly #io = new SocketIoEngine<Record<string, unknown>>(
    this.ctx,
    { ...TIMES, connectTimeoutMs: 1_000, namespaces: ["/", "/custom"] },
    {
      connect: (socket, auth) => {
        socket.data = auth;
      },
      connected: (socket) => {
        setTimeout(() => socket.emit("auth", socket.data), APART_MS);
      },
      event: (socket, name, args, ack) => {
        if (name === "message") socket.emit("message-back", ...args);
        if (name === "message-with-ack") ack?.(...args);
      },
    },
  );

  override fetch(request: Request): Promise<Response> {
    return this.#io.fetch(request);
  }
  override webSocketMessage(ws: WebSocket, data: string | ArrayBuffer): Promise<void> {
    return this.#io.webSocketMessage(ws, data);
  }
  override webSocketClose(ws: WebSocket): Promise<void> {
    return this.#io.webSocketClose(ws);
  }
  override webSocketError(ws: WebSocket): Promise<void> {
    return this.#io.webSocketError(ws);
  }
  override alarm(): Promise<void> {
    return this.#io.alarm();
  }
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const shard = shardOf(searchParams.get("sid")) ?? randomId();
    if (pathname === "/engine.io/") return relay(await env.ECHO.getByName(shard).fetch(request));
    if (pathname === "/socket.io/") return relay(await env.CHAT.getByName(shard).fetch(request));
    return new Response("Not found", { status: 404 });
  },
} satisfies ExportedHandler<FixtureEnv>;

/**
 * Passes frames on by hand. Where the runtime couples client and object, a local workerd leaves the TCP connection open
 * after the closing handshake if the client never sent a frame; some clients of the suites send none and wait for its end.
 */
function relay(response: Response): Response {
  const { webSocket: object } = response;
  if (!object) return response;
  const { 0: client, 1: server } = new WebSocketPair();
  pass(object, server);
  pass(server, object);
  return new Response(null, { status: 101, webSocket: client });
}

function pass(from: WebSocket, to: WebSocket): void {
  from.binaryType = "arraybuffer";
  from.addEventListener("message", ({ data }) => to.send(data));
  from.addEventListener("close", ({ code, reason }) => {
    const isSendable = code !== 1005 && code !== 1006;
    to.close(isSendable ? code : 1000, reason);
  });
  from.accept();
}
