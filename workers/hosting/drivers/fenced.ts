import type { HostDriver, HostResult } from "./driver.ts";
import { refused } from "./results.ts";

type Calling<A extends unknown[], T> = (...args: A) => Promise<HostResult<T>>;

/**
 * A driver whose changing calls leave only while `isOurs` says that the site is its caller's to work on; after that they
 * are `refused: stopped`, and surely not done. Reading is free.
 */
export function fenced(driver: HostDriver, isOurs: () => Promise<boolean>): HostDriver {
  const fence =
    <A extends unknown[], T>(calling: Calling<A, T>): Calling<A, T> =>
    async (...args) =>
      (await isOurs()) ? await calling(...args) : refused("stopped", "the turn was lost");
  return {
    ...driver,
    createSite: fence(driver.createSite),
    startSite: fence(driver.startSite),
    stopSite: fence(driver.stopSite),
    deleteSite: fence(driver.deleteSite),
    setLastDay: fence(driver.setLastDay),
    addFtp: fence(driver.addFtp),
    setFtpEnabled: fence(driver.setFtpEnabled),
    setFtpPassword: fence(driver.setFtpPassword),
    removeFtp: fence(driver.removeFtp),
    addDatabase: fence(driver.addDatabase),
    issueCertificate: fence(driver.issueCertificate),
    setDocumentRoot: fence(driver.setDocumentRoot),
    uploadFile: fence(driver.uploadFile),
    extract: fence(driver.extract),
    setPermissions: fence(driver.setPermissions),
    makeDirectory: fence(driver.makeDirectory),
    move: fence(driver.move),
    removeFile: fence(driver.removeFile),
    removeDirectory: fence(driver.removeDirectory),
  };
}
