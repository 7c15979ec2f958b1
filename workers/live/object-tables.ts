/** `schema_version` is what runs here now, and a release that is older writes its own number there; `schema_reached` stays. */
const VERSION_TABLES = `create table if not exists schema_version (version integer not null);
  create table if not exists schema_reached (version integer not null)`;
const REACHED = `select max(version) as version
  from (select version from schema_version union all select version from schema_reached)`;

/**
 * The tables of an object, made at its first write: an object that was only asked something (anybody may name a room)
 * stores nothing. `migrations` are numbered by their place and only ever appended to.
 */
export class ObjectTables {
  readonly #storage: DurableObjectStorage;
  readonly #migrations: readonly string[];
  #made = false;

  constructor(storage: DurableObjectStorage, migrations: readonly string[]) {
    this.#storage = storage;
    this.#migrations = migrations;
  }

  /** Brings existing tables up to date; makes none. For the object's constructor. */
  open(): void {
    if (this.#read("select 1 from sqlite_master where name = 'schema_version'").length > 0) {
      this.#migrate();
    }
  }

  /** True when this object has written something. */
  get made(): boolean {
    return this.#made;
  }

  /** Rows of a query; an object without tables has none. */
  rows<T extends Record<string, SqlStorageValue>>(query: string, ...values: SqlStorageValue[]) {
    return this.#made ? this.#read<T>(query, ...values) : [];
  }

  /** Runs a writing statement; the tables are made first if need be. */
  write(query: string, ...values: SqlStorageValue[]): void {
    if (!this.#made) this.#migrate();
    this.#storage.sql.exec(query, ...values);
  }

  /** Forgets everything, as if the object had never been used. */
  async drop(): Promise<void> {
    this.#made = false;
    await this.#storage.deleteAll();
  }

  #read<T extends Record<string, SqlStorageValue>>(
    query: string,
    ...values: SqlStorageValue[]
  ): T[] {
    return this.#storage.sql.exec<T>(query, ...values).toArray();
  }

  #migrate(): void {
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec(VERSION_TABLES);
      const [row] = this.#read<{ version: number | null }>(REACHED);
      const version = row?.version ?? 0;
      for (const step of this.#migrations.slice(version)) this.#storage.sql.exec(step);
      if (version >= this.#migrations.length) return;
      for (const table of ["schema_version", "schema_reached"]) {
        this.#storage.sql.exec(`delete from ${table}`);
        this.#storage.sql.exec(`insert into ${table} values (?)`, this.#migrations.length);
      }
    });
    this.#made = true;
  }
}
