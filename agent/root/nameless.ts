import { join } from "node:path";
import type { Settings } from "../settings.ts";
import type { SiteRecord } from "../sites/record.ts";
import { renderNameless } from "../sites/vhost.ts";
import { textIn } from "./atomic.ts";
import { applyVhost } from "./nginx.ts";
import type { RootCtx } from "./root-ctx.ts";

/** Before every site's own file, as nginx reads a folder. */
export const namelessFile = ({ nginx }: Pick<Settings, "nginx">): string =>
  join(nginx.sitesDir, "nameless.conf");

/** `ssl_reject_handshake` came with this version of nginx. */
const SINCE = [1, 19, 4];

/**
 * With the first site that is served over TLS: who asks for a name that no site has is not answered at all, and so learns
 * nobody's certificate. An operator's own `default_server` goes before it, whenever it is made; an older nginx does as
 * before, for it could not start with this.
 */
export async function putNameless(root: RootCtx, { certificate }: SiteRecord): Promise<void> {
  const file = namelessFile(root.settings);
  const text = renderNameless(root.settings);
  if (certificate === null || (await textIn(file)) === text || !(await isNewEnough(root))) return;
  await applyVhost(root, { file, text, checks: [] });
}

async function isNewEnough(root: RootCtx): Promise<boolean> {
  const { stderr } = await root.run("nginx", ["-v"]);
  const found = /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(stderr)?.slice(1).map(Number);
  if (!found) return false;
  const differing = SINCE.findIndex((part, at) => part !== found[at]);
  return differing < 0 || (found[differing] ?? 0) > (SINCE[differing] ?? 0);
}
