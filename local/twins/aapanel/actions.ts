import { backupDatabase, backupSite, deleteBackup } from "./backups.ts";
import type { Call } from "./call.ts";
import { getData, getFind, getKey } from "./data.ts";
import {
  createDatabase,
  deleteDatabase,
  getAccess,
  resetPassword,
  setAccess,
} from "./databases.ts";
import { addDomains, listDomains, removeDomain } from "./domains.ts";
import type { Panel } from "./engine.ts";
import * as files from "./files.ts";
import { addUser, deleteUser, setStatus, setUserPassword } from "./ftp.ts";
import { addSite, deleteSite, setEdate, setPhpVersion, setRunning, setRunPath } from "./sites.ts";
import * as ssl from "./ssl.ts";
import * as system from "./system.ts";
import { unzip } from "./unzip.ts";
import { upload } from "./upload.ts";

export type Action = (panel: Panel, call: Call) => Promise<unknown>;

/** `POST /<group>?action=<Name>`: the calls of aapanel.md that this twin answers. */
export const actions: Record<string, Record<string, Action>> = {
  site: {
    AddSite: addSite,
    DeleteSite: deleteSite,
    SiteStop: setRunning(false),
    SiteStart: setRunning(true),
    SetEdate: setEdate,
    AddDomain: addDomains,
    DelDomain: removeDomain,
    GetSiteDomains: listDomains,
    GetPHPVersion: system.getPhpVersions,
    SetPHPVersion: setPhpVersion,
    SetSiteRunPath: setRunPath,
    ToBackup: backupSite,
    DelBackup: deleteBackup,
    SetSSL: ssl.setSsl,
    GetSSL: ssl.getSsl,
    HttpToHttps: ssl.setForceHttps(true),
    CloseToHttps: ssl.setForceHttps(false),
    CloseSSLConf: ssl.closeSsl,
  },
  acme: {
    apply_cert_api: ssl.applyCertificate,
    get_orders: ssl.listOrders,
    renew_cert: ssl.renew,
  },
  data: { getData, getFind, getKey },
  files: {
    upload,
    UnZip: unzip,
    Zip: files.zip,
    GetDir: files.getDir,
    CreateDir: files.createDir,
    CreateFile: files.createFile,
    DeleteDir: files.deleteDir,
    DeleteFile: files.deleteFile,
    MvFile: files.moveFile,
    CopyFile: files.copyFile,
    SetFileAccess: files.setFileAccess,
    GetFileAccess: files.getFileAccess,
    GetFileBody: files.getFileBody,
    SaveFileBody: files.saveFileBody,
  },
  ftp: {
    AddUser: addUser,
    DeleteUser: deleteUser,
    SetUserPassword: setUserPassword,
    SetStatus: setStatus,
  },
  database: {
    AddDatabase: createDatabase,
    DeleteDatabase: deleteDatabase,
    ResDatabasePassword: resetPassword,
    GetDatabaseAccess: getAccess,
    SetDatabaseAccess: setAccess,
    ToBackup: backupDatabase,
    DelBackup: deleteBackup,
  },
  system: {
    GetSystemTotal: system.getSystemTotal,
    GetNetWork: system.getNetWork,
    GetDiskInfo: system.getDiskInfo,
    GetConcifInfo: system.getConfigInfo,
    ServiceAdmin: system.serviceAdmin,
  },
  task: { get_task_lists: system.listTasks, remove_task: system.removeTask },
  ajax: { GetTaskCount: async () => 0 },
};

/** Groups that take POST alone. */
export const postOnly: ReadonlySet<string> = new Set(["site", "ftp", "database"]);
