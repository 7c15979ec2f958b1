import { resolve } from "node:path";
import { unstable_readConfig } from "wrangler";

const CONFIG = resolve(import.meta.dirname, "../wrangler.toml");
const wrangler = unstable_readConfig({ config: CONFIG }, { hideWarnings: true });
const DATE = wrangler.compatibility_date;
/** That date brings this one, and workerd complains of those that it need not be told. */
const FLAGS = wrangler.compatibility_flags.filter((flag: string) => flag !== "nodejs_compat");

/**
 * The Worker with all that wrangler.toml binds, its variables included, under the `settings` of this run.
 * `objects` is a folder for what Durable Objects keep (SQL needs one).
 * Rate limit, files and queues are stand-ins that only accept: the measured routes read none of them. At `driver`, a
 * port, `{queue, messages}` is handed to the Worker as a queue would, `{cron}` as the clock would, and answered at its end.
 * At `links`, another, the objects of servers can be called by themselves.
 */
export function workerConfig(
  port: number,
  settings: Record<string, string>,
  objects: string,
  driver?: number,
  links?: number,
): string {
  const text = (value: string) => JSON.stringify(value);
  const variables = Object.entries({ ...wrangler.vars, ...settings }).map(
    ([name, value]) => `(name = ${text(name)}, text = ${text(String(value))}),`,
  );
  const objectTypes: ObjectType[] = wrangler.durable_objects.bindings;
  const limits: Limit[] = wrangler.ratelimits;
  const buckets: Bound[] = wrangler.r2_buckets;
  const queues: Bound[] = wrangler.queues.producers ?? [];
  const namespaces = objectTypes.map(
    ({ class_name: type }) =>
      `(className = "${type}", uniqueKey = "bench-${type}", enableSql = true),`,
  );
  const bindings = [
    ...variables,
    ...limits.map(({ name }) => `(name = "${name}", wrapped = (moduleName = "bench:limit")),`),
    ...buckets.map(({ binding }) => `(name = "${binding}", r2Bucket = "sink"),`),
    ...queues.map(({ binding }) => `(name = "${binding}", queue = "sink"),`),
    ...objectTypes.map(
      ({ name, class_name: type }) => `(name = "${name}", durableObjectNamespace = "${type}"),`,
    ),
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
    ...(links === undefined ? {} : { links }),
    more: `const sink :Workerd.Worker = (
  modules = [(name = "sink.js", esModule = ${text(SINK)})],
  compatibilityDate = "${DATE}",
);`,
  });
}

interface Limit {
  name: string;
}

interface ObjectType {
  name: string;
  class_name: string;
}

interface Bound {
  binding: string;
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

/** Carries commands through one server's link, or asks, as many side by side as it is told, and answers at their end. */
const LINKS = `const waitMs = 20000;
let seq = Date.now();
const one = {
  async command(link, subject) {
    const id = crypto.randomUUID();
    const input = JSON.stringify({ database: "bench" });
    const deadlineAt = Date.now() + 600000;
    await link.submit({ id, seq: seq++, subject, type: "db.create", inputJson: input, deadlineAt });
    const view = await link.wait(id, waitMs);
    await link.forget([id]);
    if (view?.state !== "done") throw new Error("a command did not end: " + JSON.stringify(view));
  },
  async ask(link) {
    const answer = await link.ask("db.list", "{}", waitMs);
    if (answer.state !== "answered") throw new Error("no answer: " + answer.state);
  },
};
export default {
  async fetch(request, env) {
    if (request.method !== "POST") return new Response("", { status: 404 });
    const { server, what, count, sideBySide } = await request.json();
    const link = env.LINK.getByName(server);
    let left = count;
    const client = async (_, n) => {
      while (left-- > 0) await one[what](link, "subject-" + n);
    };
    await Promise.all(Array.from({ length: sideBySide }, client));
    return new Response("done");
  },
};`;

interface Pieces {
  port: number;
  driver?: number;
  links?: number;
  services?: string;
  extensions?: string;
  /** Beside `index.js`. */
  modules?: string;
  worker?: string;
  more?: string;
}

/** A configuration of workerd around the module `index.js`. */
export function capnp(pieces: Pieces) {
  const { port, driver, links, services = "", extensions = "", more = "" } = pieces;
  const { modules = "", worker = "" } = pieces;
  const http = (name: string, at: number, service: string) =>
    `(name = "${name}", address = "127.0.0.1:${at}", http = (), service = "${service}"),`;
  const drives = driver !== undefined;
  const linked = links !== undefined;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    ${services}${drives ? '(name = "driver", worker = .driver),' : ""}
    ${linked ? '(name = "links", worker = .links),' : ""}
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [${http("http", port, "main")}${drives ? http("driver", driver, "driver") : ""}
    ${linked ? http("links", links, "links") : ""}],
  ${extensions}
);
const main :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "index.js"), ${modules}],
  compatibilityDate = "${DATE}",
  compatibilityFlags = ${JSON.stringify(FLAGS)},
  globalOutbound = "internet",
  ${worker}
);
${more}
${drives ? DRIVER_WORKER : ""}
${linked ? LINKS_WORKER : ""}
`;
}

const DRIVER_WORKER = `const driver :Workerd.Worker = (
  modules = [(name = "driver.js", esModule = ${JSON.stringify(DRIVER)})],
  compatibilityDate = "${DATE}",
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [(name = "MAIN", service = "main")],
);`;

const LINKS_WORKER = `const links :Workerd.Worker = (
  modules = [(name = "links.js", esModule = ${JSON.stringify(LINKS)})],
  compatibilityDate = "${DATE}",
  bindings = [
    (name = "LINK", durableObjectNamespace = (className = "ServerLink", serviceName = "main"))],
);`;
