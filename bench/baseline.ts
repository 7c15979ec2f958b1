import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capnp } from "./capnp.ts";
import type { StandIns } from "./stand-ins.ts";
import { dropBundle, type Running, startWorkerd } from "./workerd.ts";

/** What workerd itself takes: an empty handler, and one that hands on what the database endpoint answers. */
export async function startBaseline({ databaseUrl, httpUrl }: StandIns): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-bench-"));
  writeFileSync(join(folder, "index.js"), script(databaseUrl, httpUrl));
  const bundle = {
    folder,
    gzipBytes: 0,
    objects: folder,
    config: (port: number) => capnp({ port }),
  };
  const running = await startWorkerd(bundle);
  return {
    ...running,
    stop: async () => {
      await running.stop();
      dropBundle(bundle);
    },
  };
}

const script = (databaseUrl: string, httpUrl: string) => `
const query = JSON.stringify({
  query: "select * from market_products where status = 'active' and deleted_at is null order by created_at desc, id desc limit 20",
  params: [],
});
const headers = {
  "neon-connection-string": ${JSON.stringify(databaseUrl)},
  "neon-raw-text-output": "true",
  "neon-array-mode": "true",
};
export default {
  async fetch(request) {
    if (!request.url.endsWith("/database")) return new Response("ok");
    const answer = await fetch("${httpUrl}/sql", { method: "POST", headers, body: query });
    return new Response(await answer.text());
  },
};
`;
