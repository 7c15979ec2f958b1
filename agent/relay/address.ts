import { createSocket } from "node:dgram";
import { BlockList } from "node:net";

const privateRanges = new BlockList();
for (const [net, bits] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["169.254.0.0", 16],
  ["127.0.0.0", 8],
] as const) {
  privateRanges.addSubnet(net, bits);
}

/** The address that this machine calls from, as it knows it itself; null without a way out. No packet is sent. */
export function outgoingAddress(): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = createSocket("udp4");
    const end = (address: string | null) => {
      probe.close();
      resolve(address);
    };
    probe.once("error", () => end(null));
    // An address for documentation (RFC 5737): choosing the way to it is enough.
    probe.connect(443, "192.0.2.1", () => end(probe.address().address));
  });
}

/** What an operator has to register with the providers. */
export function registrationWords(address: string | null): string {
  const task = "Register this machine's outgoing address with every provider that keeps a list";
  if (address === null) return `${task}; it could not be found out here.`;
  if (!privateRanges.check(address)) return `${task}: ${address}`;
  return `${task}. This machine calls itself ${address}, which is private: the public one is its router's.`;
}
