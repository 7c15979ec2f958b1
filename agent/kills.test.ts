import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  type AnyType,
  COMMANDS,
  type CommandType,
  specOf,
} from "../shared/agent-protocol/index.ts";

/** Asked, and yet it writes. */
type Writing = CommandType | "file.write";

/** Where each command is killed in the middle, for real. One that is new does not compile until it has its place here. */
const KILLED: Record<Exclude<Writing, "backup.list">, string> = {
  "site.provision": "sites/kills.test.ts",
  "site.deprovision": "sites/kills.test.ts",
  "site.suspend": "sites/kills.test.ts",
  "site.resume": "sites/kills.test.ts",
  "site.set-document-root": "sites/kills.test.ts",
  "site.set-last-day": "sites/kills.test.ts",
  "sftp.set": "sites/kills.test.ts",
  "sftp.remove": "sites/kills.test.ts",
  "file.write": "files/kills.test.ts",
  "file.extract": "files/kills.test.ts",
  "file.make-folder": "files/kills.test.ts",
  "file.move": "files/kills.test.ts",
  "file.remove": "files/kills.test.ts",
  "file.set-mode": "files/kills.test.ts",
  "db.create": "databases/kills.test.ts",
  "db.create-user": "databases/kills.test.ts",
  "db.drop": "databases/kills.test.ts",
  "db.drop-user": "databases/kills.test.ts",
  "ssl.issue": "certificates/order.test.ts",
  "ssl.renew": "certificates/kills.test.ts",
  "backup.run": "backups/faults.test.ts",
  "backup.prove": "backups/faults.test.ts",
  "backup.restore": "backups/faults.test.ts",
  "backup.upload": "backups/kills.test.ts",
  "backup.remove": "backups/kills.test.ts",
  "agent.update": "supervise.test.ts",
};
/** Their tests are about what is done, and name no command. */
const UNNAMED = new Set(["ssl.issue", "agent.update"]);

it("every command that changes something is killed in the middle by a test", () => {
  const changing = (Object.keys(COMMANDS) as AnyType[]).filter(
    (type) => !specOf(type)?.ask && type !== "backup.list",
  );
  expect(Object.keys(KILLED).sort()).toEqual([...changing, "file.write"].sort());
  for (const [type, file] of Object.entries(KILLED)) {
    const text = readFileSync(join(import.meta.dirname, file), "utf8");
    expect(text, file).toMatch(/kill/);
    if (!UNNAMED.has(type)) expect(text, `${type} in ${file}`).toContain(type);
  }
});
