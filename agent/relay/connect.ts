import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { RelayFailure } from "./failures.ts";

export interface Way {
  target: URL;
  /** SHA-256 of the one certificate that is believed, or null for whatever the public authorities vouch for. */
  pin: string | null;
  /** The address of this machine to call from, where it has several. */
  from?: string;
  /** Ends the attempt. */
  signal: AbortSignal;
}

function endpoint({ target, from }: Way) {
  const host = target.hostname.replace(/^\[|\]$/g, "");
  const port = Number(target.port || (target.protocol === "https:" ? 443 : 80));
  return { host, port, ...(from !== undefined && { localAddress: from, family: isIP(from) }) };
}

function open(way: Way): { socket: Socket; ready: string; believed(): boolean } {
  const to = endpoint(way);
  if (way.target.protocol === "http:") {
    return { socket: connectPlain(to), ready: "connect", believed: () => true };
  }
  const { pin } = way;
  const socket = connectTls({
    ...to,
    ...(isIP(to.host) === 0 && { servername: to.host }),
    ALPNProtocols: ["http/1.1"],
    // A pinned certificate is compared below, before a byte of the call is written.
    rejectUnauthorized: pin === null,
  });
  const believed = () => {
    if (pin === null) return socket.authorized;
    const { fingerprint256 } = socket.getPeerCertificate();
    return fingerprint256?.replaceAll(":", "").toLowerCase() === pin;
  };
  return { socket, ready: "secureConnect", believed };
}

/** A connection to the target and nowhere else; throws `unreachable`, and then nothing has been sent. */
export function connect(way: Way): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { socket, ready, believed } = open(way);
    const fail = (why: string) => {
      way.signal.removeEventListener("abort", giveUp);
      socket.destroy();
      reject(new RelayFailure("unreachable", why));
    };
    const giveUp = () => fail("no connection in time");
    const onError = (error: NodeJS.ErrnoException) => fail(error.code ?? "no connection");
    way.signal.addEventListener("abort", giveUp, { once: true });
    socket.once("error", onError);
    socket.once(ready, () => {
      if (!believed()) return fail("another certificate");
      way.signal.removeEventListener("abort", giveUp);
      socket.off("error", onError);
      resolve(socket);
    });
    if (way.signal.aborted) giveUp();
  });
}
