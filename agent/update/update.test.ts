import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AgentCtx } from "../ctx.ts";
import { settingsSchema } from "../settings.ts";
import { stagingDir } from "./layout.ts";
import type { ToSupervisor } from "./supervised.ts";
import { newKey, newPlaces, signedRelease, type TestPlaces, type TestRelease } from "./testing.ts";
import { type UpdateParts, updateAgent } from "./update.ts";

const key = newKey();
let places: TestPlaces;
let verbs: [string, unknown][];
let said: ToSupervisor[];
let asked: string[];

beforeEach(() => {
  places = newPlaces();
  [verbs, said, asked] = [[], [], []];
});
afterEach(() => places.remove());

function ctx(answer: () => Response | Promise<Response>): AgentCtx {
  const settings = settingsSchema.parse({
    url: "http://127.0.0.1:9",
    serverId: "srv_1",
    ...folders(),
  });
  return {
    settings,
    run: () => Promise.reject(new Error("no program is needed")),
    root: async (verb, input) => void verbs.push([verb, input]),
    edge: async (path) => {
      asked.push(path);
      return await answer();
    },
    log: { info() {}, warn() {}, error() {} },
    now: () => new Date(),
    signal: new AbortController().signal,
    dryRun: false,
  };
}

const folders = () => ({ programDir: places.programDir, stateDir: places.stateDir });

const parts = (changes: Partial<UpdateParts> = {}): UpdateParts => ({
  trust: { keys: [key.publicKey], version: "1.0.0", commit: "0123456789ab" },
  tell: (message) => void said.push(message),
  isSupervised: () => true,
  switchMs: 1,
  ...changes,
});

const attempt = randomUUID();

const update = (
  { release }: Pick<TestRelease, "release">,
  answer: () => Response | Promise<Response>,
  changes: Partial<UpdateParts> = {},
) => updateAgent(ctx(answer), { attempt, release }, () => undefined, parts(changes));

/** The file in pieces of 1,000 bytes, as a network would bring it; cut off after `bytes`. */
function inPieces(file: Buffer, bytes = file.length, end: "close" | "break" = "close"): Response {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes)
        return end === "close" ? controller.close() : controller.error(new Error("reset"));
      controller.enqueue(file.subarray(at, Math.min(at + 1000, bytes)));
      at += 1000;
    },
  });
  return new Response(body);
}

const large = (version = "1.1.0") => signedRelease(key, version, `// ${"x".repeat(50_000)}`);

describe("an update", () => {
  it("is downloaded, installed by the privileged half and handed to the supervisor", async () => {
    const one = large();
    await expect(update(one, () => inPieces(one.file))).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(asked).toEqual(["/v1/agent/releases/1.1.0/nusantarad.mjs"]);
    expect(verbs).toEqual([["install-release", { release: one.release }]]);
    expect(said).toEqual([{ t: "switch", version: "1.1.0", attempt }]);
    expect(readFileSync(join(stagingDir(places), "1.1.0.mjs"))).toEqual(one.file);
  });

  it("ends well in the process of the new version, which is given the command again", async () => {
    const one = large();
    const trust = { keys: [key.publicKey], version: "1.1.0", commit: one.facts.commit };
    const at = "2026-11-21T12:00:00.000Z";
    const last = { attempt, from: "1.0.0", version: "1.1.0", outcome: "installed", reason: "", at };
    writeFileSync(join(places.stateDir, "last-update.json"), JSON.stringify(last));
    for (let i = 0; i < 10; i++) {
      const done = await update(one, () => Response.error(), { trust });
      expect(done).toEqual({ version: "1.1.0", commit: one.facts.commit, from: "1.0.0" });
    }
    expect(asked).toEqual([]);
    expect(verbs[0]).toEqual(["adopt-release", { release: one.release }]);
  });

  it("ends badly in the old one's, when the new one was taken back: it is not tried again by itself", async () => {
    const one = large();
    const last = {
      attempt,
      from: "1.0.0",
      version: "1.1.0",
      outcome: "reverted",
      reason: "it ended (1)",
    };
    const text = JSON.stringify({ ...last, at: "2026-11-21T12:00:00.000Z" });
    writeFileSync(join(places.stateDir, "last-update.json"), text);
    await expect(update(one, () => inPieces(one.file))).rejects.toMatchObject({
      code: "tool_failed",
      message: "1.1.0 was given up: it ended (1); 1.0.0 runs again",
    });
    expect([asked, said, verbs]).toEqual([[], [], []]);
  });

  it.each<[string, string, () => [Pick<TestRelease, "release">, () => Response]]>([
    ["integrity", "forged", () => [signedRelease(newKey(), "1.1.0"), () => Response.error()]],
    ["version", "replayed", () => [signedRelease(key, "0.9.0"), () => Response.error()]],
    [
      "integrity",
      "truncated",
      () => {
        const one = large();
        return [one, () => inPieces(one.file, 40_000)];
      },
    ],
    [
      "unavailable",
      "cut off",
      () => {
        const one = large();
        return [one, () => inPieces(one.file, 40_000, "break")];
      },
    ],
    [
      "integrity",
      "longer than signed",
      () => {
        const one = large();
        return [one, () => inPieces(Buffer.concat([one.file, Buffer.alloc(1)]))];
      },
    ],
    ["integrity", "endless", () => [large(), () => inPieces(Buffer.alloc(5_000_000))]],
    [
      "integrity",
      "another file",
      () => [large(), () => inPieces(Buffer.from(large("1.2.0").file).fill(1, 0, 9))],
    ],
    ["unavailable", "missing", () => [large(), () => new Response("no", { status: 404 })]],
    ["unavailable", "redirected", () => [large(), () => new Response(null, { status: 302 })]],
  ])("is refused as %s when it is %s, and nothing changes", async (code, _, make) => {
    const [release, answer] = make();
    await expect(update(release, answer)).rejects.toMatchObject({ code });
    expect([said, verbs]).toEqual([[], []]);
    const staged = existsSync(stagingDir(places)) ? readdirSync(stagingDir(places)) : [];
    expect(staged).toEqual([]);
  });

  it("needs a supervisor, which alone can take it back", async () => {
    const one = large();
    const alone = { isSupervised: () => false };
    await expect(update(one, () => inPieces(one.file), alone)).rejects.toMatchObject({
      code: "unavailable",
    });
    expect([asked, said, verbs]).toEqual([[], [], []]);
  });
});
