import childProcess from "node:child_process";
import fs, { openSync, writeSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";

/**
 * Loaded before a program (`node --import`) by tests: numbers every call with which it changes something, and at the one
 * that is wanted kills the process, has the disk be full, or has too many files be open. `FAULT` is `kill:<n>`, `full:<n>` or
 * `files:<n>`, each with its own calls, or for `<n>` "after <a call's name as a pattern>"; they are written to the file `FAULT_LOG` before they are made. A write counts
 * twice: before it, and when half of it is there.
 */
const [, mode = "", wanted = ""] = /^(\w+):(.+)$/.exec(process.env.FAULT ?? "") ?? [];
/** Opened before the process gives up its rights. */
const log = openSync(process.env.FAULT_LOG ?? "/dev/null", "a");
let count = 0;
/** The call after the one that is wanted: it has taken effect. */
let isNext = false;

type Call = (...args: never[]) => unknown;

/** On a full disk there is still room to remove, to change modes and to start programs. */
const ASKED = {
  kill: /^(?!look)/,
  full: /^(?:open|write|rename|mkdir|mkdtemp|symlink|link|sync)/,
  files: /^(?:open|look)/,
} as const;
const asked = Object.entries(ASKED).find(([name]) => name === mode)?.[1] ?? /^$/;

function pass(label: string, half?: () => void): void {
  if (!asked.test(label)) return;
  count += 1;
  writeSync(log, `${label}\n`);
  if (count !== Number(wanted) && !isNext) {
    isNext = wanted.startsWith("after ") && new RegExp(wanted.slice(6)).test(label);
    return;
  }
  half?.();
  if (mode === "kill") process.kill(process.pid, "SIGKILL");
  throw Object.assign(new Error("the test's"), { code: mode === "full" ? "ENOSPC" : "EMFILE" });
}

/** What differs from run to run is left out of a call's name. */
const nameOf = (call: string, [first]: readonly unknown[]): string =>
  `${call} ${typeof first === "string" || first instanceof URL ? first : ""}`
    .replace(/[0-9a-f-]{8,}|\d+|[\w-]{40,}/g, "#")
    .slice(0, 120);

const isMaking = (flags: unknown): boolean =>
  typeof flags === "number" ? (flags & fs.constants.O_CREAT) !== 0 : /[wa]/.test(String(flags));

function wrap(owner: object, name: string, isEffect: (args: unknown[]) => boolean): void {
  const made = owner as Record<string, Call>;
  const call = made[name];
  if (!call) return;
  made[name] = function (this: unknown, ...args: never[]) {
    if (isEffect(args)) pass(nameOf(name, args));
    return call.apply(this, args);
  };
}

function wrapWrite(owner: object, name: string, half: (self: unknown, args: unknown[]) => void) {
  const made = owner as Record<string, Call>;
  const call = made[name];
  if (!call) return;
  made[name] = function (this: unknown, ...args: never[]) {
    pass(`${name}`);
    pass(`${name}, half`, () => half(this, args));
    return call.apply(this, args);
  };
}

const PATHS = "rename rm unlink mkdir mkdtemp rmdir chmod chown lchown symlink link truncate";
const always = () => true;
for (const name of PATHS.split(" ")) {
  wrap(fs.promises, name, always);
  wrap(fs, `${name}Sync`, always);
}
const { open } = fs.promises;
const handle = await open("/dev/null");
fs.promises.open = (async (...args: Parameters<typeof open>) => {
  pass(nameOf(isMaking(args[1] ?? "r") ? "open" : "look", args));
  return await open(...args);
}) as typeof open;
wrap(fs, "openSync", ([, flags]) => isMaking(flags));
wrap(fs.promises, "writeFile", always);
wrap(fs, "writeFileSync", always);

const handles: object = Object.getPrototypeOf(handle);
await handle.close();
const halfOf = (bytes: unknown): Uint8Array => {
  const whole = Buffer.from(bytes as string);
  return whole.subarray(0, Math.ceil(whole.length / 2));
};
wrapWrite(handles, "write", (self, [bytes, offset = 0, length, position = null]) => {
  const { fd } = self as { fd: number };
  const part = Math.ceil(Number(length ?? (bytes as Uint8Array).length) / 2);
  writeSync(fd, bytes as Uint8Array, Number(offset), part, position as number | null);
});
wrapWrite(handles, "writeFile", (self, [text]) => {
  writeSync((self as { fd: number }).fd, halfOf(text));
});
for (const name of ["sync", "truncate", "chmod", "chown"]) wrap(handles, name, always);

const { spawn } = childProcess;
childProcess.spawn = ((...args: Parameters<typeof spawn>) => {
  pass(nameOf("spawn", args));
  const child = spawn(...args);
  pass(nameOf("spawned", args));
  return child;
}) as typeof spawn;
wrap(http, "request", always);
wrap(https, "request", always);
const { fetch } = globalThis;
globalThis.fetch = (async (...args: Parameters<typeof fetch>) => {
  pass(nameOf("fetch", args));
  const answer = await fetch(...args);
  pass(nameOf("fetched", args));
  return answer;
}) as typeof fetch;
syncBuiltinESMExports();
