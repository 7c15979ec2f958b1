import { rootCommand } from "./command.ts";

/** The privileged half alone, as `nusantarad root` runs it; for tests, which start it often. */
await rootCommand(process.argv.slice(3));
