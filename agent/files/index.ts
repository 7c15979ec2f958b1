import { filesCommands } from "../../shared/agent-protocol/files.ts";
import type { InputOf } from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import type { HandlersOf } from "../handlers.ts";
import type { FileOperation } from "./operations.ts";

type Name = keyof typeof filesCommands;

const resultOf = <T extends Name>(type: T, value: unknown) =>
  filesCommands[type].result.parse(value) as ReturnType<
    (typeof filesCommands)[T]["result"]["parse"]
  >;

const READS: ReadonlySet<Name> = new Set(["file.list", "file.space", "sftp.find"]);

function refuseDry({ dryRun }: AgentCtx, type: Name): void {
  if (dryRun && !READS.has(type)) {
    throw new CommandError("unavailable", "a dry run changes nothing of a site's files");
  }
}

/** The site's own user does it, below the site's own root: in a process of its own, by the privileged half. */
function asUser<T extends FileOperation["type"]>(type: T) {
  return async (ctx: AgentCtx, { site, ...input }: InputOf<T>) => {
    refuseDry(ctx, type);
    return resultOf(type, await ctx.root("site.files", { site, operation: { type, input } }));
  };
}

const asRoot =
  <T extends "sftp.set" | "sftp.remove" | "sftp.find">(type: T) =>
  async (ctx: AgentCtx, input: InputOf<T>) => {
    refuseDry(ctx, type);
    return resultOf(type, await ctx.root(type, input));
  };

export const handlers = {
  "file.write": asUser("file.write"),
  "file.list": asUser("file.list"),
  "file.space": asUser("file.space"),
  "file.extract": asUser("file.extract"),
  "file.make-folder": asUser("file.make-folder"),
  "file.move": asUser("file.move"),
  "file.remove": asUser("file.remove"),
  "file.set-mode": asUser("file.set-mode"),
  "sftp.set": asRoot("sftp.set"),
  "sftp.remove": asRoot("sftp.remove"),
  "sftp.find": asRoot("sftp.find"),
} satisfies HandlersOf<typeof filesCommands>;
