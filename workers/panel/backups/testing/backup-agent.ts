import {
  type BackupFacts,
  type BackupTarget,
  STATE_HEADERS,
} from "../../../../shared/agent-protocol/backups.ts";
import type { CommandOutcome } from "../../../../shared/agent-protocol/index.ts";
import { sha256Hex } from "../../../../shared/crypto/index.ts";
import { api, fetchWorker, type TestAnswer } from "../../../testing/api.ts";
import type { TestUser } from "../../../testing/factories.ts";
import {
  callHeaders,
  connected,
  enrolledServer,
  type TestAgent,
  type TestServer,
} from "../../testing/agents.ts";
import { failure, success } from "../../testing/scripted.ts";

export const DIR = "/var/backups/nusantara-panel";

/** One signed call of a server's agent. */
export async function signedCall(
  server: TestServer,
  method: string,
  path: string,
  body: Uint8Array<ArrayBuffer> | string = "",
  changes: { headers?: Record<string, string>; signedBody?: string } = {},
): Promise<Response> {
  const hash = await sha256Hex(changes.signedBody ?? body);
  const headers = {
    ...(await callHeaders(server, { method, path, body: hash })),
    ...changes.headers,
  };
  const isRead = method === "GET";
  return await fetchWorker(path, { method, headers, ...(isRead ? {} : { body }) });
}

export const signedJson = (server: TestServer, path: string, json: unknown) =>
  signedCall(server, "POST", path, JSON.stringify(json), {
    headers: { "content-type": "application/json" },
  });

type Given = Record<string, unknown>;

/** An agent that makes backups of nothing much: what it is asked about the panel's state it does for real. */
export class BackupAgent {
  readonly agent: TestAgent;
  readonly server: TestServer;
  /** Backups that it has, by name. */
  readonly files = new Map<string, BackupFacts>();
  readonly states = new Map<string, string>();
  /** Instead of what it would do; null: it says nothing. */
  instead: (type: string, input: Given) => CommandOutcome | null | undefined = () => undefined;
  readonly given: { type: string; input: Given; subject: string }[] = [];
  #handled = 0;
  #stopped = false;

  constructor(agent: TestAgent, server: TestServer) {
    this.agent = agent;
    this.server = server;
    void this.#serve();
  }

  stop(): void {
    this.#stopped = true;
    this.agent.close();
  }

  async #serve(): Promise<void> {
    while (!this.#stopped) {
      await this.agent
        .until(({ frames }) => frames.length > this.#handled || this.#stopped)
        .catch(() => undefined);
      for (const frame of this.agent.frames.slice(this.#handled)) {
        this.#handled += 1;
        if (frame.t === "command")
          void this.#answer(frame.id, frame.type, frame.subject, frame.input);
      }
    }
  }

  async #answer(id: string, type: string, subject: string, raw: unknown): Promise<void> {
    const input = raw as Given;
    this.given.push({ type, input, subject });
    const other = this.instead(type, input);
    if (other === null) return;
    const outcome = other ?? (await this.#does(type, input));
    if (!this.#stopped) this.agent.result(id, outcome);
  }

  async #does(type: string, input: Given): Promise<CommandOutcome> {
    switch (type) {
      case "backup.run":
        return success(await this.#makes(input));
      case "backup.prove":
      case "backup.restore":
        return await this.#restores(type === "backup.prove" ? "prove" : "restore", input);
      case "backup.upload":
        return failure("unavailable", "not now");
      case "backup.remove":
        for (const name of input.names as string[]) this.files.delete(name);
        return success({ removed: input.names });
      case "backup.list":
        return success({ dir: DIR, items: [...this.files.values()], unreadable: [] });
      default:
        return failure("invalid", `no answer to ${type}`);
    }
  }

  async #makes(input: Given): Promise<BackupFacts> {
    const [backupId, name] = [String(input.backupId), String(input.name)];
    const target = input.target as BackupTarget;
    let counts: Record<string, number> = { files: 1 };
    let plainSha256: string | null = null;
    let stateSignature: string | null = null;
    if (target.kind === "state") {
      const answer = await signedCall(this.server, "GET", `/v1/agent/backups/${backupId}/state`);
      this.states.set(backupId, await answer.text());
      counts = JSON.parse(answer.headers.get(STATE_HEADERS.counts) ?? "{}");
      plainSha256 = answer.headers.get(STATE_HEADERS.sha256);
      stateSignature = answer.headers.get(STATE_HEADERS.signature);
    }
    const archive = archiveOf(backupId);
    const facts: BackupFacts = {
      ...{
        file: `${DIR}/${name}`,
        name,
        backupId,
        kind: target.kind,
        counts,
        plainSha256,
        stateSignature,
        notes: [],
      },
      subject:
        target.kind === "site" ? target.domain : target.kind === "database" ? target.database : "",
      ...{ createdAt: String(input.createdAt), bytes: archive.length, plainBytes: archive.length },
      ...{ sha256: await sha256Hex(archive), manifestSha256: await sha256Hex(name) },
    };
    this.files.set(name, facts);
    return facts;
  }

  async #restores(what: "prove" | "restore", input: Given): Promise<CommandOutcome> {
    const facts = this.files.get(String(input.name));
    if (!facts) return failure("not_found", "backup not found");
    const state = this.states.get(facts.backupId);
    if (state !== undefined) {
      const query = what === "restore" ? `?restore=${String(input.restoreId)}` : "";
      const path = `/v1/agent/backups/${facts.backupId}/${what}${query}`;
      const answer = await signedCall(this.server, "POST", path, state);
      if (answer.status !== 200)
        return failure("conflict", `the panel refused: ${((await answer.json()) as Given).error}`);
    }
    const provenAt = new Date().toISOString();
    return success({ restoreMs: 7, provenAt, counts: facts.counts, healed: false });
  }
}

/** What the agent has of a backup: a part and a bit. */
export function archiveOf(
  backupId: string,
  length = 5 * 1024 * 1024 + 1_000,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 997) bytes[i] = backupId.charCodeAt(i % 36);
  return bytes;
}

/** A server of its own whose agent makes backups. */
export async function backupServer(operator: TestUser): Promise<BackupAgent> {
  const server = await enrolledServer(operator);
  return new BackupAgent(await connected(server), server);
}

export const asOperator =
  (operator: TestUser, { server }: BackupAgent) =>
  async (method: string, path: string, json?: unknown): Promise<TestAnswer> =>
    await api(`/v1/backup/${path}${path.includes("?") ? "&" : "?"}server=${server.id}`, {
      method,
      token: operator.token,
      ...(json === undefined ? {} : { json }),
    });
