import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capnp } from "../capnp.ts";
import { dropBundle, type Running, startWorkerd } from "../workerd.ts";

/**
 * What the runtime itself takes: one object that hibernates its sockets and hands on what is said to each in a loop. It
 * keeps no rooms, answers no pings and looks at nothing, so no server on hibernating sockets can take less.
 */
export async function startBare(): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-bench-"));
  writeFileSync(join(folder, "index.js"), SCRIPT);
  const config = (port: number) => capnp({ port, worker: OBJECT });
  const bundle = { folder, gzipBytes: 0, objects: folder, config };
  const running = await startWorkerd(bundle);
  return {
    ...running,
    stop: async () => {
      await running.stop();
      dropBundle(bundle);
    },
  };
}

const OBJECT = `bindings = [(name = "BARE", durableObjectNamespace = "Bare")],
  durableObjectNamespaces = [(className = "Bare", uniqueKey = "bench-Bare", enableSql = true)],
  durableObjectStorage = (inMemory = void),`;

const SCRIPT = `import { DurableObject } from "cloudflare:workers";
export class Bare extends DurableObject {
  fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    server.send('0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}');
    return new Response(null, { status: 101, webSocket: client });
  }
  webSocketMessage(from, data) {
    if (data.startsWith("40")) return from.send('40{"sid":"x"}');
    if (!data.startsWith('42["live:message"')) return;
    const text = '42["live:new-message"' + data.slice(17);
    for (const to of this.ctx.getWebSockets()) if (to !== from) to.send(text);
  }
}
export default {
  fetch(request, env) {
    if (request.headers.get("upgrade") !== "websocket") return new Response("ok");
    return env.BARE.getByName("one").fetch(request);
  },
};
`;
