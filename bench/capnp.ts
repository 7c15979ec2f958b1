const DATE = "2026-09-22";

/**
 * `objects` is a folder for what Durable Objects keep (SQL needs one).
 * Rate limit, files and queues are stand-ins that only accept: the measured routes read none of them.
 */
export function workerConfig(
  port: number,
  settings: Record<string, string>,
  objects: string,
): string {
  const text = (value: string) => JSON.stringify(value);
  const variables = Object.entries(settings).map(
    ([name, value]) => `(name = ${text(name)}, text = ${text(value)}),`,
  );
  const queues = ["PROVISIONING_QUEUE", "MARKETPLACE_SYNC_QUEUE", "WEBHOOKS_QUEUE", "MAIL_QUEUE"];
  const bindings = [
    ...variables,
    `(name = "API_LIMIT", wrapped = (moduleName = "bench:limit")),`,
    `(name = "ROUTE_LIMIT", wrapped = (moduleName = "bench:limit")),`,
    `(name = "ASSETS_BUCKET", r2Bucket = "sink"),`,
    ...queues.map((name) => `(name = "${name}", queue = "sink"),`),
    `(name = "STORE_ROUTER", durableObjectNamespace = "StoreRouter"),`,
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
    (className = "StoreRouter", uniqueKey = "bench-stores", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),`,
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

interface Pieces {
  port: number;
  services?: string;
  extensions?: string;
  worker?: string;
  more?: string;
}

/** A configuration of workerd around the module `index.js`. */
export function capnp({ port, services = "", extensions = "", worker = "", more = "" }: Pieces) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    ${services}
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
  ${extensions}
);
const main :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "index.js")],
  compatibilityDate = "${DATE}",
  globalOutbound = "internet",
  ${worker}
);
${more}
`;
}
