import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { parseTargets, type Targets } from "./targets.ts";

export interface RelayConfig {
  key: string;
  targets: Targets;
  host: string;
  port: number;
  tls?: { cert: string; key: string };
  from?: string;
}

type Values = Readonly<Record<string, string | undefined>>;

const names = [
  "RELAY_KEY",
  "RELAY_KEY_FILE",
  "RELAY_TARGETS",
  "RELAY_LISTEN",
  "RELAY_TLS_CERT",
  "RELAY_TLS_KEY",
  "RELAY_FROM",
  "RELAY_BEHIND_PROXY",
];

/** `NAME=value` a line, `#` before a remark; a name that the relay does not know is refused, for it may be misspelt. */
export function parseConfigFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name = "", value = ""] = /^\s*([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (!names.includes(name))
      throw new Error(`unknown setting in the file: ${line.split("=")[0]}`);
    values[name] = value.replace(/^"(.*)"$/, "$1");
  }
  return values;
}

function readKey(values: Values): string {
  const { RELAY_KEY: given, RELAY_KEY_FILE: file } = values;
  const key = given ?? (file === undefined ? "" : readFileSync(file, "utf8").trim());
  if (key.length < 32) throw new Error("RELAY_KEY must have 32 characters or more");
  return key;
}

function readListen(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  if (port === undefined || Number(port) > 65_535) {
    throw new Error("RELAY_LISTEN must be address:port, such as 127.0.0.1:8443");
  }
  return { host: host === "" ? "::" : host, port: Number(port) };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** What the relay needs to run; throws words that name the setting. */
export function readConfig(values: Values): RelayConfig {
  const { RELAY_TLS_CERT: cert, RELAY_TLS_KEY: tlsKey, RELAY_FROM: from } = values;
  const { host, port } = readListen(values.RELAY_LISTEN ?? "127.0.0.1:8443");
  if ((cert === undefined) !== (tlsKey === undefined)) {
    throw new Error("RELAY_TLS_CERT and RELAY_TLS_KEY belong together");
  }
  if (cert === undefined && !isLoopback(host) && values.RELAY_BEHIND_PROXY !== "yes") {
    throw new Error(
      "without a certificate the relay listens on a loopback address only: set RELAY_TLS_CERT and RELAY_TLS_KEY, " +
        "or RELAY_BEHIND_PROXY=yes where a proxy before it speaks TLS",
    );
  }
  if (from !== undefined && isIP(from) === 0) throw new Error("RELAY_FROM must be an IP address");
  return {
    key: readKey(values),
    targets: parseTargets(values.RELAY_TARGETS ?? ""),
    host,
    port,
    ...(cert !== undefined &&
      tlsKey !== undefined && {
        tls: { cert: readFileSync(cert, "utf8"), key: readFileSync(tlsKey, "utf8") },
      }),
    ...(from !== undefined && { from }),
  };
}
