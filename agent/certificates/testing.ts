import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentCtx } from "../ctx.ts";
import { selfSigned } from "../relay/test-certificate.ts";
import type { SettingsGiven } from "../settings.ts";
import { testCtx } from "../testing/ctx.ts";
import type { TestPebble } from "../testing/pebble.ts";

/** Shows the challenges of a folder, as every site's vhost does, and counts who looked. */
export interface ChallengeServer {
  folder: string;
  challengeDir: string;
  port: number;
  /** What the authority sees from now on, though the agent itself sees the file: as when DNS points elsewhere. */
  misleadAuthority(names: string[]): void;
  stop(): Promise<void>;
}

export async function startChallengeServer(): Promise<ChallengeServer> {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-acme-"));
  const challengeDir = join(folder, "challenges");
  let misled: string[] = [];
  const server = createServer((request, response) => {
    const token = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]+)$/.exec(request.url ?? "")?.[1];
    const name = (request.headers.host ?? "").replace(/:\d+$/, "");
    const isAuthority = (request.headers["user-agent"] ?? "").includes("Pebble");
    try {
      const text = readFileSync(join(challengeDir, token ?? "none"), "utf8");
      response.end(isAuthority && misled.includes(name) ? "somebody else's page" : text);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    folder,
    challengeDir,
    port: (server.address() as AddressInfo).port,
    misleadAuthority: (names) => {
      misled = names;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const certificateSettings = (
  { folder, challengeDir, port }: Pick<ChallengeServer, "folder" | "challengeDir" | "port">,
  pebble: TestPebble,
): Partial<SettingsGiven> => ({
  nginx: { httpPort: port, listen: "127.0.0.1" },
  certificates: {
    dir: join(folder, "certificates"),
    challengeDir,
    directoryUrl: pebble.directoryUrl,
    stagingUrl: pebble.directoryUrl,
    caFile: pebble.caFile,
  },
});

/** A context whose clock the test moves. */
export function clockedCtx(
  settings: Partial<SettingsGiven>,
  given: Partial<Omit<AgentCtx, "settings">> = {},
) {
  let offsetMs = 0;
  const ctx = testCtx(settings, { now: () => new Date(Date.now() + offsetMs), ...given });
  return {
    ctx,
    passMs: (ms: number) => {
      offsetMs += ms;
    },
  };
}

/** A port that nothing listens on. */
export function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createNetServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** An authority that has had enough: every signed call is answered 429. */
export async function startBusyAuthority(retryAfterS: number) {
  const tls = selfSigned();
  let heard = 0;
  const server = createTlsServer(tls, (request, response) => {
    const at = (path: string) => `https://${request.headers.host}${path}`;
    response.setHeader("replay-nonce", "nonce-0001");
    heard += 1;
    if (request.method !== "POST") {
      const urls = { newNonce: at("/nonce"), newAccount: at("/account"), newOrder: at("/order") };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(urls));
      return;
    }
    response.statusCode = 429;
    response.setHeader("retry-after", String(retryAfterS));
    response.setHeader("content-type", "application/problem+json");
    response.end(JSON.stringify({ type: "urn:ietf:params:acme:error:rateLimited" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const folder = mkdtempSync(join(tmpdir(), "lumbung-busy-"));
  const caFile = join(folder, "authority.pem");
  writeFileSync(caFile, tls.cert);
  return {
    directoryUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}/dir`,
    caFile,
    heard: () => heard,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
