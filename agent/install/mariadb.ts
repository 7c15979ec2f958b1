import { existsSync } from "node:fs";
import { accountStatements, removeAccountStatements } from "../databases/account.ts";
import type { Settings } from "../settings.ts";
import { AGENT_USER, type Machine, type Step } from "./machine.ts";

const CONNECT_MS = 10_000;

/** As the database server's own root, whom its socket knows by the operating system's. */
async function runAll(
  machine: Machine,
  { mariadb }: Settings,
  statements: string[],
): Promise<void> {
  const { createConnection } = await import("mysql2/promise");
  const socketPath = machine.at(mariadb.socket);
  const connection = await createConnection({
    socketPath,
    user: "root",
    connectTimeout: CONNECT_MS,
  });
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}

/** The agent's account at the database server. The statements may be repeated, and are after every update of theirs. */
export function accountsOfMariadb(machine: Machine, settings: Settings): Step[] {
  if (!existsSync(machine.at(settings.mariadb.socket))) {
    machine.say(
      "  note    MariaDB does not run here: install it, then run this again for databases",
    );
    return [];
  }
  return [
    {
      what: `MariaDB: the account ${AGENT_USER} and its procedures`,
      isDone: () => false,
      act: () => runAll(machine, settings, accountStatements(AGENT_USER)),
    },
  ];
}

export function removeAccountsOfMariadb(machine: Machine, settings: Settings): Step[] {
  if (!existsSync(machine.at(settings.mariadb.socket))) return [];
  return [
    {
      what: `MariaDB: remove the account ${AGENT_USER}`,
      isDone: () => false,
      act: () => runAll(machine, settings, removeAccountStatements(AGENT_USER)),
    },
  ];
}
