import { z } from "zod";
import { filesCommands } from "../../shared/agent-protocol/files.ts";
import { listFolder, makeFolder, moveEntry, removeEntry, setMode, space } from "./entries.ts";
import { extractArchive } from "./extract.ts";
import { writeChunk } from "./write.ts";

const site = { site: true } as const;

/** What is done with files: the site's user does it, in a process of its own, below the site's root. */
export const fileOperation = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("file.write"),
    input: filesCommands["file.write"].input.omit(site),
  }),
  z.strictObject({
    type: z.literal("file.list"),
    input: filesCommands["file.list"].input.omit(site),
  }),
  z.strictObject({
    type: z.literal("file.space"),
    input: filesCommands["file.space"].input.omit(site),
  }),
  z.strictObject({
    type: z.literal("file.extract"),
    input: filesCommands["file.extract"].input.omit(site),
  }),
  z.strictObject({
    type: z.literal("file.make-folder"),
    input: filesCommands["file.make-folder"].input.omit(site),
  }),
  z.strictObject({
    type: z.literal("file.move"),
    input: filesCommands["file.move"].input.omit(site),
  }),
  z.strictObject({
    type: z.literal("file.remove"),
    input: filesCommands["file.remove"].input.omit(site),
  }),
  z.strictObject({
    type: z.literal("file.set-mode"),
    input: filesCommands["file.set-mode"].input.omit(site),
  }),
]);
export type FileOperation = z.output<typeof fileOperation>;

/** Acts with the rights of whoever runs this process. */
export async function operate(root: string, { type, input }: FileOperation): Promise<unknown> {
  switch (type) {
    case "file.write":
      return await writeChunk(root, input);
    case "file.list":
      return await listFolder(root, input);
    case "file.space":
      return await space(root);
    case "file.extract":
      return await extractArchive(root, input);
    case "file.make-folder":
      return await makeFolder(root, input);
    case "file.move":
      return await moveEntry(root, input);
    case "file.remove":
      return await removeEntry(root, input);
    case "file.set-mode":
      return await setMode(root, input);
    default:
      return type satisfies never;
  }
}
