const DATE = "2026-09-22";
const OBJECTS = {
  STORE_ROUTER: "StoreRouter",
  ROOM: "Room",
  SOCKET_SHARD: "SocketShard",
  SUPPLIER_GATE: "SupplierGate",
};

/**
 * `objects` is a folder for what Durable Objects keep (SQL needs one).
 * Rate limit, files and queues are stand-ins that only accept: the measured routes read none of them. At `driver`, a
 * port, `{queue, messages}` is handed to the Worker as a queue would, `{cron}` as the clock would, and answered at its end.
 */
export function workerConfig(
  port: number,
  settings: Record<string, string>,
  objects: string,
  driver?: number,
): string {
  const text = (value: string) => JSON.stringify(value);
  const variables = Object.entries(settings).map(
    ([name, value]) => `(name = ${text(name)}, text = ${text(value)}),`,
  );
  const queues = ["PROVISIONING", "MARKETPLACE_SYNC", "WEBHOOKS", "MAIL", "TOPUP"];
  const classes = Object.entries(OBJECTS);
  const namespaces = classes.map(
    ([, type]) => `(className = "${type}", uniqueKey = "bench-${type}", enableSql = true),`,
  );
  const bindings = [
    ...variables,
    `(name = "API_LIMIT", wrapped = (moduleName = "bench:limit")),`,
    `(name = "ROUTE_LIMIT", wrapped = (moduleName = "bench:limit")),`,
    `(name = "ASSETS_BUCKET", r2Bucket = "sink"),`,
    ...queues.map((name) => `(name = "${name}_QUEUE", queue = "sink"),`),
    ...classes.map(([name, type]) => `(name = "${name}", durableObjectNamespace = "${type}"),`),
  ];
  const limit = "export default () => ({ limit: async () => ({ success: true }) });";
  return capnp({
    port,
    services: `(name = "sink", worker = .sink),
    (name = "objects", disk = (path = ${text(objects)}, writable = true)),`,
    extensions: `extensions = [(modules = [
    (name = "bench:limit", internal = true, esModule = ${text(limit)})])],`,
    worker: `bindings = [\n    ${bindings.join("\n    ")}\n  ],
  durableObjectNamespaces = [
    ${namespaces.join("\n    ")}],
  durableObjectStorage = (localDisk = "objects"),`,
    ...(driver === undefined ? {} : { driver }),
    more: `const sink :Workerd.Worker = (
  modules = [(name = "sink.js", esModule = ${text(SINK)})],
  compatibilityDate = "${DATE}",
);`,
  });
}

const SINK = `const metrics = { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 };
export default {
  async fetch(request) {
    await request.arrayBuffer();
    return Response.json({ metadata: { metrics } });
  },
};`;

const DRIVER = `export default {
  async fetch(request, env) {
    const { cron, queue, messages } = await request.json();
    if (cron) return Response.json(await env.MAIN.scheduled({ cron, scheduledTime: new Date() }));
    const timestamp = new Date();
    const batch = messages.map((body, i) => ({ id: String(i), timestamp, attempts: 1, body }));
    return Response.json(await env.MAIN.queue(queue, batch));
  },
};`;

interface Pieces {
  port: number;
  driver?: number;
  services?: string;
  extensions?: string;
  worker?: string;
  more?: string;
}

/** A configuration of workerd around the module `index.js`. */
export function capnp(pieces: Pieces) {
  const { port, driver, services = "", extensions = "", worker = "", more = "" } = pieces;
  const http = (name: string, at: number, service: string) =>
    `(name = "${name}", address = "127.0.0.1:${at}", http = (), service = "${service}"),`;
  const drives = driver !== undefined;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    ${services}${drives ? '(name = "driver", worker = .driver),' : ""}
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [${http("http", port, "main")}${drives ? http("driver", driver, "driver") : ""}],
  ${extensions}
);
const main :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "index.js")],
  compatibilityDate = "${DATE}",
  compatibilityFlags = ["no_web_socket_compression"],
  globalOutbound = "internet",
  ${worker}
);
${more}
${drives ? DRIVER_WORKER : ""}
`;
}

const DRIVER_WORKER = `const driver :Workerd.Worker = (
  modules = [(name = "driver.js", esModule = ${JSON.stringify(DRIVER)})],
  compatibilityDate = "${DATE}",
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [(name = "MAIN", service = "main")],
);`;
