import { existsSync, writeFileSync } from "node:fs";
import { createConnection } from "mysql2/promise";
import { until } from "../http.ts";
import { check } from "../narrator.ts";
import { ask, done, type Operator } from "./calls.ts";
import type { Machine } from "./machine.ts";
import type { Site } from "./site.ts";

export interface Account {
  database: string;
  username: string;
  password: string;
}

/** Runs one statement as that account, over the socket, as the site's own program would. */
export async function query<T>(machine: Machine, account: Account, sql: string): Promise<T[]> {
  const { database, username: user, password } = account;
  const connection = await createConnection({
    ...{ socketPath: machine.mariadbSocket, user, password, database },
  });
  try {
    const [rows] = await connection.query(sql);
    return rows as T[];
  } finally {
    await connection.end();
  }
}

/** A database and an account that signs in to it, with a row that must not be lost. */
export async function makeDatabase(operator: Operator, machine: Machine): Promise<Account> {
  const database = `toko_${crypto.randomUUID().slice(0, 8)}`;
  const account = { database, username: database, password: `r4'"\\;$(id) ${crypto.randomUUID()}` };
  await done(operator, "POST", "/v1/db/databases", { name: database });
  await done(operator, "POST", "/v1/db/users", account);
  await query(machine, account, "create table pesanan (id int primary key, nama varchar(40))");
  await query(machine, account, "insert into pesanan values (1, 'Sri'), (2, 'Budi'), (3, 'Tini')");
  const log = JSON.stringify(await ask(operator, "GET", "/v1/jobs?limit=5"));
  check("the password in a job", log.includes(account.password), false);
  operator.tell.step(
    `Database ${database} and a user made; the user signs in and writes three rows`,
    "its password, full of quotes, left the panel as a hash only",
  );
  return account;
}

interface Backup {
  file: string;
  size: number;
  kind: string;
  subject: string;
  last_proven_at: string | null;
  restore_ms: number | null;
}

const backups = async (operator: Operator) =>
  (await ask<{ items: Backup[] }>(operator, "GET", "/v1/backup/list")).items;

async function backUp(operator: Operator, wanted: object): Promise<string> {
  const before = new Set((await backups(operator)).map(({ file }) => file));
  const made = await done<{ file?: string }>(operator, "POST", "/v1/backup/run", wanted);
  if (made.file) return made.file;
  const [found] = (await backups(operator)).filter(({ file }) => !before.has(file));
  if (!found) throw new Error("no backup was made");
  return found.file;
}

/** Backs site and database up and proves both: restored into a scratch place and compared. */
export async function backUpAndProve(operator: Operator, site: Site, { database }: Account) {
  const files = {
    site: await backUp(operator, { kind: "site", site: site.id }),
    database: await backUp(operator, { kind: "database", database }),
  };
  for (const file of Object.values(files)) {
    await done(operator, "POST", "/v1/backup/prove", { file });
    const proven = await until(
      `${file} is proven`,
      async () => (await backups(operator)).find((backup) => backup.file === file),
      (backup) => Boolean(backup?.last_proven_at),
    );
    operator.tell.step(
      `Backed up and proven: ${proven?.kind}, ${proven?.size} bytes, encrypted`,
      `${file.split("/").at(-1)}; proven at ${proven?.last_proven_at}, a restore takes ${proven?.restore_ms} ms`,
    );
  }
  return files;
}

export interface Broken {
  operator: Operator;
  machine: Machine;
  site: Site;
  account: Account;
}

/** Somebody's hand slips; then the backups bring everything back. */
export async function breakAndRestore(
  { operator, machine, site, account }: Broken,
  files: { site: string; database: string },
): Promise<void> {
  const good = await machine.visit(site.domain);
  writeFileSync(`${site.root_path}/index.php`, "Diretas!");
  writeFileSync(`${site.root_path}/hacked.html`, "hacked");
  await query(machine, account, "drop table pesanan");
  const broken = await until(
    "the damage shows",
    () => machine.visit(site.domain),
    ({ body }) => body !== good.body,
  );
  operator.tell.step(
    `The site is broken by hand: visitors read "${broken.body}", its table is gone`,
  );

  for (const file of [files.site, files.database]) {
    await done(operator, "POST", "/v1/backup/restore", { file });
  }
  const again = await until(
    "the page is back",
    () => machine.visit(site.domain),
    ({ body }) => body === good.body,
  );
  check("what the break-in left", existsSync(`${site.root_path}/hacked.html`), false);
  const rows = await query<{ nama: string }>(
    machine,
    account,
    "select nama from pesanan order by id",
  );
  check("the rows", rows.map(({ nama }) => nama).join(" "), "Sri Budi Tini");
  operator.tell.step(
    `Restored: visitors get ${again.status} and the page of before, all three rows are there`,
    JSON.stringify(rows),
  );
}
