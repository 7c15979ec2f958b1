import { z } from "zod";
import { Done, Id, type Line, plainPath } from "./line.ts";
import { findRow } from "./sites.ts";

/** The panel's rows carry passwords in clear: they end here. */
export interface PanelFtp {
  id: string;
  username: string;
  path: string;
  enabled: boolean;
}

const FtpRow = z
  .looseObject({
    id: Id,
    name: z.string(),
    path: z.string(),
    status: z.union([z.string(), z.number()]).transform(String),
  })
  .transform(
    ({ id, name, path, status }): PanelFtp => ({
      id,
      username: name,
      path,
      enabled: status === "1",
    }),
  );

export const findFtp = (line: Line, username: string) =>
  findRow(line, "ftps", username, FtpRow, (row) => row.username === username);

export interface AddFtpInput {
  username: string;
  password: string;
  path: string;
  note: string;
}

export const addFtp = (line: Line, { username, password, path, note }: AddFtpInput) =>
  line.call({
    group: "ftp",
    action: "AddUser",
    fields: {
      ftp_username: username,
      ftp_password: password,
      path: plainPath(path),
      ps: note,
    },
    schema: Done,
    idempotent: false,
  });

type FtpRef = Pick<PanelFtp, "id" | "username">;

export const setFtpEnabled = (line: Line, { id, username }: FtpRef, enabled: boolean) =>
  line.call({
    group: "ftp",
    action: "SetStatus",
    fields: { id, username, status: enabled ? "1" : "0" },
    schema: Done,
    idempotent: true,
  });

export const setFtpPassword = (line: Line, { id, username }: FtpRef, password: string) =>
  line.call({
    group: "ftp",
    action: "SetUserPassword",
    fields: { id, ftp_username: username, new_password: password },
    schema: Done,
    idempotent: true,
  });

export const deleteFtp = (line: Line, { id, username }: FtpRef) =>
  line.call({
    group: "ftp",
    action: "DeleteUser",
    fields: { id, username },
    schema: Done,
    idempotent: false,
  });

export interface PanelDatabase {
  id: string;
  name: string;
}

const DatabaseRow = z
  .looseObject({ id: Id, name: z.string() })
  .transform(({ id, name }): PanelDatabase => ({ id, name }));

export const findDatabase = (line: Line, name: string) =>
  findRow(line, "databases", name, DatabaseRow, (row) => row.name === name);

export interface AddDatabaseInput {
  name: string;
  password: string;
  siteId: string;
  note: string;
}

/** A database of that name and a user of the same, for the server itself. Its success has no `msg`. */
export const addDatabase = (line: Line, { name, password, siteId, note }: AddDatabaseInput) =>
  line.call({
    group: "database",
    action: "AddDatabase",
    fields: {
      name,
      db_user: name,
      password,
      codeing: "utf8mb4",
      address: "127.0.0.1",
      ps: note,
      dtype: "MySQL",
      sid: "0",
      pid: siteId,
    },
    schema: Done,
    idempotent: false,
  });

export const deleteDatabase = (line: Line, { id, name }: PanelDatabase) =>
  line.call({
    group: "database",
    action: "DeleteDatabase",
    fields: { id, name },
    schema: Done,
    idempotent: false,
  });
