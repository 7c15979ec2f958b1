import type { Session } from "./connection.ts";

interface Column {
  table: string;
  name: string;
  type: string;
  generated: string | null;
}

/** What the dump program does not carry whole. */
export interface OddTables {
  /** With FLOAT columns, of which it writes six digits: their rows are written by us. */
  floats: Set<string>;
  /** System-versioned ones: it carries their past if it can, which it cannot for those that count transactions. */
  versioned: Set<string>;
  transactional: Set<string>;
}

export async function oddTablesOf(session: Session, database: string): Promise<OddTables> {
  const found = await session.rows<Column>(
    `select c.TABLE_NAME as \`table\`, c.COLUMN_NAME as name, c.DATA_TYPE as type, c.GENERATION_EXPRESSION as \`generated\`
     from information_schema.COLUMNS c join information_schema.TABLES t using (TABLE_SCHEMA, TABLE_NAME)
     where c.TABLE_SCHEMA = ? and t.TABLE_TYPE in ('BASE TABLE', 'SYSTEM VERSIONED')
       and (c.DATA_TYPE = 'float' or c.GENERATION_EXPRESSION = 'ROW START')`,
    [database],
  );
  const versioned = await session.rows<{ name: string }>(
    `select TABLE_NAME as name from information_schema.TABLES
     where TABLE_SCHEMA = ? and TABLE_TYPE = 'SYSTEM VERSIONED'`,
    [database],
  );
  const named = (wanted: (column: Column) => boolean) =>
    new Set(found.filter(wanted).map(({ table }) => table));
  return {
    floats: named(({ type }) => type === "float"),
    versioned: new Set(versioned.map(({ name }) => name)),
    transactional: named(({ type, generated }) => generated === "ROW START" && type === "bigint"),
  };
}

const BYTES = new Set(
  "binary varbinary tinyblob blob mediumblob longblob geometry point linestring polygon multipoint multilinestring multipolygon geometrycollection".split(
    " ",
  ),
);
const NUMBERS = new Set("tinyint smallint mediumint int bigint decimal double year".split(" "));

interface Stored {
  name: string;
  type: string;
}

const storedColumns = async (session: Session, database: string, table: string) =>
  await session.rows<Stored>(
    `select COLUMN_NAME as name, DATA_TYPE as type from information_schema.COLUMNS
     where TABLE_SCHEMA = ? and TABLE_NAME = ? and IS_GENERATED = 'NEVER' order by ORDINAL_POSITION`,
    [database, table],
  );

/** A column's value as it stands in a statement; a FLOAT as the DOUBLE that it exactly is. */
function literal(name: string, type: string): string {
  if (type === "float") return `if(${name} is null, 'NULL', concat(cast(${name} as double)))`;
  if (type === "bit") return `if(${name} is null, 'NULL', concat('0x', hex(${name})))`;
  if (BYTES.has(type))
    return `if(${name} is null, 'NULL', if(length(${name}) = 0, '\\'\\'', concat('0x', hex(${name}))))`;
  if (NUMBERS.has(type)) return `if(${name} is null, 'NULL', concat(${name}))`;
  return `quote(convert(${name} using utf8mb4))`;
}

const HEAD = `SET NAMES utf8mb4;
SET SESSION TIME_ZONE='+00:00', FOREIGN_KEY_CHECKS=0, UNIQUE_CHECKS=0, SQL_MODE='NO_AUTO_VALUE_ON_ZERO';
`;
const STATEMENT_BYTES = 256 * 1024;

/** The rows that a session sees of a table, as statements that put them back exactly. */
export async function* insertsOf(
  session: Session,
  database: string,
  table: string,
): AsyncGenerator<Buffer> {
  const columns = await storedColumns(session, database, table);
  await session.rows("set session time_zone = '+00:00', sql_mode = ''");
  const names = columns.map(({ name }) => session.name(name));
  const values = columns.map(({ name, type }) => literal(session.name(name), type));
  const insert = `INSERT INTO ${session.name(table)} (${names.join(", ")}) VALUES\n`;
  const from = session.name(database, table);
  let rows: string[] = [];
  let length = 0;
  yield Buffer.from(HEAD);
  const flush = () => {
    const text = rows.length > 0 ? `${insert}${rows.join(",\n")};\n` : "";
    rows = [];
    length = 0;
    return Buffer.from(text);
  };
  for await (const row of session.stream(`select ${values.join(", ")} from ${from}`)) {
    // A value that has no room in an answer would come as none at all.
    if (row.includes(null)) throw new Error("a row is larger than the server answers");
    const text = `(${row.join(", ")})`;
    rows.push(text);
    length += text.length;
    if (length >= STATEMENT_BYTES) yield flush();
  }
  yield flush();
}

/** A sum over the rows of now, for a table whose own checksum takes in a past that no dump carries. */
export async function sumOf(session: Session, database: string, table: string): Promise<string> {
  const columns = await storedColumns(session, database, table);
  const values = columns.map(({ name: column, type }) => {
    const name = session.name(column);
    if (BYTES.has(type) || type === "bit") return `ifnull(hex(${name}), '~')`;
    const exact = type === "float" ? `cast(${name} as double)` : name;
    return `ifnull(hex(cast(${exact} as binary)), '~')`;
  });
  const row = `left(sha2(concat_ws('#', ${values.join(", ")}), 256), 13)`;
  const [sum] = await session.rows<{ n: string | null }>(
    `select concat(sum(cast(conv(${row}, 16, 10) as unsigned))) as n from ${session.name(database, table)}`,
  );
  return `${NOW}${sum?.n ?? 0}`;
}

/** How such a sum begins. */
export const NOW = "now:";
