import { done, refused } from "./answers.ts";
import { type Call, need, needInt } from "./call.ts";
import type { Panel } from "./engine.ts";
import type { Ftp } from "./state.ts";

/** Why an account cannot be made, or null: names of 3 word characters, passwords of 6, no name twice. */
export function ftpProblem(panel: Panel, name: string, password: string): string | null {
  if (!/^\w+$/.test(name)) return "Username is illegal, special characters are NOT allowed!";
  if (name.length < 3) return "Username is illegal, at least 3 characters";
  if (password.length < 6) return "The password length cannot be less than 6 digits";
  if ([...panel.state.ftps.values()].some((one) => one.name === name)) {
    return `User [${name}] already exists!`;
  }
  return null;
}

type Made = Pick<Ftp, "name" | "password" | "path" | "ps" | "pid">;

export function addFtp(panel: Panel, made: Made): Ftp {
  const ftp: Ftp = { ...made, id: panel.nextId(), enabled: true, addedAt: panel.clock() };
  panel.state.ftps.set(ftp.id, ftp);
  return ftp;
}

export async function addUser(panel: Panel, call: Call): Promise<unknown> {
  const name = need(call, "ftp_username");
  const password = need(call, "ftp_password");
  const path = panel.area.target(need(call, "path"));
  const ps = need(call, "ps");
  if (panel.own.take("ftpRefused", call.text)) return refused("Pure-FTPd is not installed");
  const problem = ftpProblem(panel, name, password);
  if (problem) return refused(problem);
  addFtp(panel, { name, password, path, ps, pid: 0 });
  return done("Setup successfully!");
}

function ftpOf(panel: Panel, call: Call, nameField: string): Ftp | null {
  const ftp = panel.state.ftps.get(needInt(call, "id"));
  return ftp?.name === need(call, nameField) ? ftp : null;
}

const unknown = "The specified FTP user does not exist";

export async function deleteUser(panel: Panel, call: Call): Promise<unknown> {
  const ftp = ftpOf(panel, call, "username");
  if (!ftp) return refused(unknown);
  panel.state.ftps.delete(ftp.id);
  return done("Successfully deleted!");
}

export async function setUserPassword(panel: Panel, call: Call): Promise<unknown> {
  const ftp = ftpOf(panel, call, "ftp_username");
  const password = need(call, "new_password");
  if (!ftp) return refused(unknown);
  if (password.length < 6) return refused("The password length cannot be less than 6 digits");
  ftp.password = password;
  return done("Setup successfully!");
}

export async function setStatus(panel: Panel, call: Call): Promise<unknown> {
  const ftp = ftpOf(panel, call, "username");
  const status = needInt(call, "status");
  if (!ftp) return refused(unknown);
  ftp.enabled = status === 1;
  return done("Setup successfully!");
}
