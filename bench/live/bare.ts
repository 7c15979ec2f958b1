import { copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capnp } from "../capnp.ts";
import { type Bundle, dropBundle, type Running, startWorkerd } from "../workerd.ts";

/**
 * What the runtime itself takes: one object that hibernates its sockets and hands on what is said to each in a loop. It
 * keeps no rooms, answers no pings and looks at nothing, so no server on hibernating sockets can take less.
 */
export async function startBareLoop(): Promise<Running> {
  return await startScript(LOOP, { classes: ["Bare"] });
}

/**
 * What the runtime takes in the shape of a room: sockets on as many objects as ours, one more that is told and tells
 * each of them by a call, frames of the same bytes, and our whole Worker loaded beside, whose objects the collector of
 * garbage walks through as often as it must. Nothing of it is ever called.
 */
export async function startBareRoom(worker: Bundle, shards: number): Promise<Running> {
  return await startScript(room(shards), { classes: ["Bare", "Hall"], worker });
}

async function startScript(
  script: string,
  { classes, worker }: { classes: string[]; worker?: Bundle },
): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-bench-"));
  writeFileSync(join(folder, "index.js"), script);
  if (worker) copyFileSync(join(worker.folder, "index.js"), join(folder, "worker.js"));
  const modules = worker ? '(name = "worker.js", esModule = embed "worker.js"),' : "";
  const config = (port: number) => capnp({ port, modules, worker: objectsOf(classes) });
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

function objectsOf(classes: string[]): string {
  const binding = (name: string) =>
    `(name = "${name.toUpperCase()}", durableObjectNamespace = "${name}"),`;
  const namespace = (name: string) =>
    `(className = "${name}", uniqueKey = "bench-${name}", enableSql = true),`;
  return `bindings = [${classes.map(binding).join(" ")}],
  durableObjectNamespaces = [${classes.map(namespace).join(" ")}],
  durableObjectStorage = (inMemory = void),`;
}

/** The sockets' side, and a frame as our rooms send it: who said it, when, and where recovery would go on. */
const COMMON = `import { DurableObject } from "cloudflare:workers";
class Sockets extends DurableObject {
  #ids = new WeakMap();
  fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [crypto.randomUUID(), "main"]);
    server.send('0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}');
    return new Response(null, { status: 101, webSocket: client });
  }
  webSocketMessage(from, data) {
    if (data.startsWith("40")) return from.send('40{"sid":"x"}');
    if (data.startsWith('42["live:message"')) return this.said(this.idOf(from), JSON.parse(data.slice(2))[1]);
  }
  idOf(ws) {
    let id = this.#ids.get(ws);
    if (id === undefined) this.#ids.set(ws, (id = this.ctx.getTags(ws)[0]));
    return id;
  }
  tell(text, from) {
    for (const to of this.ctx.getWebSockets()) if (this.idOf(to) !== from) to.send(text);
  }
}
function frameOf({ roomId, userId, username, message, level, vip }) {
  const who = { roomId, userId, username, avatar: null, level, vip, verified: false };
  const said = { ...who, message, timestamp: new Date().toISOString() };
  return "42" + JSON.stringify(["live:new-message", said, Date.now().toString(36) + "00"]);
}
`;

const LOOP = `${COMMON}export class Bare extends Sockets {
  said(from, message) {
    this.tell(frameOf(message), from);
  }
}
export default {
  fetch(request, env) {
    if (request.headers.get("upgrade") !== "websocket") return new Response("ok");
    return env.BARE.getByName("one").fetch(request);
  },
};
`;

const room = (shards: number) => `import * as worker from "./worker.js";
${COMMON}const SHARDS = Array.from({ length: ${shards} }, (_, i) => "s" + i);
globalThis.beside = worker;
export class Bare extends Sockets {
  said(from, message) {
    this.ctx.waitUntil(this.env.HALL.getByName("one").say(from, message));
  }
}
export class Hall extends DurableObject {
  say(from, message) {
    const text = frameOf(message);
    for (const shard of SHARDS) this.ctx.waitUntil(this.env.BARE.getByName(shard).tell(text, from));
  }
}
export default {
  fetch(request, env) {
    if (request.headers.get("upgrade") !== "websocket") return new Response("ok");
    const shard = SHARDS[Math.floor(Math.random() * SHARDS.length)];
    return env.BARE.getByName(shard).fetch(request);
  },
};
`;
