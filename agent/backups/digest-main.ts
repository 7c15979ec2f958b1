import { digestCommand } from "./digest-command.ts";

await digestCommand();
