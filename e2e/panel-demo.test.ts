import { afterAll, beforeAll, onTestFailed, test } from "vitest";
import { needs } from "../agent/testing/needs.ts";
import { writeDemoUsers } from "../local/demo/data.ts";
import { type Machine, startMachine } from "../local/demo/panel/machine.ts";
import { tellStory } from "../local/demo/panel/panel.ts";
import { silently } from "./market.ts";
import { type Platform, startPlatform } from "./platform.ts";

needs(...(["nginx", "php-fpm", "mariadb", "age", "zstd", "root"] as const))(
  "npm run demo -- panel",
  () => {
    let platform: Platform;
    let machine: Machine;
    beforeAll(async () => {
      [platform, machine] = await Promise.all([startPlatform(), startMachine()]);
      await writeDemoUsers(platform.database.adminUrl);
    }, 180_000);
    afterAll(async () => {
      await machine?.stop();
      await platform?.stop();
    });

    test("a server is enrolled, serves, is backed up, proven, broken and restored, and is not fooled", async () => {
      onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
      await tellStory(silently(platform), machine, platform.sql);
    }, 180_000);
  },
);
