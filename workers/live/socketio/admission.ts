import { PacketType } from "socket.io-parser";
import type { Client } from "./client.ts";
import type { EngineIo } from "./engine.ts";
import { ConnectLater, ConnectRefused, type Handlers, RecoveryDeclined } from "./handlers.ts";
import { dataOf, type Hub, LiveSocket } from "./live-socket.ts";
import { packetFrames } from "./packets.ts";
import type { Orphan, Recovered, Recovery } from "./recovery.ts";
import type { RoomIndex } from "./rooms.ts";
import { newSessionId, randomId } from "./session-id.ts";
import type { SocketState } from "./socket-state.ts";
import type { Takeover } from "./takeover.ts";

/** Who comes back does not wait longer for what his old connection is still doing. */
const ENDING_MS = 1_000;

interface Parts<Data> {
  engine: EngineIo<Client<Data>>;
  handlers: Handlers<Data>;
  hub: Hub<Data>;
  index: RoomIndex<Data>;
  recovery: Recovery | null;
  takeover: Takeover<Data> | null;
  namespaces: readonly string[];
}

/** Who joins a namespace: asks the application, answers CONNECT or CONNECT_ERROR, and lets a lost socket go on. */
export class Admission<Data> {
  readonly #parts: Parts<Data>;
  /** The pids of lost sockets that are about to go on, each on one connection. */
  readonly #resuming = new Set<string>();

  constructor(parts: Parts<Data>) {
    this.#parts = parts;
  }

  async connect(
    client: Client<Data>,
    namespace: string,
    auth: Record<string, unknown>,
  ): Promise<void> {
    const { handlers, namespaces } = this.#parts;
    if (!namespaces.includes(namespace)) {
      return this.#refuse(client, namespace, new ConnectRefused("Invalid namespace"));
    }
    client.joining.add(namespace);
    const recovered = await this.#recover(client, namespace, auth);
    client.joining.delete(namespace);
    if (!client.session.isOpen) return;
    const socket = await this.#present(client, namespace, auth, recovered);
    if (socket) await socket.inTurn(() => handlers.connected?.(socket), true);
  }

  /** Shows the client to the application as a socket and lets it in; null when it is not let in, or gone meanwhile. */
  async #present(
    client: Client<Data>,
    namespace: string,
    auth: Record<string, unknown>,
    recovered: Recovered | null,
  ): Promise<LiveSocket<Data> | null> {
    const { handlers, hub } = this.#parts;
    const socket = new LiveSocket(hub, client, this.#stateOf(namespace, recovered));
    client.sockets.set(namespace, socket);
    try {
      await handlers.connect?.(socket, auth);
      if (recovered && client.session.isOpen) await this.#resume(socket, recovered, auth);
      if (socket.phase === "gone") client.sockets.delete(namespace);
      if (!client.session.isOpen || socket.phase === "gone") return null;
      this.#admit(client, socket, recovered && this.#asOfNow(recovered, auth));
      return socket;
    } catch (error) {
      client.sockets.delete(namespace);
      const isAnew = recovered && error instanceof RecoveryDeclined;
      const wasResuming = socket.phase === "resuming";
      void socket.end(isAnew ? "transport close" : "server namespace disconnect");
      if (wasResuming) this.#parts.recovery?.forget(socket.pid);
      if (!client.session.isOpen) return null;
      if (isAnew) return await this.#present(client, namespace, auth, null);
      if (error instanceof ConnectLater) await client.close("transport close");
      else this.#refuse(client, namespace, error);
      return null;
    }
  }

  /** What it missed is brought here. Another connection may have come back as this socket, or be about to. */
  async #resume(
    socket: LiveSocket<Data>,
    recovered: Recovered,
    auth: Record<string, unknown>,
  ): Promise<void> {
    const { engine, handlers } = this.#parts;
    if (!handlers.resume) return;
    const { pid } = this.#asOfNow(recovered, auth).state;
    if (this.#resuming.has(pid)) throw new RecoveryDeclined();
    this.#resuming.add(pid);
    socket.phase = "resuming";
    try {
      await handlers.resume(socket);
    } catch (error) {
      if (!(error instanceof RecoveryDeclined)) engine.settings.onError(error, "resume");
      throw new RecoveryDeclined();
    } finally {
      this.#resuming.delete(pid);
    }
  }

  /**
   * Asking the application took a while: what was sent meanwhile is missed as well, and another connection may have come
   * back as this socket.
   */
  #asOfNow({ state }: Recovered, { offset }: Record<string, unknown>): Recovered {
    const recovered = this.#parts.recovery?.restore(state.pid, offset);
    if (!recovered) throw new RecoveryDeclined();
    return recovered;
  }

  /** What is kept is written first: state too large refuses the client, it does not half admit it. */
  #admit(client: Client<Data>, socket: LiveSocket<Data>, recovered: Recovered | null): void {
    const { engine, index, recovery } = this.#parts;
    const { namespace: nsp, id: sid, pid } = socket;
    engine.registry.all();
    client.hasJoined = true;
    client.keep(socket);
    recovery?.keep(client.session.id, socket);
    index.add(socket);
    const data = recovery ? { sid, pid } : { sid };
    socket.open([
      ...packetFrames({ type: PacketType.CONNECT, nsp, data }),
      ...(recovered?.missed ?? []),
    ]);
  }

  #stateOf(namespace: string, recovered: Recovered | null): SocketState {
    if (recovered) return { ...recovered.state, recovered: true };
    const from = this.#parts.recovery?.log.next() ?? 0;
    const { takeover } = this.#parts;
    const ids = { id: randomId(), pid: takeover ? newSessionId(takeover.shard) : randomId() };
    return { namespace, ...ids, rooms: [], since: {}, data: null, recovered: false, from };
  }

  /**
   * A client that names a pid goes on as that socket, though we may not know yet that its old connection is dead. That is
   * cut off for nobody but who proves to be the socket's owner.
   */
  async #recover(
    client: Client<Data>,
    namespace: string,
    auth: Record<string, unknown>,
  ): Promise<Recovered | null> {
    const { recovery, takeover } = this.#parts;
    const { pid, offset } = auth;
    if (!recovery || typeof pid !== "string") return null;
    if (!recovery.find(pid)) await takeover?.bring(client, namespace, { ...auth, pid });
    if (!(await this.#isOwner(client, { ...auth, pid }))) return null;
    await this.lose(pid, namespace);
    const recovered = recovery.restore(pid, offset);
    return recovered?.state.namespace === namespace ? recovered : null;
  }

  async #isOwner(
    { request }: Client<Data>,
    auth: Record<string, unknown> & { pid: string },
  ): Promise<boolean> {
    const { engine, handlers, recovery } = this.#parts;
    if (!handlers.identify) return true;
    try {
      const who = await handlers.identify(request, auth);
      const found = recovery?.find(auth.pid);
      if (who === null || !found) return false;
      return handlers.owns?.(dataOf<Data>(found.data), who) ?? true;
    } catch (error) {
      engine.settings.onError(error, "identify");
      return false;
    }
  }

  /** The socket with this pid comes back somewhere: its connection, if it has one, is dead. */
  async lose(pid: string, namespace: string): Promise<void> {
    const { engine, recovery } = this.#parts;
    const present = recovery?.present(pid);
    if (present?.state.namespace !== namespace) return;
    const session = engine.registry.find(present.sessionId);
    if (session) await this.#soon(engine.end(session, "transport close"));
    else this.tellLost(present);
  }

  /**
   * What the client asked for before is done before it goes on, where that is soon done: the socket counts as lost at once,
   * and a handler that hangs holds up no new connection.
   */
  async #soon(ending: Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ENDING_MS);
    });
    await Promise.race([ending, enough]);
    clearTimeout(timer);
  }

  /** A crash or deploy took this socket, and nobody was told. */
  tellLost(orphan: Orphan): void {
    const { engine, handlers, hub, recovery } = this.#parts;
    recovery?.orphaned(orphan);
    const socket = LiveSocket.gone(hub, orphan.state);
    void engine.guard("disconnect", () => handlers.disconnect?.(socket, "transport close"));
  }

  #refuse(client: Client<Data>, nsp: string, error: unknown): void {
    const isRefused = error instanceof ConnectRefused;
    if (!isRefused) this.#parts.engine.settings.onError(error, "connect");
    const message = isRefused ? error.message : "Internal error";
    const data =
      isRefused && error.data !== undefined ? { message, data: error.data } : { message };
    for (const frame of packetFrames({ type: PacketType.CONNECT_ERROR, nsp, data })) {
      client.session.send(frame);
    }
  }
}
