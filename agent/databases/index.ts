import type { databasesCommands } from "../../shared/agent-protocol/databases.ts";
import type { HandlersOf } from "../handlers.ts";
import { createDatabase, dropDatabase, listDatabases } from "./databases.ts";
import { createUser, dropUser } from "./users.ts";

export { type Database, type DatabaseOptions, withDatabase } from "./connection.ts";
export { countRows, type TableCount } from "./counts.ts";
export { databaseSizes } from "./databases.ts";

export const handlers = {
  "db.list": listDatabases,
  "db.create": createDatabase,
  "db.create-user": createUser,
  "db.drop": dropDatabase,
  "db.drop-user": dropUser,
} satisfies HandlersOf<typeof databasesCommands>;
