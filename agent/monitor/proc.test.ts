import { describe, expect, it } from "vitest";
import { ratesOf } from "./host.ts";
import {
  cpuPercent,
  parseCpuTimes,
  parseLoad,
  parseMemory,
  parseMounts,
  parseOsRelease,
  parseTraffic,
  parseUptime,
} from "./proc.ts";
import { parseShow } from "./services.ts";

/** As Debian 12 on two cores wrote them. */
const STAT = `cpu  2958780 17620 845254 3173502 22696 0 48443 7177 0 0
cpu0 1408167 7400 409124 1681969 5401 0 20867 3624 0 0
intr 60299071 0 0
`;
const MEMINFO = `MemTotal:       24684092 kB
MemFree:        21037304 kB
MemAvailable:   22188812 kB
Buffers:           25104 kB
Cached:          1008684 kB
Active(anon):    1704616 kB
SwapTotal:       2097148 kB
SwapFree:        1048574 kB
HugePages_Total:       0
`;
const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 41521678163 87454545    0  272    0     0          0         0 41521678163 87454545    0    0    0     0       0          0
  eth0: 6345123241  162902    0    0    0     0          0         0 12218131  102555    0    0    0     0       0          0
ens18:1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0
docker0: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
vethab12: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
`;
const MOUNTS = `proc /proc proc rw,relatime 0 0
/dev/vda1 / ext4 rw,relatime,discard 0 0
tmpfs /run tmpfs rw,nosuid 0 0
/dev/vda1 /var/lib/docker ext4 rw 0 0
/dev/vdb1 /var/www\\040sites xfs rw 0 0
/dev/loop3 /snap/core/1 squashfs ro 0 0
/dev/sr0 /media iso9660 ro 0 0
/dev/vdc1 /kept ext4 ro,relatime 0 0
/dev/vda15 /boot/efi vfat rw 0 0
`;

describe("the CPU", () => {
  it("is as busy as what was not idle between two readings", () => {
    const before = parseCpuTimes(STAT);
    expect(before).toEqual({ busy: 3877274, total: 7073472 });
    if (!before) return;
    expect(cpuPercent(before, { busy: before.busy + 25, total: before.total + 100 })).toBe(25);
    expect(cpuPercent(before, before)).toBeNull();
    expect(cpuPercent(before, { busy: before.busy - 1, total: before.total + 1 })).toBeNull();
  });

  it.each(["", "cpu", "cpu  a b c d", "cpu0 1 2 3 4"])("of %j is unknown", (text) => {
    expect(parseCpuTimes(text)).toBeNull();
  });
});

describe("memory", () => {
  it("is read in bytes", () => {
    expect(parseMemory(MEMINFO)).toEqual({
      totalBytes: 24684092 * 1024,
      availableBytes: 22188812 * 1024,
      swapTotalBytes: 2097148 * 1024,
      swapFreeBytes: 1048574 * 1024,
    });
  });

  it("of an old kernel is what is free and what can be given back", () => {
    const old = MEMINFO.replace(/MemAvailable.*\n/, "");
    expect(parseMemory(old).availableBytes).toBe((21037304 + 25104 + 1008684) * 1024);
    expect(parseMemory("")).toEqual({
      totalBytes: 0,
      availableBytes: 0,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
    });
  });
});

it("traffic is that of cards, not of loopback, containers or bridges", () => {
  expect(parseTraffic(NET_DEV)).toEqual({ received: 6345124241, sent: 12220131 });
  expect(parseTraffic("")).toEqual({ received: 0, sent: 0 });
});

it("rates are unknown where the counters went back or the clock stood still", () => {
  const at = (atMs: number, received: number, sent: number) => ({
    cpu: null,
    traffic: { received, sent },
    atMs,
  });
  expect(ratesOf(at(0, 1000, 0), at(2000, 3000, 500))).toEqual({
    receivedBytesPerSecond: 1000,
    sentBytesPerSecond: 250,
  });
  expect(ratesOf(at(0, 1000, 0), at(2000, 10, 500))).toBeNull();
  expect(ratesOf(at(5, 0, 0), at(5, 0, 0))).toBeNull();
});

it("disks are the devices that can be written, each once, and always the root", () => {
  expect(parseMounts(MOUNTS)).toEqual(["/", "/var/www sites", "/boot/efi"]);
  expect(parseMounts("overlay / overlay rw 0 0\n")).toEqual(["/"]);
  expect(parseMounts("")).toEqual(["/"]);
});

it("load and uptime are numbers, whatever is read", () => {
  expect(parseLoad("4.16 4.19 2.98 7/206 4676\n")).toEqual([4.16, 4.19, 2.98]);
  expect(parseLoad("")).toEqual([0, 0, 0]);
  expect(parseUptime("35608.12 31735.02\n")).toBe(35608.12);
  expect(parseUptime("x")).toBe(0);
});

it.each([
  ['ID=ubuntu\nVERSION_ID="22.04"\n', "ubuntu", "22.04"],
  ["NAME=x\nID=Debian\nVERSION_ID='12'\n", "debian", "12"],
  ["", "", ""],
])("the system of %j is %s %s", (text, osId, osVersion) => {
  expect(parseOsRelease(text)).toEqual({ osId, osVersion });
});

describe("services", () => {
  it("have the words of systemctl, a paragraph each, and its count of falls", () => {
    const said = [
      "NRestarts=2\nActiveState=active",
      "ActiveState=failed\nNRestarts=0",
      "ActiveState=new",
    ];
    expect(parseShow(["nginx", "mariadb", "x"], `${said.join("\n\n")}\n`)).toEqual([
      { name: "nginx", status: "active", restarts: 2 },
      { name: "mariadb", status: "failed", restarts: 0 },
      { name: "x", status: "unknown" },
    ]);
  });

  it("are all unknown when the paragraphs do not fit the names", () => {
    const told = parseShow(["nginx", "mariadb"], "ActiveState=active\n");
    expect(told.map(({ status }) => status)).toEqual(["unknown", "unknown"]);
  });
});
