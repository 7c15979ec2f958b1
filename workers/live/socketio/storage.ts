/**
 * The engine's tables in its object. Numbered by their place and append-only; the names are the engine's own, so that the
 * object may have tables of the application beside them.
 */
const MIGRATIONS = [
  `create table socketio_clock (id integer primary key check (id = 1), ping_at integer, check_at integer,
     pinged_at integer, deadline_at integer, expiry_at integer, wake_at integer,
     log_floor integer not null default 0);
   insert into socketio_clock (id) values (1);
   create table socketio_polling (sid text primary key, opened_at integer not null, pong_at integer not null,
     state text) without rowid;
   create table socketio_buffer (id integer primary key, sid text not null, frame text not null);
   create index socketio_buffer_sid on socketio_buffer (sid, id);
   create table socketio_sockets (pid text primary key, session text not null, state text not null,
     lost_at integer) without rowid;
   create table socketio_log (last integer primary key, count integer not null, chars integer not null,
     packets text not null)`,
  `create table socketio_moved (pid text primary key, shard text not null, until integer not null) without rowid;
   create index socketio_moved_until on socketio_moved (until)`,
  "alter table socketio_clock add column is_unwritten integer not null default 0",
];

/** So many characters surely fit into a row of 2 MB: each takes three bytes at most. */
export const ROW_CHARS = 640_000;

/** The engine's SQLite, one statement at a time. */
export class Storage {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  /** Brings the tables up to date; for the constructor, inside `blockConcurrencyWhile`. */
  migrate(transaction: (work: () => void) => void): void {
    transaction(() => {
      this.#sql.exec("create table if not exists socketio_version (version integer not null)");
      const [row] = this.rows<{ version: number }>("select version from socketio_version");
      const version = row?.version ?? 0;
      for (const step of MIGRATIONS.slice(version)) this.#sql.exec(step);
      if (version === MIGRATIONS.length) return;
      this.#sql.exec("delete from socketio_version");
      this.#sql.exec("insert into socketio_version values (?)", MIGRATIONS.length);
    });
  }

  rows<T extends Record<string, SqlStorageValue>>(
    query: string,
    ...values: SqlStorageValue[]
  ): T[] {
    return this.#sql.exec<T>(query, ...values).toArray();
  }

  /** Runs a writing statement; answers how many rows it wrote. */
  write(query: string, ...values: SqlStorageValue[]): number {
    return this.#sql.exec(query, ...values).rowsWritten;
  }
}
