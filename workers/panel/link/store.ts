import { type AgentError, agentError } from "../../../shared/agent-protocol/index.ts";
import type { CommandView, CommandViewWire, KeySince, SubmissionWire } from "./views.ts";

type State = CommandView["state"];

/** A command as the object keeps it. `sealed` is its input, gone once it has ended. */
export interface StoredCommand {
  id: string;
  seq: number;
  subject: string;
  type: string;
  sealed: string | null;
  deadline: number;
  state: State;
  percent: number;
  value: string | null;
  error: string | null;
}

export interface End {
  state: Exclude<State, "queued" | "sent">;
  valueJson?: string;
  error?: AgentError;
}

const COLUMNS = "id, seq, subject, type, sealed, deadline, state, percent, value, error";

/** The commands of one server in the object's own SQLite. Every write is there before anything is said about it. */
export class CommandStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(id: string): StoredCommand | null {
    return this.#commands("where id = ?", id)[0] ?? null;
  }

  /** How many have not ended. */
  waiting(): number {
    return this.#number("select count(*) as n from commands where ended_at is null");
  }

  insert(command: Omit<SubmissionWire, "inputJson">, sealed: string): void {
    const { id, seq, subject, type, deadlineAt } = command;
    this.#sql.exec(
      "insert into commands (id, seq, subject, type, sealed, deadline, state) values (?, ?, ?, ?, ?, ?, 'queued')",
      ...[id, seq, subject, type, sealed, deadlineAt],
    );
  }

  /** The first of each subject, where it has not been sent and its time has not passed. */
  sendable(now: number, limit: number): StoredCommand[] {
    return this.#commands(
      `c where ended_at is null and state = 'queued' and deadline > ? and not exists (select 1 from commands d
         where d.ended_at is null and d.subject = c.subject and d.seq < c.seq)
       order by seq limit ?`,
      ...[now, limit],
    );
  }

  /** What the agent was given and has not ended, in order. */
  sent(): StoredCommand[] {
    return this.#commands("where ended_at is null and state = 'sent' order by seq");
  }

  countSent(): number {
    return this.#number(
      "select count(*) as n from commands where ended_at is null and state = 'sent'",
    );
  }

  markSent(id: string): void {
    this.#sql.exec("update commands set state = 'sent' where id = ? and state = 'queued'", id);
  }

  progress(id: string, percent: number): void {
    this.#sql.exec(
      "update commands set percent = max(percent, ?) where id = ? and ended_at is null",
      ...[Math.round(percent), id],
    );
  }

  /** Ends a command once; false when it had ended or is not known. */
  end(id: string, { state, valueJson, error }: End, now: number): boolean {
    const { rowsWritten } = this.#sql.exec(
      `update commands set state = ?, value = ?, error = ?, ended_at = ?, sealed = null,
         percent = iif(? = 'done', 100, percent) where id = ? and ended_at is null`,
      ...[state, valueJson ?? null, error ? JSON.stringify(error) : null, now, state, id],
    );
    return rowsWritten > 0;
  }

  /** Those whose time is up: at once if nobody was given them, else after the time that an answer may still take. */
  overdue(now: number, graceMs: number): StoredCommand[] {
    return this.#commands(
      "where ended_at is null and deadline + iif(state = 'sent', ?, 0) <= ? order by seq limit 500",
      ...[graceMs, now],
    );
  }

  /** Lets go of ended commands; until then it is still known that they were here. */
  forget(ids: readonly string[], until: number, now: number): void {
    this.#sql.exec("delete from forgotten where until <= ?", now);
    for (const id of ids) {
      const { rowsWritten } = this.#sql.exec(
        "delete from commands where id = ? and ended_at is not null",
        id,
      );
      if (rowsWritten === 0) continue;
      this.#sql.exec(
        "insert into forgotten (id, until) values (?, ?) on conflict do nothing",
        ...[id, until],
      );
    }
  }

  isForgotten(id: string): boolean {
    return this.#number("select count(*) as n from forgotten where id = ?", id) > 0;
  }

  /** Lets go of ends that nobody has asked for. */
  purge(endedBefore: number): void {
    this.#sql.exec("delete from commands where ended_at < ?", endedBefore);
  }

  /** When there is next something to do without being asked, or null. */
  nextChore(graceMs: number, keptMs: number): number | null {
    const [row] = this.#sql
      .exec<{ at: number | null }>(
        `select min(at) as at from (
           select min(deadline + iif(state = 'sent', ?, 0)) as at from commands where ended_at is null
           union all select min(ended_at) + ? from commands where ended_at is not null)`,
        ...[graceMs, keptMs],
      )
      .toArray();
    return row?.at ?? null;
  }

  /** Takes a nonce; false when it was taken before and could still be used. */
  takeNonce(nonce: string, until: number, now: number): boolean {
    this.#sql.exec("delete from nonces where until <= ?", now);
    const { rowsWritten } = this.#sql.exec(
      "insert into nonces (nonce, until) values (?, ?) on conflict do nothing",
      ...[nonce, until],
    );
    return rowsWritten > 0;
  }

  /** From when on a key is the server's, as far as this object was told. */
  keySince(): KeySince {
    return this.#number("select coalesce(max(since), 0) as n from key");
  }

  /** A later key of the server; one that was told late changes nothing. */
  takeKey(since: KeySince): void {
    if (since <= this.keySince()) return;
    this.#sql.exec("delete from key");
    this.#sql.exec("insert into key values (?)", since);
  }

  #commands(rest: string, ...values: SqlStorageValue[]): StoredCommand[] {
    // The columns are those of the table above; `state` is only ever written from `State`.
    return this.#sql
      .exec(`select ${COLUMNS} from commands ${rest}`, ...values)
      .toArray() as unknown as StoredCommand[];
  }

  #number(query: string, ...values: SqlStorageValue[]): number {
    return this.#sql.exec<{ n: number }>(query, ...values).one().n;
  }
}

/** A stored command as its caller sees it. */
export function viewOf({ state, percent, value, error }: StoredCommand): CommandViewWire {
  return {
    ...{ state, percent },
    ...(value === null ? {} : { valueJson: value }),
    ...(error === null ? {} : { error: agentError.parse(JSON.parse(error)) }),
  };
}
