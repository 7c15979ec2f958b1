import { setTimeout as after } from "node:timers/promises";
import { connect } from "node:tls";
import type { AgentCtx } from "../ctx.ts";

const TIMEOUT_MS = 3_000;
const PAUSE_MS = 100;

/** Whether this server shows the very certificate in a TLS handshake for every name, waiting a little for a reload. */
export async function isServed(
  ctx: AgentCtx,
  names: readonly string[],
  fingerprint256: string,
): Promise<boolean> {
  const { patienceMs } = ctx.settings.sites;
  for (const name of names) {
    let waited = 0;
    while ((await shownFor(ctx, name)) !== fingerprint256) {
      if (waited >= patienceMs || ctx.signal.aborted) return false;
      await after(PAUSE_MS);
      waited += PAUSE_MS;
    }
  }
  return true;
}

/** The fingerprint of what is shown for a name; null without a handshake. */
export function shownFor({ settings }: AgentCtx, servername: string): Promise<string | null> {
  const { listen, httpsPort } = settings.nginx;
  const host = listen === "0.0.0.0" ? "127.0.0.1" : listen;
  return new Promise((resolve) => {
    // Whom it is from is not the question: a test authority is nobody's friend.
    const socket = connect({ host, port: httpsPort, servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? null);
      socket.destroy();
    });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on("error", () => resolve(null));
    socket.on("close", () => resolve(null));
  });
}
