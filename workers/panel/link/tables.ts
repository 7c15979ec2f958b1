/** Numbered by their place; append only. */
const MIGRATIONS = [
  `create table commands (id text primary key, seq integer not null, subject text not null, type text not null,
     sealed text, deadline integer not null, state text not null, percent integer not null default 0, value text,
     error text, ended_at integer) without rowid;
   create index commands_turn on commands (subject, seq) where ended_at is null;
   create index commands_deadline on commands (deadline) where ended_at is null;
   create index commands_ended on commands (ended_at) where ended_at is not null;
   create table nonces (nonce text primary key, until integer not null) without rowid;
   create index nonces_until on nonces (until)`,
  `create table key (since integer not null)`,
  `create table forgotten (id text primary key, until integer not null) without rowid;
   create index forgotten_until on forgotten (until)`,
];

/** Brings the object's tables up to date, each step once, all or none. */
export function migrate(storage: DurableObjectStorage): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    sql.exec("create table if not exists schema_version (version integer not null)");
    const [row] = sql.exec<{ version: number }>("select version from schema_version").toArray();
    for (const step of MIGRATIONS.slice(row?.version ?? 0)) sql.exec(step);
    if (row?.version === MIGRATIONS.length) return;
    sql.exec("delete from schema_version");
    sql.exec("insert into schema_version values (?)", MIGRATIONS.length);
  });
}
