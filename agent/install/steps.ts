import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  lchownSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Machine, Owner, Step } from "./machine.ts";

const octal = (mode: number) => mode.toString(8).padStart(4, "0");

function ownerOf(machine: Machine, owner: Owner): { uid: number; gid: number } {
  const ids = machine.ids(owner);
  if (!ids) throw new Error("the agent's user is missing");
  return ids;
}

interface FolderOptions {
  mode: number;
  owner: Owner;
  /** Somebody else's as well: made where it is missing, and else left as it is. */
  shared?: boolean;
}

export function folder(machine: Machine, path: string, options: FolderOptions): Step {
  const { mode, owner, shared = false } = options;
  return {
    what: `folder ${path} (${octal(mode)} ${owner})`,
    isDone: () => {
      const found = machine.stat(path);
      if (!found?.isDirectory() || shared) return found?.isDirectory() === true;
      const ids = machine.ids(owner);
      return (found.mode & 0o7777) === mode && found.uid === ids?.uid && found.gid === ids.gid;
    },
    act: () => {
      const at = machine.at(path);
      if (machine.stat(path)?.isSymbolicLink()) throw new Error(`${path} is a link, not a folder`);
      const { uid, gid } = ownerOf(machine, owner);
      mkdirSync(at, { recursive: true });
      chownSync(at, uid, gid);
      chmodSync(at, mode);
    },
  };
}

interface FileOptions {
  mode: number;
  owner?: Owner;
  /** Looks at the finished file before it takes its place; throws to keep the old one. */
  check?: (draft: string) => Promise<void>;
  /** Made once; what people changed in it since stays. */
  once?: boolean;
}

export function file(machine: Machine, path: string, text: string, options: FileOptions): Step {
  const { mode, owner = "root", check, once = false } = options;
  return {
    what: `file ${path} (${octal(mode)} ${owner})`,
    isDone: () => {
      const found = machine.stat(path);
      if (!found?.isFile()) return false;
      if (once) return true;
      const ids = machine.ids(owner);
      const isOwned = found.uid === ids?.uid && (found.mode & 0o7777) === mode;
      return isOwned && machine.text(path) === text;
    },
    act: async () => {
      const at = machine.at(path);
      const { uid, gid } = ownerOf(machine, owner);
      mkdirSync(dirname(at), { recursive: true });
      // No name that sudo, sshd or systemd would read: theirs end otherwise or hold no dot.
      const draft = `${at}.nusantarad-new`;
      rmSync(draft, { force: true });
      const handle = openSync(draft, "wx", 0o600);
      writeSync(handle, text);
      fsyncSync(handle);
      closeSync(handle);
      try {
        chownSync(draft, uid, gid);
        chmodSync(draft, mode);
        await check?.(draft);
        renameSync(draft, at);
      } finally {
        rmSync(draft, { force: true });
      }
    },
  };
}

export function link(machine: Machine, path: string, target: string, owner: Owner): Step {
  return {
    what: `link ${path} -> ${target}`,
    isDone: () =>
      machine.linkAt(path) === target && machine.stat(path)?.uid === machine.ids(owner)?.uid,
    act: () => {
      const at = machine.at(path);
      const { uid, gid } = ownerOf(machine, owner);
      const draft = `${at}.nusantarad-new`;
      rmSync(draft, { force: true });
      symlinkSync(target, draft);
      lchownSync(draft, uid, gid);
      renameSync(draft, at);
    },
  };
}

/** What is to be gone; a folder with all that is in it. */
export function gone(machine: Machine, path: string): Step {
  return {
    what: `remove ${path}`,
    isDone: () => machine.stat(path) === null,
    act: () => rmSync(machine.at(path), { recursive: true, force: true }),
  };
}
