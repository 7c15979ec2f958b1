import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "../relay/test-certificate.ts";
import { ready, startChild } from "./child.ts";
import { pathOf } from "./needs.ts";

const HOST = "127.0.0.1";
/** Of every authority in this process, so that trusting one is trusting all. */
const tls = selfSigned();

export interface PebbleOptions {
  /** Where challenges are looked for: whatever the name, on this port of the loopback. */
  httpPort: number;
  /** So many in a hundred good nonces are refused. Default 5, as the program has it. */
  nonceReject?: number;
  /** Every challenge is taken for met. */
  alwaysValid?: boolean;
  /** So many in a hundred orders find an earlier authorization. Default 0. */
  reuse?: number;
}

export interface TestPebble {
  /** For `settings.certificates.directoryUrl` and `.stagingUrl`. */
  directoryUrl: string;
  /** For `settings.certificates.caFile`: whom the directory's own certificate is from. */
  caFile: string;
  /** Whom the certificates are from that it gives out, for a TLS client. */
  root(): Promise<string>;
  /** What the authority wrote down: every request and validation. */
  said(): string;
  stop(): Promise<void>;
}

/** The authority that ACME clients are tested with, on free ports of the loopback, with a resolver of its own. */
export async function startPebble(options: PebbleOptions): Promise<TestPebble> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launch(options);
    } catch (error) {
      // Between finding a free port and listening on it another program may take it.
      if (attempt === 3) throw error;
    }
  }
}

async function launch(options: PebbleOptions): Promise<TestPebble> {
  const program = pathOf("pebble");
  if (!program) throw new Error("pebble is not installed");
  const folder = mkdtempSync(join(tmpdir(), "lumbung-pebble-"));
  const [port, managementPort, dnsPort, dnsManagementPort] = await freePorts(4);
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const caFile = file("authority.pem", tls.cert);
  const config = file(
    "pebble.json",
    JSON.stringify({
      pebble: {
        listenAddress: `${HOST}:${port}`,
        managementListenAddress: `${HOST}:${managementPort}`,
        certificate: caFile,
        privateKey: file("authority.key", tls.key),
        httpPort: options.httpPort,
        tlsPort: 1,
        ocspResponderURL: "",
        externalAccountBindingRequired: false,
      },
    }),
  );
  const resolver = startChild(
    `${program}-challtestsrv`,
    resolverOptions(dnsPort, dnsManagementPort),
  );
  const pebble = startChild(program, ["-config", config, "-dnsserver", `${HOST}:${dnsPort}`], {
    env: environment(options) as NodeJS.ProcessEnv,
  });
  const directoryUrl = `https://${HOST}:${port}/dir`;
  const stop = async () => {
    await Promise.all([pebble.stop(), resolver.stop()]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await ready(pebble, () => answers(directoryUrl, tls.cert));
    await ready(resolver, () => Promise.resolve(resolver.said().includes("Starting")));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    directoryUrl,
    caFile,
    root: () => get(`https://${HOST}:${managementPort}/roots/0`, tls.cert),
    said: () => pebble.said(),
    stop,
  };
}

const NONE = "";

function resolverOptions(dnsPort = 0, managementPort = 0): string[] {
  const servers = ["-http01", NONE, "-https01", NONE, "-tlsalpn01", NONE];
  const listen = ["-dns01", `${HOST}:${dnsPort}`, "-management", `${HOST}:${managementPort}`];
  return [...servers, ...listen, "-defaultIPv4", HOST, "-defaultIPv6", NONE];
}

function environment({ nonceReject, alwaysValid, reuse }: PebbleOptions): Record<string, string> {
  return {
    PATH: "/usr/bin:/bin",
    PEBBLE_VA_NOSLEEP: "1",
    PEBBLE_VA_ALWAYS_VALID: alwaysValid ? "1" : "0",
    PEBBLE_AUTHZREUSE: String(reuse ?? 0),
    ...(nonceReject === undefined ? {} : { PEBBLE_WFE_NONCEREJECT: String(nonceReject) }),
  };
}

const answers = (url: string, ca: string) =>
  get(url, ca).then(
    () => true,
    () => false,
  );

function get(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca, timeout: 2_000 }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    asked.on("error", reject);
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.end();
  });
}

/** Free ports below those that the system hands out to outgoing connections, which could take them meanwhile. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; attempt < 500 && found.size < count; attempt += 1) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    if (await isFree(port)) found.add(port);
  }
  if (found.size < count) throw new Error("no free ports");
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, HOST, () => probe.close(() => resolve(true)));
  });
}
