import { testCtx } from "../testing/ctx.ts";
import { obtain } from "./order.ts";
import { openStore } from "./store.ts";

/** A process of its own that a test may kill: asks for a certificate and says how far it is. */
const { settings, wanted } = JSON.parse(process.argv[2] ?? "{}");
const ctx = testCtx(settings);
await obtain(ctx, openStore(ctx.settings.certificates.dir), wanted, (_, lines = []) => {
  process.stdout.write(`${lines.join()}\n`);
});
process.stdout.write("has it\n");
