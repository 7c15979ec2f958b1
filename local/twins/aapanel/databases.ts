import { done, refused } from "./answers.ts";
import { type Call, need, needInt } from "./call.ts";
import type { Panel } from "./engine.ts";
import type { Database } from "./state.ts";

const reserved = ["root", "mysql", "test", "sys", "panel_logs"];
const passwordForm = /^[\w@.?\-><~!#$%^&*()]+$/;

/** Why a database cannot be made, or null; a user owns one database only. */
export function databaseProblem(panel: Panel, name: string, username: string): string | null {
  if (!/^\w+$/.test(name) || !/^\w+$/.test(username)) return "Database name is illegal";
  if (reserved.includes(name) || reserved.includes(username)) return "Database name is reserved";
  const taken = [...panel.state.databases.values()].some(
    (one) => one.name === name || one.username === username,
  );
  return taken ? "Database already exists" : null;
}

export function addDatabase(panel: Panel, made: Omit<Database, "id" | "addedAt">): Database {
  const database: Database = { ...made, id: panel.nextId(), addedAt: panel.clock() };
  panel.state.databases.set(database.id, database);
  return database;
}

/** Success has no `msg`, alone among the calls of v1. */
export async function createDatabase(panel: Panel, call: Call): Promise<unknown> {
  const fields = {
    name: need(call, "name").toLowerCase(),
    username: need(call, "db_user"),
    password: need(call, "password"),
    codeing: need(call, "codeing"),
    access: need(call, "address"),
    ps: need(call, "ps"),
    pid: Number(call.form.pid ?? 0),
  };
  if (panel.own.take("databaseRefused", call.text)) return refused("MySQL is not running");
  const problem = databaseProblem(panel, fields.name, fields.username);
  if (problem) return refused(problem);
  if (!passwordForm.test(fields.password)) return refused("Database password cannot be used");
  const { id } = addDatabase(panel, fields);
  const timestamp = Math.floor(panel.clock() / 1000);
  return { status: true, timestamp, message: { result: "Successfully added!" }, id };
}

const unknown = "The specified database does not exist";

export async function deleteDatabase(panel: Panel, call: Call): Promise<unknown> {
  const database = panel.state.databases.get(needInt(call, "id"));
  if (database?.name !== need(call, "name")) return refused(unknown);
  panel.state.databases.delete(database.id);
  return done("Successfully deleted!");
}

export async function resetPassword(panel: Panel, call: Call): Promise<unknown> {
  const database = panel.state.databases.get(needInt(call, "id"));
  const password = need(call, "password");
  if (database?.username !== need(call, "name")) return refused(unknown);
  if (!passwordForm.test(password)) return refused("Database password cannot be used");
  database.password = password;
  return done("Setup successfully!");
}

export async function getAccess(panel: Panel, call: Call): Promise<unknown> {
  const name = need(call, "name");
  const database = [...panel.state.databases.values()].find((one) => one.username === name);
  return database ? { status: true, msg: database.access } : refused(unknown);
}

export async function setAccess(panel: Panel, call: Call): Promise<unknown> {
  const name = need(call, "name");
  const access = need(call, "access");
  const database = [...panel.state.databases.values()].find((one) => one.username === name);
  if (!database) return refused(unknown);
  database.access = access;
  return done("Setup successfully!");
}
